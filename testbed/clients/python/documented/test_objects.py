# Copyright The Nephoscope Authors
# SPDX-License-Identifier: Apache-2.0

"""Anomaly detectors, dashboards, images of widgets, metric streams."""

import json
import struct
import uuid

import pytest

from conftest import refused

ACCOUNT = "000000000000"


def test_anomaly_detector(metrics):
    client, ns = metrics.client, metrics.namespace
    single = {"Namespace": ns, "MetricName": "m", "Stat": "Average", "Dimensions": [{"Name": "host", "Value": "a"}]}
    client.put_anomaly_detector(SingleMetricAnomalyDetector=single)
    found = client.describe_anomaly_detectors(Namespace=ns)["AnomalyDetectors"]
    assert len(found) == 1
    detector = found[0]
    assert {k: detector[k] for k in ("Namespace", "MetricName", "Stat", "Dimensions", "StateValue")} == {
        **single, "StateValue": "PENDING_TRAINING"}
    assert detector["Configuration"] == {"ExcludedTimeRanges": []}
    assert detector["SingleMetricAnomalyDetector"] == {"AccountId": ACCOUNT, **single}
    assert client.describe_anomaly_detectors(Namespace=ns, MetricName="other")["AnomalyDetectors"] == []

    refused(lambda: client.put_anomaly_detector(SingleMetricAnomalyDetector=single, Namespace=ns, MetricName="m", Stat="Sum"),
            "InvalidParameterCombination")
    client.delete_anomaly_detector(SingleMetricAnomalyDetector=single)
    assert client.describe_anomaly_detectors(Namespace=ns)["AnomalyDetectors"] == []
    refused(lambda: client.delete_anomaly_detector(SingleMetricAnomalyDetector=single), "ResourceNotFoundException", status=404)


@pytest.fixture
def name(cloudwatch):
    name = "board-" + uuid.uuid4().hex[:12]
    yield name
    cloudwatch.delete_dashboards(DashboardNames=[name])


BODY = {"widgets": [{"type": "metric", "x": 0, "y": 0, "width": 12, "height": 6, "properties": {
    "metrics": [["AWS/EC2", "CPUUtilization", "InstanceId", "i-1"]], "period": 300, "stat": "Average", "region": "us-east-1",
    "title": "Café"}}]}


def test_dashboards(cloudwatch, name):
    assert cloudwatch.put_dashboard(DashboardName=name, DashboardBody=json.dumps(BODY, indent=2))["DashboardValidationMessages"] == []
    got = cloudwatch.get_dashboard(DashboardName=name)
    assert got["DashboardArn"] == f"arn:aws:cloudwatch::{ACCOUNT}:dashboard/{name}"
    assert got["DashboardName"] == name
    assert got["DashboardBody"] == json.dumps(BODY, separators=(",", ":"), ensure_ascii=False), "stored without spaces and escapes"
    listed = cloudwatch.list_dashboards(DashboardNamePrefix=name)["DashboardEntries"]
    assert [(d["DashboardName"], d["DashboardArn"]) for d in listed] == [(name, got["DashboardArn"])]
    assert listed[0]["LastModified"].microsecond == 0
    cloudwatch.put_dashboard(DashboardName=name, DashboardBody='{"widgets":[]}')
    assert cloudwatch.list_dashboards(DashboardNamePrefix=name)["DashboardEntries"][0]["Size"] == 51
    cloudwatch.delete_dashboards(DashboardNames=[name])
    refused(lambda: cloudwatch.get_dashboard(DashboardName=name), "ResourceNotFound", f"Dashboard {name} does not exist", status=404)
    assert cloudwatch.list_dashboards(DashboardNamePrefix=name)["DashboardEntries"] == []


def test_dashboard_warnings(cloudwatch, name):
    body = {"widgets": [], "futureRoot": 1}
    assert cloudwatch.put_dashboard(DashboardName=name, DashboardBody=json.dumps(body))["DashboardValidationMessages"] == [
        {"DataPath": "", "Message": 'The "futureRoot" property is not expected, will be ignored'}]


