# Copyright The Nephoscope Authors
# SPDX-License-Identifier: Apache-2.0

"""The requests that Grafana's CloudWatch data source makes: ids such as queryA, searches, labels, lists page by page."""

import pytest

from conftest import Metrics


@pytest.fixture
def ec2(cloudwatch, ns, t0):
    m = Metrics(cloudwatch, ns, t0)
    for i in (1, 2, 3):
        m.put("CPUUtilization", [10 * i, 10 * i + 1], {"InstanceId": f"i-{i}"}, Unit="Percent")
    return m


def test_builder(ec2):
    query = ec2.stat("queryA", "CPUUtilization", "Average", dimensions={"InstanceId": "i-1"}, ReturnData=True,
                     Label="${PROP('Dim.InstanceId')} ${PROP('MetricName')}")
    answer = ec2.get(query, ScanBy="TimestampAscending")
    result = answer["MetricDataResults"][0]
    assert (result["Id"], result["Label"], result["Values"], result["StatusCode"]) == (
        "queryA", "i-1 CPUUtilization", [10, 11], "Complete")


@pytest.mark.parametrize("search,want", [
    ("REMOVE_EMPTY(SEARCH('{\"NS\",\"InstanceId\"} MetricName=\"CPUUtilization\"', 'Average', 60))", ["i-1", "i-2", "i-3"]),
    ("REMOVE_EMPTY(SEARCH('{\"NS\",\"InstanceId\"} MetricName=\"CPUUtilization\" \"InstanceId\"=(\"i-1\" OR \"i-3\")', 'Average', 60))",
     ["i-1", "i-3"]),
    ("REMOVE_EMPTY(SEARCH('Namespace=\"NS\" MetricName=\"CPUUtilization\" \"InstanceId\"=\"i-2\"', 'Average', 60))", ["i-2"]),
])
def test_search(ec2, search, want):
    query = {"Id": "queryA", "Expression": search.replace("NS", ec2.namespace), "ReturnData": True,
             "Label": "${LABEL}|&|${PROP('Dim.InstanceId')}"}
    results = ec2.get(query)["MetricDataResults"]
    assert {r["Id"] for r in results} == {"queryA"}
    assert sorted(r["Label"].split("|&|")[1] for r in results) == want
    assert sorted(r["Values"][0] for r in results) == [10 * int(host[2:]) for host in want]


def test_mixed_panel(ec2):
    answer = ec2.get(
        ec2.stat("queryA", "CPUUtilization", "Average", dimensions={"InstanceId": "i-2"}, ReturnData=False),
        {"Id": "queryB", "Expression": "queryA / 10", "Period": 60, "ReturnData": True, "Label": "tenth ${MAX}"},
        {"Id": "queryC", "Expression": f"SELECT MAX(CPUUtilization) FROM SCHEMA(\"{ec2.namespace}\", InstanceId) GROUP BY InstanceId "
                                       "ORDER BY MAX() DESC LIMIT 1", "Period": 60, "ReturnData": True})
    assert [(r["Id"], r["Label"], r["Values"]) for r in answer["MetricDataResults"]] == [
        ("queryB", "tenth 2.1", [2, 2.1]), ("queryC", "i-3", [30, 31])]


def test_lists(cloudwatch, ns):
    for first in range(0, 1200, 400):
        cloudwatch.put_metric_data(Namespace=ns, MetricData=[
            {"MetricName": "CPUUtilization", "Value": 1,
             "Dimensions": [{"Name": "InstanceId", "Value": f"i-{i}"}, {"Name": "Team", "Value": f"t{i % 3}"}]}
            for i in range(first, first + 400)])
    pages = list(cloudwatch.get_paginator("list_metrics").paginate(
        Namespace=ns, MetricName="CPUUtilization", Dimensions=[{"Name": "InstanceId"}, {"Name": "Team"}]))
    assert [len(p["Metrics"]) for p in pages] == [500, 500, 200]
    hosts = {d["Value"] for p in pages for m in p["Metrics"] for d in m["Dimensions"] if d["Name"] == "InstanceId"}
    assert len(hosts) == 1200
    team = cloudwatch.list_metrics(Namespace=ns, Dimensions=[{"Name": "Team", "Value": "t2"}], IncludeLinkedAccounts=True)
    assert len(team["Metrics"]) == 400
    assert team["OwningAccounts"] == ["000000000000"] * 400
