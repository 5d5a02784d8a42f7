# Copyright The Nephoscope Authors
# SPDX-License-Identifier: Apache-2.0

"""The aws CLI with nothing but AWS_ENDPOINT_URL and test credentials."""

import json
import os
import subprocess
import sys
import time
from datetime import datetime, timedelta, timezone

import pytest

from conftest import eventually

AWS = os.path.join(os.path.dirname(sys.executable), "aws")


def aws(*args, fails=False):
    done = subprocess.run([AWS, *args], capture_output=True, text=True, timeout=120)
    assert (done.returncode != 0) == fails, done.stdout + done.stderr
    if fails:
        return done.stderr
    return json.loads(done.stdout) if done.stdout.startswith("{") else done.stdout


def iso(t):
    return t.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_caller_identity():
    got = aws("sts", "get-caller-identity")
    assert len(got["Account"]) == 12 and got["Arn"].startswith("arn:aws:") and got["UserId"]


def test_cloudwatch(unique):
    minute = datetime.now(timezone.utc).replace(second=0, microsecond=0) - timedelta(minutes=3)
    for value in ("1", "2.5"):
        assert aws("cloudwatch", "put-metric-data", "--namespace", unique, "--metric-name", "Visits", "--value", value, "--unit", "Count",
                   "--timestamp", iso(minute), "--dimensions", "Page=index,Site=eu") == ""
    aws("cloudwatch", "put-metric-data", "--namespace", unique, "--metric-name", "Set", "--timestamp", iso(minute),
        "--statistic-values", "Sum=11,Minimum=2,Maximum=5,SampleCount=3")
    names = [m["MetricName"] for m in aws("cloudwatch", "list-metrics", "--namespace", unique)["Metrics"]]
    assert names == ["Set", "Visits"]
    window = ["--start-time", iso(minute), "--end-time", iso(minute + timedelta(minutes=1))]
    points = aws("cloudwatch", "get-metric-statistics", "--namespace", unique, "--metric-name", "Visits", "--period", "60",
                 "--statistics", "Sum", "SampleCount", "--dimensions", "Name=Page,Value=index", "Name=Site,Value=eu", *window)["Datapoints"]
    assert [(p["Sum"], p["SampleCount"], p["Unit"]) for p in points] == [(3.5, 2.0, "Count")]
    queries = json.dumps([{"Id": "s", "MetricStat": {
        "Metric": {"Namespace": unique, "MetricName": "Set"}, "Period": 60, "Stat": "Maximum"}}])
    results = aws("cloudwatch", "get-metric-data", "--metric-data-queries", queries, *window)["MetricDataResults"]
    assert results[0]["Values"] == [5.0] and results[0]["StatusCode"] == "Complete"


def test_logs(unique):
    group = f"/cli/{unique}"
    aws("logs", "create-log-group", "--log-group-name", group)
    aws("logs", "create-log-stream", "--log-group-name", group, "--log-stream-name", "s")
    now = int(time.time() * 1000)
    events = [{"timestamp": now - 2000 + i, "message": f"{'ERROR' if i == 3 else 'INFO'} event {i}"} for i in range(5)]
    assert "nextSequenceToken" in aws(
        "logs", "put-log-events", "--log-group-name", group, "--log-stream-name", "s", "--log-events", json.dumps(events))
    got = aws("logs", "get-log-events", "--log-group-name", group, "--log-stream-name", "s", "--start-from-head")
    assert [e["message"] for e in got["events"]] == [e["message"] for e in events]
    groups = aws("logs", "describe-log-groups", "--log-group-name-prefix", group)["logGroups"]
    assert [g["logGroupName"] for g in groups] == [group]
    got = aws("logs", "filter-log-events", "--log-group-name", group, "--filter-pattern", "ERROR")
    assert [e["message"] for e in got["events"]] == ["ERROR event 3"]
    query = aws("logs", "start-query", "--log-group-name", group, "--start-time", str(now // 1000 - 60), "--end-time", str(now // 1000 + 60),
                "--query-string", "filter @message like /INFO/ | stats count(*) as n")
    done = eventually(lambda: (r := aws("logs", "get-query-results", "--query-id", query["queryId"]))["status"] == "Complete" and r)
    assert done["results"] == [[{"field": "n", "value": "4"}]]
    assert done["statistics"]["recordsMatched"] == 4.0
    assert "ResourceNotFoundException" in aws("logs", "filter-log-events", "--log-group-name", group + "-not", fails=True)


def test_xray():
    now = time.time()
    trace_id = f"1-{int(now):08x}-{os.urandom(12).hex()}"
    document = {"name": "cli", "id": os.urandom(8).hex(), "trace_id": trace_id, "start_time": now - 0.5, "end_time": now}
    assert aws("xray", "put-trace-segments", "--trace-segment-documents", json.dumps(document))["UnprocessedTraceSegments"] == []
    traces = eventually(lambda: aws("xray", "batch-get-traces", "--trace-ids", trace_id)["Traces"])
    assert json.loads(traces[0]["Segments"][0]["Document"]) == document
    at = datetime.fromtimestamp(now, timezone.utc)
    summaries = aws("xray", "get-trace-summaries", "--start-time", iso(at - timedelta(minutes=5)), "--end-time", iso(at + timedelta(minutes=1)))
    assert trace_id in [s["Id"] for s in summaries["TraceSummaries"]]


@pytest.mark.parametrize("command", ["describe-insight-rules", "get-otel-enrichment"])
def test_operations_that_are_not_here_say_so(command):
    operation = "".join(part.title() for part in command.split("-")).replace("Otel", "OTel")
    assert operation in aws("cloudwatch", command, fails=True)
