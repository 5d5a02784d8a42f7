# Copyright The Nephoscope Authors
# SPDX-License-Identifier: Apache-2.0

"""CloudWatch Logs as the boto3 guides use it."""

import json
import time
from datetime import datetime, timedelta, timezone

import pytest
from botocore.exceptions import ClientError

from conftest import eventually, query, statistics


@pytest.fixture
def group(logs, unique):
    name = f"/test/{unique}"
    logs.create_log_group(logGroupName=name)
    logs.create_log_stream(logGroupName=name, logStreamName="web/1")
    return name


def put(logs, group, messages, stream="web/1", start=None):
    start = start if start is not None else int(time.time() * 1000) - 60_000
    return logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=[
        {"timestamp": start + i, "message": m} for i, m in enumerate(messages)])


def test_group_and_stream(logs, group):
    found = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    assert [g["logGroupName"] for g in found] == [group]
    assert found[0]["arn"].endswith(f":log-group:{group}:*")
    assert found[0]["logGroupClass"] == "STANDARD"
    assert "retentionInDays" not in found[0]
    logs.put_retention_policy(logGroupName=group, retentionInDays=7)
    assert logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]["retentionInDays"] == 7
    with pytest.raises(logs.exceptions.InvalidParameterException):
        logs.put_retention_policy(logGroupName=group, retentionInDays=2)

    with pytest.raises(logs.exceptions.ResourceAlreadyExistsException):
        logs.create_log_group(logGroupName=group)
    with pytest.raises(logs.exceptions.ResourceAlreadyExistsException):
        logs.create_log_stream(logGroupName=group, logStreamName="web/1")
    logs.create_log_stream(logGroupName=group, logStreamName="web/2")
    streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix="web/")["logStreams"]
    assert [s["logStreamName"] for s in streams] == ["web/1", "web/2"]


def test_put_and_get(logs, group):
    start = int(time.time() * 1000) - 60_000
    messages = [f"event {i}" for i in range(20)]
    answer = put(logs, group, messages, start=start)
    assert answer["nextSequenceToken"], "old clients resend without it"
    assert "rejectedLogEventsInfo" not in answer

    first = logs.get_log_events(logGroupName=group, logStreamName="web/1", startFromHead=True, limit=10)
    assert [e["message"] for e in first["events"]] == messages[:10]
    assert [e["timestamp"] for e in first["events"]] == [start + i for i in range(10)]
    second = logs.get_log_events(
        logGroupName=group, logStreamName="web/1", startFromHead=True, limit=10, nextToken=first["nextForwardToken"])
    assert [e["message"] for e in second["events"]] == messages[10:]
    end = logs.get_log_events(
        logGroupName=group, logStreamName="web/1", startFromHead=True, limit=10, nextToken=second["nextForwardToken"])
    assert end["events"] == [] and end["nextForwardToken"] == second["nextForwardToken"]

    newest = logs.get_log_events(logGroupName=group, logStreamName="web/1", limit=5)
    assert [e["message"] for e in newest["events"]] == messages[15:]

    stream = logs.describe_log_streams(logGroupName=group)["logStreams"][0]
    assert stream["firstEventTimestamp"] == start and stream["lastEventTimestamp"] == start + 19


def test_messages_are_exact(logs, group):
    messages = ["plain", "ünïcode 在庫 \U0001f327", "line one\nline two\ttab", '{"b": 1.0, "a": [1, 2,  3]}', " spaces ", "quote \" back \\ slash"]
    put(logs, group, messages)
    got = logs.get_log_events(logGroupName=group, logStreamName="web/1", startFromHead=True)["events"]
    assert [e["message"] for e in got] == messages


