# Copyright The Nephoscope Authors
# SPDX-License-Identifier: Apache-2.0

"""The X-Ray SDK's first steps: patch everything, record a function, annotate, add metadata, call something."""

import sqlite3
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import boto3
import requests
from aws_xray_sdk.core import patch_all, xray_recorder

xray_recorder.configure(service="checkout")
patch_all()


class Downstream(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/ok" else 503)
        self.send_header("Content-Length", "0")
        self.send_header("X-Trace", self.headers.get("X-Amzn-Trace-Id", ""))
        self.end_headers()

    def log_message(self, *args):
        pass


@xray_recorder.capture("price")
def price(order):
    xray_recorder.current_subsegment().put_annotation("items", 3)
    xray_recorder.current_subsegment().put_metadata("order", {"id": order, "lines": ["a", "b"]}, "shop")
    return 42


@xray_recorder.capture("explode")
def explode():
    raise ValueError("no such article")


def main(order):
    server = HTTPServer(("127.0.0.1", 0), Downstream)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"

    segment = xray_recorder.begin_segment("checkout", sampling=1)
    segment.put_annotation("order_id", order)
    segment.set_user("ada")
    price(order)
    boto3.client("sts").get_caller_identity()
    answer = requests.get(url + "/ok", timeout=10)
    assert segment.trace_id in answer.headers["X-Trace"]
    requests.get(url + "/broken", timeout=10)
    db = sqlite3.connect(":memory:")
    db.cursor().execute("create table t (a integer)")
    db.close()
    try:
        explode()
    except ValueError:
        pass
    # More subsegments than the SDK sends in one piece: it streams the finished ones as documents of their own.
    for i in range(40):
        with xray_recorder.in_subsegment(f"step-{i}"):
            pass
    xray_recorder.end_segment()
    print(segment.trace_id)
    server.shutdown()


main(sys.argv[1] if len(sys.argv) > 1 else "o-1")
