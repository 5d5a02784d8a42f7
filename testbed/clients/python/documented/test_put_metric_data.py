# Copyright The Nephoscope Authors
# SPDX-License-Identifier: Apache-2.0

"""PutMetricData: the forms of a datum, and what CloudWatch refuses."""

from datetime import timedelta
from decimal import Decimal

import pytest

from conftest import MINUTE, refused

FORMS = {
    # form: (datum, SampleCount, Sum, Minimum, Maximum, Average)
    "value": ({"Value": 2.5}, 1, 2.5, 2.5, 2.5, 2.5),
    "negative": ({"Value": -4.0}, 1, -4, -4, -4, -4),
    "values": ({"Values": [1.0, 10.0]}, 2, 11, 1, 10, 5.5),
    "values and counts": ({"Values": [1.0, 10.0], "Counts": [2.0, 4.0]}, 6, 42, 1, 10, 7),
    "fractional counts": ({"Values": [2.0, 4.0], "Counts": [0.5, 1.5]}, 2, 7, 2, 4, 3.5),
    "statistics": ({"StatisticValues": {"SampleCount": 4, "Sum": 10, "Minimum": 1, "Maximum": 4}}, 4, 10, 1, 4, 2.5),
    "inconsistent sum": ({"StatisticValues": {"SampleCount": 2, "Sum": 100, "Minimum": 1, "Maximum": 4}}, 2, 100, 1, 4, 50),
}


@pytest.mark.parametrize("form", FORMS)
def test_forms(metrics, form):
    datum, count, total, low, high, mean = FORMS[form]
    metrics.datum("m", **datum)
    want = {"SampleCount": count, "Sum": total, "Minimum": low, "Maximum": high, "Average": mean}
    assert {stat: metrics.value("m", stat) for stat in want} == want
    points = metrics.client.get_metric_statistics(
        Namespace=metrics.namespace, MetricName="m", StartTime=metrics.start, EndTime=metrics.start + MINUTE, Period=60,
        Statistics=list(want))["Datapoints"]
    assert points == [{"Timestamp": metrics.start, "Unit": "None", **want}]


def test_statistics_win_over_values(metrics):
    metrics.datum("m", Values=[100.0], StatisticValues={"SampleCount": 1, "Sum": 3, "Minimum": 3, "Maximum": 3})
    assert metrics.value("m", "Sum") == 3


def test_a_count_of_zero_moves_the_extremes(metrics):
    metrics.datum("m", Values=[1.0, 50.0], Counts=[1.0, 0.0])
    assert [metrics.value("m", s) for s in ("SampleCount", "Sum", "Minimum", "Maximum")] == [1, 1, 1, 50]


def test_a_timestamp_left_out_is_now(metrics):
    metrics.client.put_metric_data(Namespace=metrics.namespace, MetricData=[{"MetricName": "m", "Value": 1}])
    answer = metrics.get(metrics.stat("a", "m", period=3600), minutes=60)
    assert answer["MetricDataResults"][0]["Values"] == [1]


def test_the_window_of_timestamps(metrics, t0):
    now = t0 + 30 * MINUTE
    metrics.datum("m", at=now + timedelta(hours=2) - MINUTE, Value=1)
    metrics.datum("m", at=now - timedelta(days=14) + 10 * MINUTE, Value=1)
    path = "The parameter MetricData.member.1.Timestamp must specify a time "
    refused(lambda: metrics.datum("m", at=now + timedelta(hours=2, minutes=5), Value=1), "InvalidParameterValue",
            path + "no more than two hours in the future.")
    refused(lambda: metrics.datum("m", at=now - timedelta(days=15), Value=1), "InvalidParameterValue",
            path + "within the past two weeks.")


