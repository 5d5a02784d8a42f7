# Copyright The Nephoscope Authors
# SPDX-License-Identifier: Apache-2.0

"""boto3 as of 2024, whose CloudWatch client speaks awsQuery: form-encoded requests, XML answers."""

from datetime import datetime, timedelta, timezone

import boto3
import botocore
import pytest
from botocore.exceptions import ClientError

cloudwatch = boto3.client("cloudwatch")


def test_this_is_the_query_protocol():
    assert cloudwatch.meta.service_model.metadata["protocol"] == "query", botocore.__version__


def test_metrics():
    namespace = f"query-{datetime.now(timezone.utc).timestamp()}"
    minute = datetime.now(timezone.utc).replace(second=0, microsecond=0) - timedelta(minutes=5)
    end = minute + timedelta(minutes=1)
    cloudwatch.put_metric_data(Namespace=namespace, MetricData=[
        {"MetricName": "plain", "Value": 2.5, "Unit": "Seconds", "Timestamp": minute,
         "Dimensions": [{"Name": "host", "Value": "a & <b>"}]},
        {"MetricName": "arrays", "Values": [1.0, 10.0], "Counts": [2.0, 4.0], "Timestamp": minute, "StorageResolution": 1},
        {"MetricName": "set", "StatisticValues": {"SampleCount": 2, "Sum": 3, "Minimum": 1, "Maximum": 2}, "Timestamp": minute},
    ])
    metrics = cloudwatch.list_metrics(Namespace=namespace)["Metrics"]
    assert sorted(m["MetricName"] for m in metrics) == ["arrays", "plain", "set"]
    plain = next(m for m in metrics if m["MetricName"] == "plain")
    assert plain["Dimensions"] == [{"Name": "host", "Value": "a & <b>"}]

    got = cloudwatch.get_metric_statistics(
        Namespace=namespace, MetricName="plain", Dimensions=plain["Dimensions"], StartTime=minute, EndTime=end, Period=60,
        Statistics=["SampleCount", "Sum", "Average"])
    assert got["Datapoints"] == [{"Timestamp": minute, "SampleCount": 1.0, "Sum": 2.5, "Average": 2.5, "Unit": "Seconds"}]
    got = cloudwatch.get_metric_data(
        MetricDataQueries=[
            {"Id": name, "MetricStat": {"Metric": {"Namespace": namespace, "MetricName": name}, "Period": 60, "Stat": "Sum"}}
            for name in ("arrays", "set")],
        StartTime=minute, EndTime=end)
    assert {r["Id"]: (r["Timestamps"], r["Values"]) for r in got["MetricDataResults"]} == {
        "arrays": ([minute], [42.0]), "set": ([minute], [3.0])}


def test_large_batches_are_compressed():
    namespace = f"query-gzip-{datetime.now(timezone.utc).timestamp()}"
    cloudwatch.put_metric_data(Namespace=namespace, MetricData=[{"MetricName": f"m{i}", "Value": i} for i in range(600)])
    pages = cloudwatch.get_paginator("list_metrics").paginate(Namespace=namespace)
    assert sum(len(p["Metrics"]) for p in pages) == 600


def test_errors():
    with pytest.raises(ClientError) as caught:
        cloudwatch.put_metric_data(Namespace="x", MetricData=[{"MetricName": "m", "Value": 1.0, "Values": [1.0]}])
    assert caught.value.response["Error"]["Code"] == "InvalidParameterCombination"
    assert caught.value.response["Error"]["Type"] == "Sender"
    assert caught.value.response["ResponseMetadata"]["RequestId"]
    with pytest.raises(ClientError) as caught:
        cloudwatch.describe_insight_rules()
    assert "DescribeInsightRules" in caught.value.response["Error"]["Message"]


def test_caller_identity():
    assert len(boto3.client("sts").get_caller_identity()["Account"]) == 12