def test_filter_by_terms(logs, group):
    logs.create_log_stream(logGroupName=group, logStreamName="web/2")
    put(logs, group, ["ERROR disk full", "INFO started", "ERROR disk slow"])
    put(logs, group, ["ERROR network"], stream="web/2")
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=group, filterPattern="ERROR disk", PaginationConfig={"PageSize": 1})
    assert [e["message"] for p in pages for e in p["events"]] == ["ERROR disk full", "ERROR disk slow"]

    def found(pattern, **kwargs):
        return sorted(e["message"] for e in logs.filter_log_events(logGroupName=group, filterPattern=pattern, **kwargs)["events"])

    assert found("?disk ?started") == ["ERROR disk full", "ERROR disk slow", "INFO started"]
    assert found("ERROR -disk") == ["ERROR network"]
    assert found('"disk full"') == ["ERROR disk full"]
    assert found("", logStreamNames=["web/2"]) == ["ERROR network"]
    events = logs.filter_log_events(logGroupName=group)["events"]
    assert len({e["eventId"] for e in events}) == 4
    assert {e["logStreamName"] for e in events} == {"web/1", "web/2"}


def test_structured_logs_by_insights(logs, group):
    now = time.time()
    put(logs, group, [
        json.dumps({"level": "INFO" if i % 3 else "ERROR", "service": "booking", "correlation_id": f"c-{i % 4}",
                    "duration_ms": i * 10, "http": {"status": 500 if i % 3 == 0 else 200}})
        for i in range(12)
    ])
    rows = query(logs, 'filter correlation_id = "c-2" | fields level, duration_ms, http.status | sort @timestamp asc',
                 [group], now - 3600, now + 60)
    assert all(row.pop("@ptr") for row in rows)
    assert rows == [
        {"level": "INFO", "duration_ms": "20", "http.status": "200"},
        {"level": "ERROR", "duration_ms": "60", "http.status": "500"},
        {"level": "INFO", "duration_ms": "100", "http.status": "200"},
    ]


def test_insights_statistics(logs, group):
    now = time.time()
    put(logs, group, [json.dumps({"level": "ERROR" if i < 4 else "INFO", "ms": i}) for i in range(10)])
    assert query(logs, "stats count(*) as n, sum(ms) as total, avg(ms) as mean, min(ms) as low, max(ms) as high by level | sort n desc",
                 [group], now - 3600, now + 60) == [
        {"level": "INFO", "n": "6", "total": "39", "mean": "6.5", "low": "4", "high": "9"},
        {"level": "ERROR", "n": "4", "total": "6", "mean": "1.5", "low": "0", "high": "3"},
    ]
    assert query(logs, "filter ms > 2 and (level like /ERR/ or ms >= 8) | stats count(*) as n", [group], now - 3600, now + 60) == [{"n": "3"}]
    rows = query(logs, "stats count(*) as n by bin(1h)", [group], now - 3600, now + 60)
    assert sum(int(r["n"]) for r in rows) == 10
    assert all(r["bin(1h)"].endswith(":00:00.000") for r in rows)


def test_insights_parse(logs, group):
    now = time.time()
    put(logs, group, ["user=ada action=login", "user=bob action=logout", "nothing"])
    rows = query(logs, 'parse @message "user=* action=*" as user, action | filter action = "login" | display user',
                 [group], now - 3600, now + 60)
    assert [{k: v for k, v in r.items() if k != "@ptr"} for r in rows] == [{"user": "ada"}]


def test_insights_errors(logs, group):
    with pytest.raises(logs.exceptions.MalformedQueryException):
        query(logs, "count things", [group], time.time() - 60, time.time())
    with pytest.raises(logs.exceptions.ResourceNotFoundException):
        query(logs, "fields @message", [group + "-not"], time.time() - 60, time.time())
    with pytest.raises(logs.exceptions.ResourceNotFoundException):
        logs.get_query_results(queryId="00000000-0000-0000-0000-000000000000")


