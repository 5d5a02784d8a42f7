# Copyright The Nephoscope Authors
# SPDX-License-Identifier: Apache-2.0

"""CloudWatch metrics as the boto3 and CloudWatch guides use them. Current boto3 speaks awsJson here."""

import math
from datetime import datetime, timedelta, timezone

import pytest
from botocore.exceptions import ClientError

from conftest import statistics


@pytest.fixture
def minute():
    """The beginning of a minute that is over."""
    return datetime.now(timezone.utc).replace(second=0, microsecond=0) - timedelta(minutes=5)


def test_custom_metric_with_dimensions(cloudwatch, unique, minute):
    for i, value in enumerate([3.0, 9.0, 6.0]):
        cloudwatch.put_metric_data(
            Namespace=unique,
            MetricData=[{
                "MetricName": "PageViews", "Value": value, "Unit": "Count", "Timestamp": minute + timedelta(seconds=i),
                "Dimensions": [{"Name": "Page", "Value": "index.html"}, {"Name": "Region", "Value": "eu"}],
            }],
        )
    metrics = cloudwatch.list_metrics(Namespace=unique)["Metrics"]
    assert len(metrics) == 1
    assert metrics[0]["MetricName"] == "PageViews"
    assert {d["Name"]: d["Value"] for d in metrics[0]["Dimensions"]} == {"Page": "index.html", "Region": "eu"}

    got = cloudwatch.get_metric_statistics(
        Namespace=unique, MetricName="PageViews", StartTime=minute, EndTime=minute + timedelta(minutes=1), Period=60,
        Dimensions=[{"Name": "Region", "Value": "eu"}, {"Name": "Page", "Value": "index.html"}],
        Statistics=["SampleCount", "Sum", "Average", "Minimum", "Maximum"],
    )
    assert got["Label"] == "PageViews"
    assert got["Datapoints"] == [{
        "Timestamp": minute, "SampleCount": 3.0, "Sum": 18.0, "Average": 6.0, "Minimum": 3.0, "Maximum": 9.0, "Unit": "Count",
    }]


def test_dimensions_are_identity(cloudwatch, unique, minute):
    cloudwatch.put_metric_data(Namespace=unique, MetricData=[
        {"MetricName": "m", "Value": 1, "Timestamp": minute, "Dimensions": [{"Name": "a", "Value": "1"}]},
        {"MetricName": "m", "Value": 2, "Timestamp": minute, "Dimensions": [{"Name": "a", "Value": "2"}]},
        {"MetricName": "m", "Value": 4, "Timestamp": minute},
    ])
    end = minute + timedelta(minutes=1)
    assert statistics(cloudwatch, unique, "m", {"a": "1"}, minute, end)["Sum"] == 1
    assert statistics(cloudwatch, unique, "m", {"a": "2"}, minute, end)["Sum"] == 2
    assert statistics(cloudwatch, unique, "m", {}, minute, end)["Sum"] == 4
    assert statistics(cloudwatch, unique, "m", {"a": "3"}, minute, end) is None
    assert len(cloudwatch.list_metrics(Namespace=unique, Dimensions=[{"Name": "a"}])["Metrics"]) == 2
    assert len(cloudwatch.list_metrics(Namespace=unique, Dimensions=[{"Name": "a", "Value": "2"}])["Metrics"]) == 1


def test_one_second_metric(cloudwatch, unique):
    start = datetime.now(timezone.utc).replace(microsecond=0) - timedelta(seconds=30)
    cloudwatch.put_metric_data(Namespace=unique, MetricData=[
        {"MetricName": "Depth", "Value": i, "Timestamp": start + timedelta(seconds=i), "StorageResolution": 1}
        for i in range(10)
    ])
    got = cloudwatch.get_metric_statistics(
        Namespace=unique, MetricName="Depth", StartTime=start, EndTime=start + timedelta(seconds=10), Period=1,
        Statistics=["Sum"],
    )["Datapoints"]
    assert sorted((p["Timestamp"], p["Sum"]) for p in got) == [(start + timedelta(seconds=i), float(i)) for i in range(10)]


def test_statistic_values_and_value_arrays(cloudwatch, unique, minute):
    cloudwatch.put_metric_data(Namespace=unique, MetricData=[
        {"MetricName": "set", "Timestamp": minute, "Unit": "Seconds",
         "StatisticValues": {"SampleCount": 10, "Sum": 55, "Minimum": 1, "Maximum": 10}},
        {"MetricName": "arrays", "Timestamp": minute, "Unit": "Seconds", "Values": [1.0, 10.0], "Counts": [2.0, 4.0]},
    ])
    end = minute + timedelta(minutes=1)
    assert statistics(cloudwatch, unique, "set", {}, minute, end) == {"SampleCount": 10, "Sum": 55, "Minimum": 1, "Maximum": 10}
    assert statistics(cloudwatch, unique, "arrays", {}, minute, end) == {"SampleCount": 6, "Sum": 42, "Minimum": 1, "Maximum": 10}