DASHBOARD_ERRORS = {
    "not an object": ("board", "[]", "InvalidParameterInput", "The field DashboardBody must be a valid JSON object"),
    "not JSON": ("board", "{", "InvalidParameterInput", "The field DashboardBody must be a valid JSON object"),
    "no body": ("board", "", "InvalidParameterValue", "The parameter DashboardBody is required.\n"),
    "bad name": ("bad name", '{"widgets":[]}', "InvalidParameterValue",
                 "The value for field DashboardName contains invalid characters. It can only contain alphanumerics, dash (-) and "
                 "underscore (_).\n"),
    "no widgets": ("board", "{}", "InvalidParameterInput", """The dashboard body is invalid, there are 1 validation errors:
[
  {
    "dataPath": "",
    "message": "Should have required property 'widgets'"
  }
]"""),
    "outside of the grid": (
        "board", json.dumps({"widgets": [{"type": "text", "x": -1, "y": -1, "properties": {"markdown": "m"}}]}), "InvalidParameterInput",
        """The dashboard body is invalid, there are 2 validation errors:
[
  {
    "dataPath": "/widgets/0/x",
    "message": "Should be >= 0"
  },
  {
    "dataPath": "/widgets/0/y",
    "message": "Should be >= 0"
  }
]"""),
}


@pytest.mark.parametrize("case", DASHBOARD_ERRORS)
def test_dashboard_errors(unchecked, case):
    name, body, code, message = DASHBOARD_ERRORS[case]
    refused(lambda: unchecked.put_dashboard(DashboardName=name, DashboardBody=body), code, message)


def test_deleting_is_all_or_nothing(unchecked, name):
    unchecked.put_dashboard(DashboardName=name, DashboardBody='{"widgets":[]}')
    refused(lambda: unchecked.delete_dashboards(DashboardNames=[name, "bad name"]), "InvalidParameterValue",
            "The value for field DashboardNames[1] contains invalid characters. It can only contain alphanumerics, dash (-) and "
            "underscore (_).\n")
    unchecked.get_dashboard(DashboardName=name)
    unchecked.delete_dashboards(DashboardNames=["no-such-board", name])
    refused(lambda: unchecked.delete_dashboards(DashboardNames=[]), "InvalidParameterValue",
            "Field DashboardNames is required and has to contain at least 1 element.\n")


WIDGETS = {
    "lines": {"view": "timeSeries"},
    "stacked": {"view": "timeSeries", "stacked": True},
    "bars": {"view": "bar"},
    "a number": {"view": "singleValue"},
    "annotations": {"annotations": {"horizontal": [{"label": "limit", "value": 3}]}, "title": "m"},
    "an expression": {"metrics": [[{"expression": "m1*2", "label": "twice", "id": "e1"}], ["NS", "m", {"id": "m1", "visible": False}]]},
}


@pytest.mark.parametrize("case", WIDGETS)
def test_images(metrics, case):
    metrics.put("m", [1, 2, 4, 3])
    widget = {"metrics": [["NS", "m"]], "width": 500, "height": 250, "start": "-PT1H", "end": "PT0H", "period": 60, "stat": "Sum",
              **WIDGETS[case]}
    text = json.dumps(widget).replace("\"NS\"", json.dumps(metrics.namespace))
    image = metrics.client.get_metric_widget_image(MetricWidget=text)["MetricWidgetImage"]
    assert image[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", image[16:24]) == (500, 250)


def test_bad_widget(cloudwatch):
    refused(lambda: cloudwatch.get_metric_widget_image(MetricWidget="{"), "ValidationError")


def test_metric_streams_need_a_destination(cloudwatch, name):
    """Streams go to the endpoints that the collector is configured with: here there are none."""
    assert cloudwatch.list_metric_streams()["Entries"] == []
    refused(lambda: cloudwatch.put_metric_stream(
        Name=name, FirehoseArn=f"arn:aws:firehose:us-east-1:{ACCOUNT}:deliverystream/none", RoleArn=f"arn:aws:iam::{ACCOUNT}:role/r",
        OutputFormat="json"), "InvalidParameterValue")
    refused(lambda: cloudwatch.get_metric_stream(Name=name), "ResourceNotFoundException", status=404)
