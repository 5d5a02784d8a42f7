# Copyright The Nephoscope Authors
# SPDX-License-Identifier: Apache-2.0

"""aws-embedded-metrics: documents over the agent's port become log events and metrics."""

import json
import os
import time
from datetime import datetime, timedelta, timezone

import pytest

from conftest import eventually, run_app, statistics


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_embedded_metrics(logs, cloudwatch, unique, protocol):
    endpoint = os.environ["AWS_EMF_AGENT_ENDPOINT"].split("//")[1]
    group = f"/emf/{unique}"
    run_app(
        "emf_app.py", AWS_EMF_AGENT_ENDPOINT=f"{protocol}://{endpoint}", AWS_EMF_ENVIRONMENT="default",
        AWS_EMF_SERVICE_NAME="resizer", AWS_EMF_SERVICE_TYPE="Worker", AWS_EMF_NAMESPACE=unique,
        AWS_EMF_LOG_GROUP_NAME=group, AWS_EMF_LOG_STREAM_NAME="host-1",
    )
    now = datetime.fromtimestamp(time.time(), timezone.utc)
    start, end = now - timedelta(minutes=2), now + timedelta(minutes=2)
    dimensions = {"LogGroup": group, "ServiceName": "resizer", "ServiceType": "Worker", "Operation": "Resize"}
    want = {"SampleCount": 10, "Sum": 450, "Minimum": 10, "Maximum": 100}
    assert eventually(lambda: (s := statistics(cloudwatch, unique, "ProcessingTime", dimensions, start, end)) == want and s), (
        cloudwatch.list_metrics(Namespace=unique)["Metrics"])
    assert statistics(cloudwatch, unique, "Requests", dimensions, now - timedelta(seconds=60), end, period=1)["Sum"] == 5
    assert {m["MetricName"] for m in cloudwatch.list_metrics(Namespace=unique)["Metrics"]} == {"ProcessingTime", "Requests"}

    events = logs.filter_log_events(logGroupName=group, logStreamNames=["host-1"])["events"]
    assert sorted(json.loads(e["message"])["RequestId"] for e in events) == [f"request-{i}" for i in range(5)]
