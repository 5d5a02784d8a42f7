# Copyright The Nephoscope Authors
# SPDX-License-Identifier: Apache-2.0

"""OpenTelemetry's SDK over OTLP/HTTP, read back through the AWS APIs."""

import json
import time
from datetime import datetime, timedelta, timezone

import pytest

from conftest import eventually, query, run_app, statistics, trace_documents


@pytest.mark.parametrize("temporality", ["cumulative", "delta"])
def test_all_three_signals(logs, cloudwatch, xray, unique, temporality):
    group = f"/otel/{unique}"
    trace_id = run_app(
        "otel_app.py", SERVICE=unique, LOG_GROUP=group, OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE=temporality,
    ).strip().splitlines()[-1]

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
    assert (got["SampleCount"], got["Sum"]) == (10, 550)
    if temporality == "delta":  # a cumulative histogram says the extremes since its start, not those of an interval
        assert (got["Minimum"], got["Maximum"]) == (10, 100)
    assert statistics(cloudwatch, namespace, "orders", {"kind": "web"}, start, end)["Sum"] == 10

    events = logs.filter_log_events(logGroupName=group)["events"]
    # More than a body: the whole record is kept, as JSON.
    assert sorted(json.loads(e["message"])["body"] for e in events) == ["cart is empty", "cart shown"]
    assert {e["logStreamName"] for e in events} == {"otel"}
    rows = query(logs, f'filter level = "ERROR" and trace_id = "{trace_id}" | stats count(*) as n by service, body',
                 [group], now - 600, now + 60)
    assert rows == [{"n": "1", "service": unique, "body": "cart is empty"}]
