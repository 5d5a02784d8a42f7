# Copyright The Nephoscope Authors
# SPDX-License-Identifier: Apache-2.0

"""Prints what boto3 sees of alarms: their description, history and tags."""

import json

import boto3

cloudwatch = boto3.client("cloudwatch")
types = ["MetricAlarm", "CompositeAlarm"]
alarms, history = [], []
for page in cloudwatch.get_paginator("describe_alarms").paginate(AlarmTypes=types, PaginationConfig={"PageSize": 2}):
    alarms += page["MetricAlarms"] + page["CompositeAlarms"]
for page in cloudwatch.get_paginator("describe_alarm_history").paginate(
        AlarmTypes=types, ScanBy="TimestampAscending", PaginationConfig={"PageSize": 7}):
    history += page["AlarmHistoryItems"]
for alarm in alarms:
    alarm["Tags"] = sorted(cloudwatch.list_tags_for_resource(ResourceARN=alarm["AlarmArn"])["Tags"], key=lambda t: t["Key"])
print(json.dumps({"Alarms": alarms, "History": history}, default=lambda at: at.isoformat()))