def test_errors(logs, group):
    with pytest.raises(logs.exceptions.ResourceNotFoundException) as caught:
        put(logs, group + "-not", ["x"])
    assert caught.value.response["Error"]["Message"] == "The specified log group does not exist."
    with pytest.raises(logs.exceptions.ResourceNotFoundException) as caught:
        put(logs, group, ["x"], stream="not")
    assert caught.value.response["Error"]["Message"] == "The specified log stream does not exist."

    now = int(time.time() * 1000)
    with pytest.raises(logs.exceptions.InvalidParameterException) as caught:
        logs.put_log_events(logGroupName=group, logStreamName="web/1", logEvents=[
            {"timestamp": now, "message": "b"}, {"timestamp": now - 1, "message": "a"}])
    assert caught.value.response["Error"]["Message"] == (
        "Log events in a single PutLogEvents request must be in chronological order.")
    assert logs.get_log_events(logGroupName=group, logStreamName="web/1")["events"] == []
    with pytest.raises(ClientError) as caught:
        logs.describe_export_tasks()
    assert "DescribeExportTasks" in caught.value.response["Error"]["Message"]


def test_good_events_of_a_batch_are_kept(logs, group):
    now = int(time.time() * 1000)
    hour = 3_600_000
    answer = logs.put_log_events(logGroupName=group, logStreamName="web/1", logEvents=[
        {"timestamp": now - 15 * 24 * hour, "message": "too old"},
        {"timestamp": now - hour, "message": "kept"},
        {"timestamp": now, "message": "kept too"},
        {"timestamp": now + 3 * hour, "message": "too new"},
    ])
    assert answer["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 1, "tooNewLogEventStartIndex": 3}
    got = logs.get_log_events(logGroupName=group, logStreamName="web/1", startFromHead=True)["events"]
    assert [e["message"] for e in got] == ["kept", "kept too"]


def test_emf_in_log_events_becomes_a_metric(logs, cloudwatch, group, unique):
    now = int(time.time() * 1000)
    document = {
        "_aws": {"Timestamp": now, "CloudWatchMetrics": [{
            "Namespace": unique, "Dimensions": [["service"]],
            "Metrics": [{"Name": "orders", "Unit": "Count"}, {"Name": "missing", "Unit": "Count"}]}]},
        "service": "booking", "orders": [1.0, 2.0],
    }
    put(logs, group, [json.dumps(document)])
    minute = datetime.fromtimestamp(now / 1000, timezone.utc).replace(second=0, microsecond=0)
    got = eventually(lambda: statistics(
        cloudwatch, unique, "orders", {"service": "booking"}, minute, minute + timedelta(minutes=1)))
    assert got == {"SampleCount": 2, "Sum": 3, "Minimum": 1, "Maximum": 2}
    assert [m["MetricName"] for m in cloudwatch.list_metrics(Namespace=unique)["Metrics"]] == ["orders"]


def test_what_aws_logs_tail_asks(logs, group):
    """The aws CLI's version 2 is not on PyPI; these are the calls of its "logs tail --follow"."""
    seen, shown = set(), []
    start = int(time.time() * 1000) - 600_000

    def poll():
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group, startTime=start, interleaved=True, logStreamNamePrefix="web/")
        for page in pages:
            for event in page["events"]:
                if event["eventId"] not in seen:
                    seen.add(event["eventId"])
                    shown.append((event["timestamp"], event["logStreamName"], event["message"]))

    logs.create_log_stream(logGroupName=group, logStreamName="web/2")
    now = int(time.time() * 1000)
    put(logs, group, ["a", "c"], start=now - 1000)
    poll()
    start = max(t for t, _, _ in shown)  # the next poll begins at the last event, which it sees again
    put(logs, group, ["d"], stream="web/2", start=now)
    poll()
    assert shown == [(now - 1000, "web/1", "a"), (now - 999, "web/1", "c"), (now, "web/2", "d")]


def test_many_events_are_all_there(logs, group):
    start = int(time.time() * 1000) - 3_600_000
    sent = []
    for batch in range(5):
        messages = [f"batch {batch} event {i} " + "x" * 80 for i in range(2000)]
        put(logs, group, messages, start=start + batch * 10_000)
        sent += messages
    got = [e["message"] for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group) for e in page["events"]]
    assert got == sent