MEMBER = "MetricData.member.1."
REFUSED = {
    "value and values": (
        {"Value": 1.0, "Values": [1.0]}, "InvalidParameterCombination",
        f"The parameters {MEMBER}Value and {MEMBER}Values are mutually exclusive and you have specified both."),
    "value and statistics": (
        {"Value": 1.0, "StatisticValues": {"SampleCount": 1.0, "Sum": 1.0, "Minimum": 1.0, "Maximum": 1.0}},
        "InvalidParameterCombination",
        f"The parameters {MEMBER}Value and {MEMBER}StatisticValues are mutually exclusive and you have specified both."),
    "more values than counts": (
        {"Values": [1.0, 10.0], "Counts": [2.0, 4.0, 1.0]}, "InvalidParameterValue",
        f"The parameters {MEMBER}Values and {MEMBER}Counts must be of the same size."),
    "not a number": ({"Value": Decimal("NaN")}, "InvalidParameterValue", f"The value NaN for parameter {MEMBER}Value is invalid."),
    "infinity": ({"Value": Decimal("Infinity")}, "InvalidParameterValue", f"The value Infinity for parameter {MEMBER}Value is invalid."),
    "minus infinity": ({"Value": Decimal("-Infinity")}, "InvalidParameterValue", f"The value -Infinity for parameter {MEMBER}Value is invalid."),
    "beyond 2^360": ({"Value": 1e110}, "InvalidParameterValue", None),
    "unit": ({"Value": 1.0, "Unit": "Parsecs"}, "InvalidParameterValue", f"The parameter {MEMBER}Unit must be a value in the set [ "
             "Seconds, Microseconds, Milliseconds, Bytes, Kilobytes, Megabytes, Gigabytes, Terabytes, Bits, Kilobits, Megabits, "
             "Gigabits, Terabits, Percent, Count, Bytes/Second, Kilobytes/Second, Megabytes/Second, Gigabytes/Second, "
             "Terabytes/Second, Bits/Second, Kilobits/Second, Megabits/Second, Gigabits/Second, Terabits/Second, Count/Second, "
             "None ]."),
    "resolution": ({"Value": 1.0, "StorageResolution": 123}, "InvalidParameterValue",
                   f"The parameter {MEMBER}StorageResolution must be a value in the set [ 1, 60 ]."),
    "maximum below minimum": (
        {"StatisticValues": {"SampleCount": 1.0, "Sum": 1.0, "Minimum": 2.0, "Maximum": 1.0}}, "InvalidParameterValue",
        f"The parameter {MEMBER}StatisticValues.Maximum must be greater than {MEMBER}StatisticValues.Minimum."),
    "a dimension twice": ({"Value": 1.0, "Dimensions": [{"Name": "a", "Value": "1"}, {"Name": "a", "Value": "2"}]},
                          "InvalidParameterValue", "No metric may specify the same dimension name twice."),
    "31 dimensions": ({"Value": 1.0, "Dimensions": [{"Name": f"d{i}", "Value": "v"} for i in range(31)]}, "InvalidParameterValue",
                      f"The collection {MEMBER}Dimensions must not have a size greater than 30."),
    "151 values": ({"Values": [float(i) for i in range(151)]}, "InvalidParameterValue", None),
    "counts without values": ({"Counts": [1.0]}, "InvalidParameterCombination", None),
    "nothing": ({}, "InvalidParameterCombination", "At least one of the parameters must be specified."),
    "negative count": ({"Values": [1.0], "Counts": [-1.0]}, "InvalidParameterValue", None),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(metrics, unchecked, protocol, case):
    datum, code, message = REFUSED[case]
    if protocol != "query" and isinstance(datum.get("Value"), Decimal):
        datum = {"Value": float(datum["Value"])}  # awsQuery has a float as Python spells it, "nan"
    good = {"MetricName": "good", "Value": 1.0}
    bad = {"MetricName": "m", **datum}
    refused(lambda: unchecked.put_metric_data(Namespace=metrics.namespace, MetricData=[bad]), code, message)
    # The path says which datum it is, and nothing of the request is kept.
    second = message and message.replace("member.1.", "member.2.")
    refused(lambda: unchecked.put_metric_data(Namespace=metrics.namespace, MetricData=[good, bad]), code, second)
    assert metrics.client.list_metrics(Namespace=metrics.namespace)["Metrics"] == []


def test_refused_requests(unchecked, ns):
    datum = {"MetricName": "m", "Value": 1.0}
    refused(lambda: unchecked.put_metric_data(Namespace="AWS/EC2", MetricData=[datum]), "InvalidParameterValue",
            "The value AWS/ for parameter Namespace is invalid.")
    refused(lambda: unchecked.put_metric_data(Namespace=ns, MetricData=[]), "MissingParameter",
            "At least one MetricDatum object must be present in the request.")
    refused(lambda: unchecked.put_metric_data(Namespace=":a", MetricData=[datum]), "InvalidParameterValue")
    refused(lambda: unchecked.put_metric_data(Namespace=ns, MetricData=[datum] * 1001), "InvalidParameterValue")
    unchecked.put_metric_data(Namespace=ns, MetricData=[datum] * 1000)
