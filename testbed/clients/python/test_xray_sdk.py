# Copyright The Nephoscope Authors
# SPDX-License-Identifier: Apache-2.0

"""The X-Ray SDK for Python, through the daemon's port, and the X-Ray API."""

import json
import os
import socket
import time
from datetime import datetime, timedelta, timezone

import pytest
from aws_xray_sdk.core.daemon_config import DaemonConfig
from aws_xray_sdk.core.sampling.connector import ServiceConnector

from conftest import eventually, run_app, trace_documents


def all_subsegments(documents):
    for d in documents:
        for s in d.get("subsegments", []):
            yield s
            yield from all_subsegments([s])
        if d.get("type") == "subsegment":
            yield d


def test_traced_application(xray):
    trace_id = run_app("xray_app.py").strip().splitlines()[-1]
    steps = {f"step-{i}" for i in range(40)}
    documents = trace_documents(
        xray, trace_id, lambda ds: any("end_time" in d for d in ds if d["name"] == "checkout")
        and steps <= {s["name"] for s in all_subsegments(ds)})

    segment = next(d for d in documents if d["name"] == "checkout")
    assert segment["trace_id"] == trace_id
    assert segment["annotations"] == {"order_id": "o-1"}
    assert segment["user"] == "ada"
    assert segment["aws"]["xray"]["sdk"] == "X-Ray for Python"
    subsegments = {s["name"]: s for s in all_subsegments(documents)}
    assert subsegments["price"]["annotations"] == {"items": 3}
    assert subsegments["price"]["metadata"] == {"shop": {"order": {"id": "o-1", "lines": ["a", "b"]}}}
    call = next(s for s in subsegments.values() if s.get("aws", {}).get("operation") == "GetCallerIdentity")
    assert call["namespace"] == "aws" and call["http"]["response"]["status"] == 200
    remote = [s for s in all_subsegments(documents) if s.get("namespace") == "remote" and "request" in s.get("http", {})]
    assert {s["http"]["response"]["status"] for s in remote} == {200, 503}
    assert any(s.get("fault") for s in remote)
    assert subsegments["explode"]["fault"] is True
    assert subsegments["explode"]["cause"]["exceptions"][0]["message"] == "no such article"
    assert any("sql" in s for s in subsegments.values())

    now = datetime.now(timezone.utc)
    summaries = [
        s for page in xray.get_paginator("get_trace_summaries").paginate(StartTime=now - timedelta(minutes=5), EndTime=now + timedelta(minutes=1))
        for s in page["TraceSummaries"] if s["Id"] == trace_id
    ]
    assert len(summaries) == 1
    assert summaries[0]["EntryPoint"]["Name"] == "checkout"
    assert summaries[0]["Annotations"]["order_id"][0]["AnnotationValue"] == {"StringValue": "o-1"}
    assert [u["UserName"] for u in summaries[0]["Users"]] == ["ada"]


def test_sampling_rules_through_the_daemon_port():
    connector, daemon = ServiceConnector(), DaemonConfig()
    connector.setup_xray_client(ip=daemon.tcp_ip, port=daemon.tcp_port, client=None)
    rules = connector.fetch_sampling_rules()
    assert [(r.name, r.priority, r.rate) for r in rules] == [("Default", 10000, 0.05)]


def segment(trace_id=None, **more):
    now = time.time()
    return {
        "name": "api", "id": os.urandom(8).hex(), "trace_id": trace_id or f"1-{int(now):08x}-{os.urandom(12).hex()}",
        "start_time": now - 1, "end_time": now, **more,
    }


def test_put_trace_segments(xray):
    good = segment(http={"request": {"method": "GET", "url": "https://x/y"}, "response": {"status": 404}}, error=True)
    no_id = segment()
    del no_id["id"]
    bad_trace = segment(trace_id="nonsense")
    answer = xray.put_trace_segments(TraceSegmentDocuments=[json.dumps(no_id), json.dumps(good), "[]", "{", json.dumps(bad_trace)])
    codes = [u["ErrorCode"] for u in answer["UnprocessedTraceSegments"]]
    assert codes == ["MissingId", "MissingId", "ParseError", "InvalidTraceId"]
    assert answer["UnprocessedTraceSegments"][0]["Message"] == "Invalid segment. ErrorCode: MissingId"
    documents = trace_documents(xray, good["trace_id"])
    assert [d["id"] for d in documents] == [good["id"]], "the good one of the batch is kept"
    assert documents[0]["http"]["response"]["status"] == 404
    now = datetime.now(timezone.utc)
    summary = eventually(lambda: [
        s for s in xray.get_trace_summaries(StartTime=now - timedelta(minutes=5), EndTime=now + timedelta(minutes=1))["TraceSummaries"]
        if s["Id"] == good["trace_id"]])[0]
    assert summary["HasError"] is True and summary["HasFault"] is False
    assert summary["Http"]["HttpStatus"] == 404
    assert summary["ResponseTime"] == pytest.approx(1, abs=0.01)


def test_in_progress_then_complete(xray):
    done = segment()
    begun = {k: v for k, v in done.items() if k != "end_time"} | {"in_progress": True}
    for document in (begun, done, begun):
        xray.put_trace_segments(TraceSegmentDocuments=[json.dumps(document)])
    documents = trace_documents(xray, done["trace_id"])
    assert len(documents) == 1
    assert documents[0]["end_time"] == done["end_time"] and "in_progress" not in documents[0]


def test_unknown_traces(xray):
    answer = xray.batch_get_traces(TraceIds=["1-00000001-000000000000000000000001"])
    assert answer["Traces"] == []


def test_errors(xray):
    now = datetime.now(timezone.utc)
    with pytest.raises(xray.exceptions.InvalidRequestException) as caught:
        xray.get_trace_summaries(StartTime=now - timedelta(minutes=5), EndTime=now, FilterExpression='service("api")')
    assert "filter" in caught.value.response["Error"]["Message"].lower()
    with pytest.raises(xray.exceptions.ClientError) as caught:
        xray.get_insight_summaries(StartTime=now - timedelta(minutes=5), EndTime=now)
    assert "GetInsightSummaries" in caught.value.response["Error"]["Message"]


def test_telemetry_records(xray):
    assert xray.put_telemetry_records(TelemetryRecords=[{
        "Timestamp": datetime.now(timezone.utc), "SegmentsReceivedCount": 1, "SegmentsSentCount": 1,
        "SegmentsSpilloverCount": 0, "SegmentsRejectedCount": 0,
    }])["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_datagrams_that_are_broken_harm_nothing(xray):
    host, port = os.environ["AWS_XRAY_DAEMON_ADDRESS"].split(":")
    good = segment()
    header = b'{"format": "json", "version": 1}\n'
    whole = header + json.dumps(good).encode()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        no_id = segment()
        del no_id["id"]
        for datagram in (
            b"", b"\n", header, whole[:-20], b"{}\n" + json.dumps(segment()).encode(), b"\xff\xfe\x00", header + b"[" * 60_000,
            header + json.dumps(no_id).encode(), whole,
        ):
            s.sendto(datagram, (host, int(port)))
    assert [d["id"] for d in trace_documents(xray, good["trace_id"])] == [good["id"]]
