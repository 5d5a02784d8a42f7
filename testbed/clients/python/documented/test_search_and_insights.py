# Copyright The Nephoscope Authors
# SPDX-License-Identifier: Apache-2.0

"""SEARCH expressions and Metrics Insights queries."""

import pytest

from conftest import refused

N = None


@pytest.fixture
def fleet(metrics):
    for host, value in (("i-1", 1), ("i-2", 2), ("i-3", 4)):
        metrics.put("CPUUtilization", [value, value], {"InstanceId": host})
    metrics.put("CPUUtilization", [8, 8], {"InstanceId": "i-1", "AutoScalingGroupName": "web"})
    metrics.put("NetworkIn", [16, 16], {"InstanceId": "i-1"})
    metrics.put("CustomCount1", [32, 32], {"Application": "Project2-trial333"})
    return metrics


# The search without its namespace, and the first values of what it finds.
SEARCHES = [
    ("{NS,InstanceId} MetricName=\"CPUUtilization\"", [1, 2, 4]),
    ("{NS,InstanceId} CPUUtilization", [1, 2, 4]),
    ("{NS,InstanceId} cpu", [1, 2, 4]),
    ("{NS,InstanceId} utilization", [1, 2, 4]),
    ("{NS,InstanceId}", [1, 2, 4, 16]),
    ("{NS,InstanceId,AutoScalingGroupName}", [8]),
    ("{NS,AutoScalingGroupName,InstanceId} web", [8]),
    ("{NS,InstanceId} NOT NetworkIn", [1, 2, 4]),
    ("{NS,InstanceId} MetricName=\"CPUUtilization\" AND InstanceId=\"i-2\"", [2]),
    ("{NS,InstanceId} InstanceId=(\"i-1\" OR \"i-3\") MetricName=\"CPUUtilization\"", [1, 4]),
    ("{NS,InstanceId} (NetworkIn OR \"i-2\")", [2, 16]),
    ("Namespace=\"NS\" CustomCount", [32]),
    ("Namespace=\"NS\" trial", [32]),
    ("Namespace=\"NS\" 333", [32]),
    ("Namespace=\"NS\" couNT", []),
    ("Namespace=\"NS\" MetricName=\"customcount1\"", []),
    ("{NS,InstanceId} MetricName=\"CPU\"", []),
]


@pytest.mark.parametrize("search,want", SEARCHES)
def test_search(fleet, search, want):
    quoted = search.replace("{NS", "{\"" + fleet.namespace + "\"").replace("\"NS\"", "\"" + fleet.namespace + "\"")
    rows = fleet.rows({"Id": "s", "Expression": f"SEARCH('{quoted}', 'Sum', 60)"})
    assert sorted(values[0] for _, values in rows) == want


def test_search_in_math(fleet):
    search = f"SEARCH('{{\"{fleet.namespace}\",InstanceId}} MetricName=\"CPUUtilization\"', 'Average', 60)"
    rows = fleet.rows({"Id": "s", "Expression": search, "ReturnData": False}, {"Id": "e", "Expression": "SUM(s)"},
                      {"Id": "top", "Expression": "SORT(s, MAX, DESC, 1)", "Label": "${PROP('Dim.InstanceId')}"})
    assert rows == [("e", [7, 7, N, N, N]), ("i-3", [4, 4, N, N, N])]


def test_insights_recorded(metrics):
    """A set of statistics with two dimensions, summed by one of them."""
    metrics.datum("ApiResponse", StatisticValues={"SampleCount": 10, "Sum": 10, "Minimum": 0, "Maximum": 10}, Dimensions=[
        {"Name": "Path", "Value": "/my/path"}, {"Name": "Audience", "Value": "public"}])
    for group, want in (("", "q"), (" GROUP BY Audience", "public")):
        query = f"SELECT SUM(ApiResponse) FROM \"{metrics.namespace}\" WHERE Path = '/my/path'{group}"
        results = metrics.get({"Id": "q", "Expression": query, "Period": 60})["MetricDataResults"]
        assert [(r["Id"], r["Label"], r["Values"]) for r in results] == [("q", want, [10.0])]


# The query without its namespace, and (label, first value).
QUERIES = [
    ("SELECT SUM(CPUUtilization) FROM SCHEMA(NS, InstanceId)", [("q", 7)]),
    ("SELECT SUM(CPUUtilization) FROM NS", [("q", 15)]),
    ("SELECT AVG(CPUUtilization) FROM SCHEMA(NS, InstanceId)", [("q", 7 / 3)]),
    ("SELECT COUNT(CPUUtilization) FROM SCHEMA(NS, InstanceId)", [("q", 3)]),
    ("select max(CPUUtilization) from SCHEMA(NS, InstanceId) group by InstanceId", [("i-1", 1), ("i-2", 2), ("i-3", 4)]),
    ("SELECT MAX(CPUUtilization) FROM SCHEMA(NS, InstanceId) GROUP BY InstanceId ORDER BY MAX() DESC LIMIT 2", [("i-3", 4), ("i-2", 2)]),
    ("SELECT MIN(CPUUtilization) FROM NS WHERE InstanceId = 'i-1'", [("q", 1)]),
    ("SELECT SUM(CPUUtilization) FROM NS WHERE InstanceId != 'i-1' AND InstanceId != 'i-2'", [("q", 4)]),
    ("SELECT SUM(CPUUtilization) FROM NS GROUP BY AutoScalingGroupName", [("Other", 7), ("web", 8)]),
]


@pytest.mark.parametrize("query,want", QUERIES)
def test_insights(fleet, query, want):
    query = query.replace("NS", f'"{fleet.namespace}"')
    rows = fleet.rows({"Id": "q", "Expression": query, "Period": 60})
    assert [(label, values[0]) for label, values in rows] == [(label, pytest.approx(v)) for label, v in want]


def test_insights_in_math(fleet):
    rows = fleet.rows(
        {"Id": "q1", "Expression": f'SELECT SUM(CPUUtilization) FROM SCHEMA("{fleet.namespace}", InstanceId)', "Period": 60, "ReturnData": False},
        {"Id": "e", "Expression": "q1 / 7"})
    assert rows == [("e", [1, 1, N, N, N])]


INSIGHTS_ERRORS = [
    ("SELECT MEDIAN(m) FROM n", "Invalid syntax. 'MEDIAN' is not a valid aggregate function"),
    ("SELECT SUM(m) FROM n WHERE Zone = 'a'", "Invalid syntax. Reserved keyword 'Zone' must be surrounded by double quotes"),
    ('SELECT SUM(m) FROM n WHERE host = "a"',
     "Invalid syntax. Comparing identifiers is not supported. Values must be surrounded by single quotes"),
]


@pytest.mark.parametrize("query,message", INSIGHTS_ERRORS)
def test_insights_errors(metrics, query, message):
    refused(lambda: metrics.get({"Id": "q1", "Expression": query, "Period": 60}), "ValidationError",
            "Error in expression 'q1': " + message)


def test_insights_limits(metrics):
    query = {"Id": "q1", "Expression": "SELECT SUM(m) FROM n", "Period": 60}
    refused(lambda: metrics.get(query, {**query, "Id": "q2"}), "ValidationError", "Maximum number of queries (1) exceeded")
    refused(lambda: metrics.get({k: v for k, v in query.items() if k != "Period"}), "ValidationError",
            "Error in expression 'q1': Period is a required field when using query within an expression")
