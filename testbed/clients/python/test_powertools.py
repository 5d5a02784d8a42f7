# Copyright The Nephoscope Authors
# SPDX-License-Identifier: Apache-2.0

"""Powertools for Lambda: structured logs with a correlation id, and metrics, as Lambda hands them on."""

import json
import time
from datetime import datetime, timedelta, timezone

from conftest import eventually, query, run_app, statistics


def test_powertools(logs, cloudwatch, unique):
    lines = [line for line in run_app(
        "powertools_app.py", POWERTOOLS_SERVICE_NAME="booking", POWERTOOLS_METRICS_NAMESPACE=unique, CORRELATION=unique,
    ).splitlines() if line]

    # Lambda writes what a function prints to its log group.
    now = time.time()
    group, stream = f"/aws/lambda/{unique}", "2026/11/21/[$LATEST]52fdfc072182454f963f5f0f9a621d72"
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName=stream)
    logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=[
        {"timestamp": int(now * 1000), "message": line + "\n"} for line in lines])

    rows = query(logs, f'filter correlation_id = "{unique}-1" | fields level, message, booking_id, service | sort level asc',
                 [group], now - 600, now + 60)
    assert [{k: v for k, v in r.items() if k != "@ptr"} for r in rows] == [
        {"level": "ERROR", "message": "payment failed", "booking_id": "b-1", "service": "booking"},
        {"level": "INFO", "message": "collecting payment", "booking_id": "b-1", "service": "booking"},
    ]
    rows = query(logs, 'filter exception_name = "ValueError" | stats count(*) as n by exception', [group], now - 600, now + 60)
    assert len(rows) == 1 and rows[0]["n"] == "3" and "card declined" in rows[0]["exception"]

    start = datetime.fromtimestamp(now, timezone.utc).replace(second=0, microsecond=0) - timedelta(minutes=2)
    end = start + timedelta(minutes=5)
    dimensions = {"environment": "test", "service": "booking"}
    assert eventually(lambda: statistics(cloudwatch, unique, "SuccessfulBooking", dimensions, start, end)) == {
        "SampleCount": 3, "Sum": 3, "Minimum": 1, "Maximum": 1}
    assert statistics(cloudwatch, unique, "PaymentLatency", dimensions, start, end, period=1)["Sum"] == 37.5, "high resolution"
    assert statistics(cloudwatch, unique, "ColdStart", {"function_name": "booking", "service": "booking"}, start, end)["Sum"] == 1
    emf = [json.loads(line) for line in lines if '"_aws"' in line]
    assert len(emf) == 4, "three invocations and a cold start"
