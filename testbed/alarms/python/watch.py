# Copyright The Nephoscope Authors
# SPDX-License-Identifier: Apache-2.0

"""An alarm of ten seconds in the life of a service: creates it, feeds it until it is in ALARM, or feeds it for some seconds.

    watch.py create TOPIC | until-alarm | feed SECONDS
"""

import sys
import time
from datetime import datetime, timezone

import boto3

cloudwatch = boto3.client("cloudwatch")


def feed(value):
    cloudwatch.put_metric_data(Namespace="Shop", MetricData=[
        {"MetricName": "Queue", "Value": value, "StorageResolution": 1, "Timestamp": datetime.now(timezone.utc)}])


def state():
    return cloudwatch.describe_alarms(AlarmNames=["queue"])["MetricAlarms"][0]["StateValue"]


def create(topic):
    cloudwatch.put_metric_alarm(
        AlarmName="queue", Namespace="Shop", MetricName="Queue", Statistic="Maximum", Period=10, EvaluationPeriods=1, Threshold=5,
        ComparisonOperator="GreaterThanThreshold", TreatMissingData="ignore", AlarmActions=[topic])


def until_alarm():
    began = time.monotonic()
    while state() != "ALARM":
        assert time.monotonic() - began < 60, "the alarm does not go off"
        feed(9)
        time.sleep(0.25)
    print(round(time.monotonic() - began, 1))


def feed_for(seconds):
    end = time.monotonic() + float(seconds)
    while time.monotonic() < end:
        feed(9)
        assert state() == "ALARM"
        time.sleep(0.25)


{"create": create, "until-alarm": until_alarm, "feed": feed_for}[sys.argv[1]](*sys.argv[2:])