def test_get_metric_data(cloudwatch, unique, minute):
    for i in range(5):
        cloudwatch.put_metric_data(Namespace=unique, MetricData=[
            {"MetricName": "Latency", "Timestamp": minute - timedelta(minutes=i), "Unit": "Milliseconds",
             "Values": [float(v) for v in range(1, 101)]},
        ])

    def stat(id_, name):
        return {"Id": id_, "MetricStat": {"Metric": {"Namespace": unique, "MetricName": "Latency"}, "Period": 60, "Stat": name}}

    pages = cloudwatch.get_paginator("get_metric_data").paginate(
        MetricDataQueries=[stat("n", "SampleCount"), stat("s", "Sum"), stat("a", "Average"), stat("low", "Minimum"),
                           stat("high", "Maximum"), stat("p99", "p99")],
        StartTime=minute - timedelta(minutes=10), EndTime=minute + timedelta(minutes=1), ScanBy="TimestampAscending",
    )
    got = {}
    for page in pages:
        for result in page["MetricDataResults"]:
            assert result["StatusCode"] == "Complete"
            got.setdefault(result["Id"], []).extend(zip(result["Timestamps"], result["Values"]))
    assert [t for t, _ in got["s"]] == [minute - timedelta(minutes=4 - i) for i in range(5)]
    assert {v for _, v in got["n"]} == {100.0}
    assert {v for _, v in got["s"]} == {5050.0}
    assert {v for _, v in got["a"]} == {50.5}
    assert {v for _, v in got["low"]} == {1.0}
    assert {v for _, v in got["high"]} == {100.0}
    assert all(98 <= v <= 100 for _, v in got["p99"]), got["p99"]


def test_metric_data_without_data_is_empty(cloudwatch, unique, minute):
    got = cloudwatch.get_metric_data(
        MetricDataQueries=[{"Id": "m1", "MetricStat": {
            "Metric": {"Namespace": unique, "MetricName": "nothing"}, "Period": 60, "Stat": "Sum"}}],
        StartTime=minute, EndTime=minute + timedelta(minutes=1),
    )["MetricDataResults"]
    assert [(r["Id"], r["Timestamps"], r["Values"], r["StatusCode"]) for r in got] == [("m1", [], [], "Complete")]


def test_many_metrics_compressed_and_paged(cloudwatch, unique, minute):
    # More than 10 KB: botocore compresses the body.
    cloudwatch.put_metric_data(Namespace=unique, MetricData=[
        {"MetricName": f"metric-{i:04}", "Value": i, "Timestamp": minute, "Dimensions": [{"Name": "Index", "Value": str(i)}]}
        for i in range(1000)
    ])
    pages = list(cloudwatch.get_paginator("list_metrics").paginate(Namespace=unique))
    assert len(pages) == 2, "a page holds 500 metrics"
    names = sorted(m["MetricName"] for p in pages for m in p["Metrics"])
    assert names == [f"metric-{i:04}" for i in range(1000)]


def test_fraction_and_negative_values_are_exact(cloudwatch, unique, minute):
    values = [-1.5, 0.1, 1e-12, 123456789.123]
    cloudwatch.put_metric_data(Namespace=unique, MetricData=[
        {"MetricName": "exact", "Value": v, "Timestamp": minute} for v in values])
    got = statistics(cloudwatch, unique, "exact", {}, minute, minute + timedelta(minutes=1))
    assert got["Minimum"] == -1.5 and got["Maximum"] == 123456789.123
    assert math.isclose(got["Sum"], math.fsum(values), rel_tol=1e-12)


def test_errors(cloudwatch, unique, minute):
    with pytest.raises(ClientError) as caught:
        cloudwatch.put_metric_data(Namespace=unique, MetricData=[{"MetricName": "m", "Value": 1.0, "Values": [1.0]}])
    assert caught.value.response["Error"]["Code"] in ("InvalidParameterCombination", "InvalidParameterCombinationException")
    assert caught.value.response["Error"]["Message"] == (
        "The parameters MetricData.member.1.Value and MetricData.member.1.Values are mutually exclusive and you have "
        "specified both.")
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert caught.value.response["ResponseMetadata"]["RequestId"]

    with pytest.raises(cloudwatch.exceptions.InvalidParameterValueException):
        cloudwatch.get_metric_statistics(
            Namespace=unique, MetricName="m", StartTime=minute, EndTime=minute, Period=60, Statistics=["Sum"])
    assert cloudwatch.list_metrics(Namespace=unique)["Metrics"] == [], "a request that failed left nothing"


def test_operations_that_are_not_here_say_so(cloudwatch):
    with pytest.raises(ClientError) as caught:
        cloudwatch.describe_insight_rules()
    assert "DescribeInsightRules" in caught.value.response["Error"]["Message"]
