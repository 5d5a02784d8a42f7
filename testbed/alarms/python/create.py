# Copyright The Nephoscope Authors
# SPDX-License-Identifier: Apache-2.0

"""Creates a topic with a subscriber, whose URL is the argument, and with "alarms" behind it the alarms of the shop."""

import sys

import boto3

sns, cloudwatch = boto3.client("sns"), boto3.client("cloudwatch")
topic = sns.create_topic(Name="ops")["TopicArn"]
assert topic == "arn:aws:sns:us-east-1:000000000000:ops"
subscription = sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=sys.argv[1])["SubscriptionArn"]
assert subscription == "pending confirmation"

if "alarms" in sys.argv:
    cloudwatch.put_metric_alarm(
        AlarmName="high-cpu", AlarmDescription="The web server is busy",
        Namespace="AWS/EC2", MetricName="CPUUtilization", Dimensions=[{"Name": "InstanceId", "Value": "i-0123456789abcdef0"}],
        Statistic="Average", Period=300, EvaluationPeriods=3, Threshold=80, ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="missing",  # Terraform's default
        AlarmActions=[topic], OKActions=[topic],
        Tags=[{"Key": "severity", "Value": "warning"}, {"Key": "runbook", "Value": "https://runbooks.example.com/high-cpu"}])

    def count(id_, metric):
        return {"Id": id_, "ReturnData": False, "MetricStat": {"Period": 60, "Stat": "Sum", "Metric": {
            "Namespace": "Shop", "MetricName": metric, "Dimensions": [{"Name": "Service", "Value": "checkout"}]}}}

    cloudwatch.put_metric_alarm(
        AlarmName="checkout-error-rate", AlarmDescription="More than 5% of checkouts fail",
        Metrics=[{"Id": "rate", "Expression": "100 * errors / requests", "Label": "error rate", "ReturnData": True},
                 count("errors", "Errors"), count("requests", "Requests")],
        EvaluationPeriods=2, Threshold=5, ComparisonOperator="GreaterThanThreshold", TreatMissingData="notBreaching",
        AlarmActions=[topic])
    cloudwatch.put_metric_alarm(
        AlarmName="orders-throttled",
        Namespace="AWS/DynamoDB", MetricName="ReadThrottleEvents", Dimensions=[{"Name": "TableName", "Value": "orders"}],
        Statistic="Sum", Period=60, EvaluationPeriods=5, DatapointsToAlarm=3, Threshold=0,
        ComparisonOperator="GreaterThanThreshold", TreatMissingData="notBreaching")
    pages = ["arn:aws:sns:us-east-1:000000000000:pager", "arn:aws:sns:us-east-1:000000000000:chat"]
    cloudwatch.put_composite_alarm(
        AlarmName="shop-in-trouble", AlarmDescription="Customers notice",
        AlarmRule='ALARM(checkout-error-rate) AND (ALARM("high-cpu") OR ALARM("orders-throttled"))',
        AlarmActions=pages, OKActions=pages,
        Tags=[{"Key": "severity", "Value": "critical"}, {"Key": "runbook", "Value": "https://runbooks.example.com/shop-in-trouble"}])
