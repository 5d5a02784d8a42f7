# Copyright The Nephoscope Authors
# SPDX-License-Identifier: Apache-2.0

"""OpenTelemetry's SDK over OTLP/HTTP, read back through the AWS APIs."""

import time
from datetime import datetime, timedelta, timezone

from conftest import eventually, query, run_app, statistics, trace_documents


def test_all_three_signals(logs, cloudwatch, xray, unique):
    group = f"/otel/{unique}"
    trace_id = run_app("otel_app.py", SERVICE=unique, LOG_GROUP=group).strip().splitlines()[-1]

    documents = trace_documents(xray, f"1-{trace_id[:8]}-{trace_id[8:]}")
    server = next(d for d in documents if d["name"] == unique)
    assert server["http"]["response"]["status"] == 200
    names = {s["name"] for d in documents for s in [d, *d.get("subsegments", [])]}
    assert len(names) == 2, names

    now = time.time()
    start = datetime.fromtimestamp(now, timezone.utc) - timedelta(minutes=3)
    end = start + timedelta(minutes=5)
    namespace = f"shop/{unique}"
    got = eventually(lambda: statistics(cloudwatch, namespace, "latency", {"kind": "web"}, start, end))
    assert (got["SampleCount"], got["Sum"], got["Minimum"], got["Maximum"]) == (10, 550, 10, 100)
    assert statistics(cloudwatch, namespace, "orders", {"kind": "web"}, start, end)["Sum"] == 10

    events = logs.filter_log_events(logGroupName=group)["events"]
    assert sorted(e["message"] for e in events) == ["cart is empty", "cart shown"]
    assert {e["logStreamName"] for e in events} == {"otel"}
    rows = query(logs, "filter @message like /empty/ | stats count(*) as n", [group], now - 600, now + 60)
    assert rows == [{"n": "1"}]
