# Copyright The Nephoscope Authors
# SPDX-License-Identifier: Apache-2.0

"""What all tests of Python clients share.

Clients find the collector as in production, by their own environment variables: AWS_ENDPOINT_URL,
AWS_XRAY_DAEMON_ADDRESS, AWS_EMF_AGENT_ENDPOINT, OTEL_EXPORTER_OTLP_ENDPOINT. The Go test sets them.
"""

import json
import os
import subprocess
import sys
import time
import uuid

import boto3
import pytest

APPS = os.path.join(os.path.dirname(__file__), "apps")


@pytest.fixture
def unique():
    """A name that no other test uses."""
    return "t" + uuid.uuid4().hex[:12]


@pytest.fixture
def cloudwatch():
    return boto3.client("cloudwatch")


@pytest.fixture
def logs():
    return boto3.client("logs")


@pytest.fixture
def xray():
    return boto3.client("xray")


def eventually(read, seconds=20):
    """Reads until what is read is true: UDP and EMF have no acknowledgement to wait for."""
    end = time.monotonic() + seconds
    while True:
        got = read()
        if got or time.monotonic() > end:
            return got
        time.sleep(0.05)


def query(logs, text, groups, start, end):
    """Runs an Insights query and gives its rows as dictionaries."""
    query_id = logs.start_query(logGroupNames=groups, queryString=text, startTime=int(start), endTime=int(end))["queryId"]
    answer = eventually(
        lambda: (r := logs.get_query_results(queryId=query_id))["status"] not in ("Scheduled", "Running") and r
    )
    assert answer["status"] == "Complete"
    return [{cell["field"]: cell["value"] for cell in row} for row in answer["results"]]


def trace_documents(xray, trace_id, ready=lambda documents: bool(documents)):
    """The decoded segment documents of a trace, once they satisfy ready."""
    def read():
        traces = xray.batch_get_traces(TraceIds=[trace_id])["Traces"]
        documents = [json.loads(s["Document"]) for t in traces for s in t["Segments"]]
        return documents if ready(documents) else None

    documents = eventually(read)
    assert documents, f"trace {trace_id} is not complete: {xray.batch_get_traces(TraceIds=[trace_id])}"
    return documents


def statistics(cloudwatch, namespace, name, dimensions, start, end, period=60, **filters):
    """One dictionary of SampleCount, Sum, Minimum and Maximum over the time."""
    points = cloudwatch.get_metric_statistics(
        Namespace=namespace, MetricName=name, Dimensions=[{"Name": k, "Value": v} for k, v in dimensions.items()],
        StartTime=start, EndTime=end, Period=period, Statistics=["SampleCount", "Sum", "Minimum", "Maximum"], **filters,
    )["Datapoints"]
    if not points:
        return None
    return {
        "SampleCount": sum(p["SampleCount"] for p in points),
        "Sum": sum(p["Sum"] for p in points),
        "Minimum": min(p["Minimum"] for p in points),
        "Maximum": max(p["Maximum"] for p in points),
    }


def run_app(name, **env):
    """Runs one of the programs in apps/, as a user would, and gives what it printed."""
    done = subprocess.run(
        [sys.executable, os.path.join(APPS, name)], env={**os.environ, **env}, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
