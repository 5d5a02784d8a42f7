# Copyright The Nephoscope Authors
# SPDX-License-Identifier: Apache-2.0

"""GetMetricData, GetMetricStatistics and ListMetrics: windows, paging, order, units, tiers of age, errors."""

from datetime import timedelta

import pytest

from conftest import MINUTE, refused

SECOND = timedelta(seconds=1)


# The labels of buckets by start, end and period; the times are seconds behind t0, which is on a minute.
WINDOWS = {
    "12:32:34 to 12:35:00 by 60": (34, 180, 60, [0, 60, 120]),
    "01:05:13 to 01:05:23 by 10": (313, 323, 10, [310]),
    "15:02:17 to 15:07:17 by 5": (137, 437, 5, list(range(135, 435, 5))),
    "by 20": (0, 60, 20, [0, 20, 40]),
    "buckets begin at the start": (120, 120 + 600, 300, [120, 420]),
}


@pytest.mark.parametrize("window", WINDOWS)
def test_windows(metrics, window):
    start, end, period, want = WINDOWS[window]
    metrics.client.put_metric_data(Namespace=metrics.namespace, MetricData=[
        {"MetricName": "m", "Value": 1, "StorageResolution": 1, "Timestamp": metrics.start + i * SECOND} for i in range(780)])
    answer = metrics.get(
        metrics.stat("a", "m", period=period), start=metrics.start + start * SECOND, end=metrics.start + end * SECOND)
    result = answer["MetricDataResults"][0]
    assert [(t - metrics.start) // SECOND for t in result["Timestamps"]] == want
    assert result["Values"] == [period] * len(want)


def test_tiers_of_age(metrics, t0):
    now = t0 + 30 * MINUTE
    metrics.put("m", [1.0])
    metrics.datum("m", at=t0 + MINUTE, Value=1, StorageResolution=1)

    def found(age, period):
        # The end is rounded down to the period, too.
        answer = metrics.get(metrics.stat("a", "m", period=period), start=now - age, end=now + timedelta(hours=1))
        return len(answer["MetricDataResults"][0]["Values"])

    assert found(timedelta(hours=2), 1) == 1, "one-second periods have what was put with that resolution"
    assert found(timedelta(hours=4), 1) == 0, "after three hours there are minutes"
    assert found(timedelta(days=1), 60) == 2
    assert found(timedelta(days=20), 60) == 0, "after fifteen days, five minutes"
    assert found(timedelta(days=20), 300) > 0
    assert found(timedelta(days=70), 300) == 0, "after sixty-three days, hours"
    assert found(timedelta(days=70), 3600) > 0


def test_pages(metrics):
    """Ten of twenty minutes are the newest ten, and a token."""
    metrics.put("m", range(20))
    query = dict(minutes=20, ScanBy="TimestampDescending", MaxDatapoints=10)
    first = metrics.get(metrics.stat("a", "m"), **query)
    assert first["MetricDataResults"][0]["Values"] == [float(v) for v in range(19, 9, -1)]
    assert first["MetricDataResults"][0]["StatusCode"] == "PartialData"
    second = metrics.get(metrics.stat("a", "m"), NextToken=first["NextToken"], **query)
    assert second["MetricDataResults"][0]["Values"] == [float(v) for v in range(9, -1, -1)]
    assert second["MetricDataResults"][0]["StatusCode"] == "Complete"
    assert "NextToken" not in second

    pages = metrics.client.get_paginator("get_metric_data").paginate(
        MetricDataQueries=[metrics.stat("a", "m")], StartTime=metrics.start, EndTime=metrics.start + 20 * MINUTE,
        ScanBy="TimestampAscending", MaxDatapoints=7)
    values = [v for page in pages for v in page["MetricDataResults"][0]["Values"]]
    assert values == [float(v) for v in range(20)]
    refused(lambda: metrics.get(metrics.stat("a", "m"), NextToken="invalid-token", **query), "InvalidNextToken")


def test_no_pages_with_expressions(metrics):
    metrics.put("m", range(20))
    answer = metrics.get(metrics.stat("a", "m"), {"Id": "e1", "Expression": "a+1"}, minutes=20, MaxDatapoints=10)
    assert "NextToken" not in answer
    expression = answer["MetricDataResults"][1]
    assert (expression["Id"], expression["StatusCode"]) == ("e1", "PartialData")
    assert expression["Messages"] == [{
        "Code": "PartialData", "Value": "The expression may contain partial data as one or more metrics have StatusCode 'Paginated'"}]


def test_scan_by(metrics):
    metrics.put("m", [1, 2, None, 4])
    for more, want in (
        ({"ScanBy": "TimestampAscending"}, [0, 1, 3]), ({"ScanBy": "TimestampDescending"}, [3, 1, 0]), ({}, [3, 1, 0]),
    ):
        answer = metrics.client.get_metric_data(
            MetricDataQueries=[metrics.stat("a", "m")], StartTime=metrics.start, EndTime=metrics.start + 5 * MINUTE, **more)
        assert [(t - metrics.start) // MINUTE for t in answer["MetricDataResults"][0]["Timestamps"]] == want
        assert answer["Messages"] == []


def test_order_of_results(metrics):
    metrics.put("m", [1])
    answer = metrics.get(
        {"Id": "e1", "Expression": "b*2"}, metrics.stat("b", "m"), metrics.stat("h", "m", ReturnData=False),
        {"Id": "e2", "Expression": "e1+h"}, metrics.stat("nothing", "none"))
    assert [(r["Id"], r["Values"], r["StatusCode"]) for r in answer["MetricDataResults"]] == [
        ("b", [1.0], "Complete"), ("nothing", [], "Complete"), ("e1", [2.0], "Complete"), ("e2", [3.0], "Complete")]


def test_units(metrics):
    for unit, value in (("None", 1), ("Count", 2), ("Seconds", 3)):
        metrics.put("m", [value], Unit=unit)
    points = metrics.client.get_metric_statistics(
        Namespace=metrics.namespace, MetricName="m", StartTime=metrics.start, EndTime=metrics.start + MINUTE, Period=60,
        Statistics=["Sum"])["Datapoints"]
    assert sorted((p["Unit"], p["Sum"]) for p in points) == [("Count", 2), ("None", 1), ("Seconds", 3)]
    for unit, value in (("Count", 2), ("Seconds", 3), ("Bytes", None)):
        assert metrics.value("m", "Sum", unit=unit) == value

    for unit, value in (("Count", 2), ("Milliseconds", 3), ("Seconds", 4)):
        metrics.put("several", [value], Unit=unit)
    result = metrics.get(metrics.stat("a", "several"))["MetricDataResults"][0]
    assert result["Values"] == [2]
    assert result["Messages"] == [{"Code": "MultipleUnits", "Value": "Multiple units returned: '[Count, Milliseconds, Seconds]'"}]


DATA_ERRORS = {
    # The request without its times, the times in minutes, code, message.
    "start is end": ([{}], 0, 0, "The parameter StartTime must not equal parameter EndTime."),
    "start after end": ([{}], 5, 0, "The parameter EndTime must be greater than StartTime."),
    "bad id": ([{"Id": "A"}], 0, 5, "The value for parameter MetricDataQueries.member.1.Id is not matching the expected pattern "
               "^[a-z][a-zA-Z0-9_]*$."),
    "an id twice": ([{"Id": "a"}, {"Id": "a"}], 0, 5, "The values for parameter id in MetricDataQueries are not unique."),
    "neither": ([{"MetricStat": None}], 0, 5, "The parameter MetricDataQueries.member.1.MetricStat is required.\n"),
    "both": ([{"Expression": "1"}], 0, 5, "The parameters MetricDataQueries.member.1.Expression and "
             "MetricDataQueries.member.1.MetricStat are mutually exclusive and you have specified both."),
    "bad statistic": ([{"stat": "p101"}], 0, 5, "The value for parameter MetricDataQueries.member.1.MetricStat.Stat is not a valid "
                      "statistic."),
    "second query": ([{}, {"stat": "Median", "Id": "b"}], 0, 5, "The value for parameter MetricDataQueries.member.2.MetricStat.Stat "
                     "is not a valid statistic."),
}


@pytest.mark.parametrize("case", DATA_ERRORS)
def test_get_metric_data_errors(metrics, unchecked, case):
    changes, start, end, message = DATA_ERRORS[case]
    queries = []
    for change in changes:
        change = dict(change)
        query = metrics.stat("a", "m", change.pop("stat", "Sum"))
        query.update(change)
        queries.append({k: v for k, v in query.items() if v is not None})
    refused(lambda: unchecked.get_metric_data(
        MetricDataQueries=queries, StartTime=metrics.start + start * MINUTE, EndTime=metrics.start + end * MINUTE),
        "ValidationError", message)


def test_get_metric_statistics(metrics):
    metrics.datum("m", Values=[float(v) for v in range(1, 101)], Unit="Milliseconds")
    answer = metrics.client.get_metric_statistics(
        Namespace=metrics.namespace, MetricName="m", StartTime=metrics.start, EndTime=metrics.start + 5 * MINUTE, Period=60,
        ExtendedStatistics=["p50", "p99", "TC(10:20)", "PR(:50)", "IQM"])
    assert answer["Label"] == "m"
    assert len(answer["Datapoints"]) == 1
    point = answer["Datapoints"][0]
    assert (point["Timestamp"], point["Unit"]) == (metrics.start, "Milliseconds")
    assert point["ExtendedStatistics"] == {
        "p50": pytest.approx(50.743, abs=1e-3), "p99": pytest.approx(98.996, abs=1e-3), "TC(10:20)": 10, "PR(:50)": 50, "IQM": pytest.approx(50.5, rel=0.1)}
    assert "Sum" not in point

    answer = metrics.client.get_metric_statistics(
        Namespace=metrics.namespace, MetricName="nosuch", StartTime=metrics.start, EndTime=metrics.start + MINUTE, Period=60,
        Statistics=["Sum"])
    assert (answer["Label"], answer["Datapoints"]) == ("nosuch", [])


STATISTICS_ERRORS = {
    "too many points": ({"Period": 1, "days": 1}, "InvalidParameterCombination",
                        "You have requested up to 86400 datapoints, which exceeds the limit of 1440. You may reduce the datapoints "
                        "requested by increasing Period, or decreasing the time range."),
    "start is end": ({"days": 0}, "InvalidParameterValue", "The parameter StartTime must be less than the parameter EndTime."),
    "no statistic": ({"Statistics": None}, "InvalidParameterCombination", "Must specify either Statistics or ExtendedStatistics"),
    "period": ({"Period": 61}, "InvalidParameterValue",
               "The parameter Period must be a value in the set [1, 5, 10, 20, 30] or a multiple of 60."),
    "statistic": ({"Statistics": ["Median"]}, "InvalidParameterValue", None),
}


@pytest.mark.parametrize("case", STATISTICS_ERRORS)
def test_get_metric_statistics_errors(metrics, unchecked, case):
    change, code, message = STATISTICS_ERRORS[case]
    change = dict(change)
    end = metrics.start + timedelta(days=change.pop("days", 1 / 24))
    request = {"Namespace": metrics.namespace, "MetricName": "m", "StartTime": metrics.start, "EndTime": end, "Period": 60,
               "Statistics": ["Sum"], **change}
    refused(lambda: unchecked.get_metric_statistics(**{k: v for k, v in request.items() if v is not None}), code, message)


def test_list_metrics(metrics):
    client, ns = metrics.client, metrics.namespace
    metrics.put("m", [1], {"a": "1", "b": "2"})
    metrics.put("m", [1], {"b": "2"})
    metrics.put("n", [1])
    metrics.put("old", [1], start=metrics.start - timedelta(days=2))

    def listed(**filters):
        got = client.list_metrics(Namespace=ns, **filters)["Metrics"]
        return sorted((m["MetricName"], sorted(d["Name"] + d["Value"] for d in m["Dimensions"])) for m in got)

    assert listed() == [("m", ["a1", "b2"]), ("m", ["b2"]), ("n", []), ("old", [])]
    assert listed(MetricName="m", Dimensions=[{"Name": "b"}]) == [("m", ["a1", "b2"]), ("m", ["b2"])]
    assert listed(Dimensions=[{"Name": "a", "Value": "1"}]) == [("m", ["a1", "b2"])]
    assert listed(Dimensions=[{"Name": "a", "Value": "2"}]) == []
    assert listed(RecentlyActive="PT3H") == [("m", ["a1", "b2"]), ("m", ["b2"]), ("n", [])]
    refused(lambda: client.list_metrics(Namespace=ns, NextToken="x"), "InvalidParameterValue",
            "Request parameter NextToken is invalid")
