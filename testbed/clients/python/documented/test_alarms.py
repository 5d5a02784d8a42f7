# Copyright The Nephoscope Authors
# SPDX-License-Identifier: Apache-2.0

"""The operations of alarms: what is described of them, their states by hand, composite alarms, history, tags, errors."""

import json
import re
import uuid

import pytest

from conftest import refused

ARN = "arn:aws:cloudwatch:us-east-1:000000000000:alarm:"
TOPIC = "arn:aws:sns:us-east-1:000000000000:nobody-is-told"


class Alarms:
    """Alarms with names of their own, which are deleted in the end."""

    def __init__(self, client):
        self.client, self.prefix, self.names = client, "a" + uuid.uuid4().hex[:10] + "-", []

    def name(self, name):
        if self.prefix + name not in self.names:
            self.names.append(self.prefix + name)
        return self.prefix + name

    def request(self, name, **change):
        request = {
            "AlarmName": self.name(name), "Namespace": self.prefix, "MetricName": "m", "Statistic": "Average", "Period": 60,
            "EvaluationPeriods": 1, "Threshold": 10.0, "ComparisonOperator": "GreaterThanThreshold", "TreatMissingData": "ignore", **change}
        return {k: v for k, v in request.items() if v is not None}

    def put(self, name, **change):
        self.client.put_metric_alarm(**self.request(name, **change))
        return self.prefix + name

    def composite(self, name, rule, **more):
        self.client.put_composite_alarm(AlarmName=self.name(name), AlarmRule=rule, **more)
        return self.prefix + name

    def set_state(self, name, state, reason="by hand", **more):
        self.client.set_alarm_state(AlarmName=name, StateValue=state, StateReason=reason, **more)

    def describe(self, name):
        page = self.client.describe_alarms(AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"])
        return (page["MetricAlarms"] + page["CompositeAlarms"])[0]

    def history(self, name, kind=None):
        pages = self.client.get_paginator("describe_alarm_history").paginate(
            AlarmName=name, AlarmTypes=["MetricAlarm", "CompositeAlarm"], ScanBy="TimestampAscending",
            **({"HistoryItemType": kind} if kind else {}))
        return [item for page in pages for item in page["AlarmHistoryItems"]]


@pytest.fixture
def alarms(cloudwatch):
    a = Alarms(cloudwatch)
    yield a
    there = [x["AlarmName"] for x in cloudwatch.describe_alarms(AlarmNamePrefix=a.prefix, AlarmTypes=["CompositeAlarm"])["CompositeAlarms"]]
    for name in there:  # what one composite alarm needs may be another
        cloudwatch.put_composite_alarm(AlarmName=name, AlarmRule="FALSE")
    for name in there:
        cloudwatch.delete_alarms(AlarmNames=[name])
    cloudwatch.delete_alarms(AlarmNames=[n for n in a.names if n not in there] or ["none"])


def test_a_new_alarm(alarms):
    name = alarms.put("new", TreatMissingData=None)
    alarm = alarms.describe(name)
    times = [alarm.pop(t) for t in ("AlarmConfigurationUpdatedTimestamp", "StateUpdatedTimestamp", "StateTransitionedTimestamp")]
    assert times[0] == times[1] == times[2]
    assert alarm == {
        "AlarmName": name, "AlarmArn": ARN + name, "ActionsEnabled": True, "OKActions": [], "AlarmActions": [],
        "InsufficientDataActions": [], "StateValue": "INSUFFICIENT_DATA", "StateReason": "Unchecked: Initial alarm creation",
        "MetricName": "m", "Namespace": alarms.prefix, "Statistic": "Average", "Dimensions": [], "Period": 60, "EvaluationPeriods": 1,
        "Threshold": 10.0, "ComparisonOperator": "GreaterThanThreshold"}
    created = alarms.history(name)
    assert [(h["HistoryItemType"], h["HistorySummary"]) for h in created] == [("ConfigurationUpdate", f'Alarm "{name}" created')]
    data = json.loads(created[0]["HistoryData"])
    assert (data["version"], data["type"]) == ("1.0", "Create")
    assert data["createdAlarm"]["extendedStatistic"] == "AVERAGE"
    # The same again changes nothing, another threshold does, and what is left out is gone.
    before = alarms.describe(name)
    alarms.put("new", TreatMissingData=None)
    assert alarms.describe(name) == before
    alarms.put("new", Threshold=20.0, Unit="Count")
    alarms.put("new", Threshold=20.0)
    assert "Unit" not in alarms.describe(name)
    assert len(alarms.history(name)) == 3


def test_everything_that_is_put_is_described(alarms):
    put = dict(
        AlarmDescription="text", ActionsEnabled=False, OKActions=[TOPIC], AlarmActions=[TOPIC], InsufficientDataActions=[TOPIC],
        Statistic=None, ExtendedStatistic="p99.9", Dimensions=[{"Name": "host", "Value": "a"}], Period=300, Unit="Count",
        EvaluationPeriods=5, DatapointsToAlarm=3, TreatMissingData="breaching", EvaluateLowSampleCountPercentile="ignore")
    alarm = alarms.describe(alarms.put("all", **put))
    assert {k: alarm.get(k) for k in put} == put


# A change of the request, the error's code, its message.
ERRORS = {
    "both statistics": ({"ExtendedStatistic": "p90"}, "ValidationError", "PutMetricAlarm request can not be made with both Statistic and "
                        "ExtendedStatistic parameters. Only one of them should be present"),
    "a metric and metrics": ({"Metrics": [{"Id": "e", "Expression": "TIME_SERIES(1)"}]}, "ValidationError",
                             "MetricName should not be set if list of Metrics is set."),
    "p101": ({"Statistic": None, "ExtendedStatistic": "p101"}, "InvalidParameterValue",
             "The value p101 for parameter ExtendedStatistic is not supported."),
    "low samples of an average": ({"EvaluateLowSampleCountPercentile": "ignore"}, "ValidationError",
                                  "Option evaluateLowSampleCountPercentile can not be applied with statistic Average. This option is "
                                  "enabled only for percentile statistics."),
    "low samples": ({"Statistic": None, "ExtendedStatistic": "p90", "EvaluateLowSampleCountPercentile": "unknown"}, "ValidationError",
                    "Option unknown is not supported. Supported options for parameter EvaluateLowSampleCountPercentile are evaluate and "
                    "ignore."),
    "missing data": ({"TreatMissingData": "X"}, "ValidationError", "The value X is not supported for TreatMissingData parameter. "
                     "Supported values are [breaching, notBreaching, ignore, missing]."),
    "no ARN": ({"AlarmActions": ["not-an-arn"], "ActionsEnabled": False}, "ValidationError", "Invalid arn syntax: not-an-arn"),
    "period": ({"Period": 5}, "ValidationError", "Period must be 10, 20, 30 or a multiple of 60"),
    "a day": ({"EvaluationPeriods": 1441}, "ValidationError", "Metrics cannot be checked across more than a day (EvaluationPeriods * "
              "Period must be <= 86400) for alarms using period < 3600"),
    "a week": ({"Period": 3600, "EvaluationPeriods": 169}, "ValidationError", "Metrics cannot be checked across more than a week "
               "(EvaluationPeriods * Period must be <= 604800) for alarms using period >= 3600"),
    "search": ({"MetricName": None, "Namespace": None, "Statistic": None, "Period": None,
                "Metrics": [{"Id": "e", "Expression": "SUM(SEARCH('{n} m', 'Sum', 60))", "Period": 60}]}, "ValidationError",
               "SEARCH is not supported on Metric Alarms."),
    "six actions": ({"AlarmActions": [f"{TOPIC}{i}" for i in range(6)]}, "ValidationError", None),
    "more datapoints than periods": ({"DatapointsToAlarm": 2}, "ValidationError", None),
    "no operator": ({"ComparisonOperator": None}, None, None),
    "no threshold": ({"Threshold": None}, "ValidationError", None),
}


@pytest.mark.parametrize("case", ERRORS)
def test_errors(alarms, unchecked, case):
    change, code, message = ERRORS[case]
    name = alarms.put("there")
    before = alarms.describe(name)
    for which in ("there", "new"):  # the alarm that is there is left as it was
        call = lambda: unchecked.put_metric_alarm(**alarms.request(which, **change))
        if code is None:
            with pytest.raises(unchecked.exceptions.ClientError):
                call()
            continue
        refused(call, code, message)
    assert alarms.describe(name) == before
    assert alarms.client.describe_alarms(AlarmNamePrefix=alarms.prefix + "new")["MetricAlarms"] == []


def test_states_by_hand(alarms, unchecked):
    name = alarms.put("state", AlarmActions=[TOPIC])
    data = '{"version": "1.0",  "any": [1, 2]}'
    alarms.set_state(name, "ALARM", "first", StateReasonData=data)
    alarm = alarms.describe(name)
    assert (alarm["StateValue"], alarm["StateReason"], alarm["StateReasonData"]) == ("ALARM", "first", data)
    alarms.set_state(name, "ALARM", "the same state is nothing new")
    assert alarms.describe(name) == alarm
    alarms.set_state(name, "OK", "second")
    assert "StateReasonData" not in alarms.describe(name)
    updates = alarms.history(name, "StateUpdate")
    assert [h["HistorySummary"] for h in updates] == ["Alarm updated from INSUFFICIENT_DATA to ALARM", "Alarm updated from ALARM to OK"]
    new = json.loads(updates[0]["HistoryData"])["newState"]
    assert new == {"stateValue": "ALARM", "stateReason": "first", "stateReasonData": json.loads(data)}

    refused(lambda: alarms.set_state(alarms.prefix + "none", "OK"), "ResourceNotFound", status=404)
    refused(lambda: alarms.set_state(name, "ALARM", StateReasonData="no JSON"), "InvalidFormat")
    refused(lambda: unchecked.set_alarm_state(AlarmName=name, StateValue="INVALID", StateReason="r"), "ValidationError",
            "1 validation error detected: Value 'INVALID' at 'stateValue' failed to satisfy constraint: Member must satisfy enum value "
            "set: [INSUFFICIENT_DATA, ALARM, OK]")


def test_actions_can_be_disabled(alarms):
    name = alarms.put("actions")
    alarms.client.disable_alarm_actions(AlarmNames=[name, "no-such-alarm"])
    assert not alarms.describe(name)["ActionsEnabled"]
    alarms.client.disable_alarm_actions(AlarmNames=[name])
    alarms.client.enable_alarm_actions(AlarmNames=[name])
    assert alarms.describe(name)["ActionsEnabled"]
    assert [h["HistorySummary"].rsplit(" ", 1)[1] for h in alarms.history(name)] == ["created", "updated", "updated"]


def test_composite_alarms(alarms):
    a, b = alarms.put("a"), alarms.put("b")
    either = alarms.composite("either", f'ALARM({a}) OR ALARM("{b}")')
    alarm = alarms.describe(either)
    assert (alarm["StateValue"], alarm["StateReason"]) == ("OK", f"{ARN}{either} was created and its alarm rule evaluates to OK")
    most = alarms.composite("most", f"AT_LEAST(51%, ALARM, ({a}, {b}, {ARN}{either}))")
    alarms.set_state(b, "ALARM")
    alarm = alarms.describe(either)
    assert alarm["StateValue"] == "ALARM"
    assert re.fullmatch(re.escape(f"{ARN}{b}") + r" transitioned to ALARM at \w+ \d+ \w+, \d{4} \d\d:\d\d:\d\d UTC", alarm["StateReason"])
    triggering = json.loads(alarm["StateReasonData"])["triggeringAlarms"]
    assert [(t["arn"], t["state"]["value"]) for t in triggering] == [(ARN + b, "ALARM")]
    assert alarms.describe(most)["StateValue"] == "ALARM", "two of three"
    alarms.set_state(a, "ALARM")
    assert alarms.describe(either) == alarm, "it was in ALARM already"
    alarms.set_state(a, "OK")
    alarms.set_state(b, "OK")
    assert [alarms.describe(x)["StateValue"] for x in (either, most)] == ["OK", "OK"]
    assert [h["HistorySummary"] for h in alarms.history(either, "StateUpdate")] == [
        "Alarm updated from INSUFFICIENT_DATA to OK", "Alarm updated from OK to ALARM", "Alarm updated from ALARM to OK"]

    described = alarms.client.describe_alarms(AlarmNames=[a, either])
    assert ([x["AlarmName"] for x in described["MetricAlarms"]], described["CompositeAlarms"]) == ([a], []), "metric alarms unless asked"
    children = alarms.client.describe_alarms(ChildrenOfAlarmName=either)
    assert sorted(x["AlarmName"] for x in children["MetricAlarms"]) == [a, b]
    refused(lambda: alarms.client.delete_alarms(AlarmNames=[a]), "ValidationError",
            f"Cannot delete {a} as there are composite alarm(s) depending on it.")


RULES = {
    "true": "Error in AlarmRule [Unsupported token 'true' at char 0, must be: '(', 'NOT', AT_LEAST, TRUE or FALSE, ALARM, OK, or "
            "INSUFFICIENT_DATA]",
    "TRUE and FALSE": "Error in AlarmRule [Unsupported token 'and' at char 5, must be: <EOF>, 'AND', 'OR']",
    "TRUE FALSE": "Error in AlarmRule [Unsupported token 'FALSE' at char 5, must be: <EOF>]",
    "ALARM(an alarm with spaces)": "Error in AlarmRule [Unsupported token 'alarm' at char 9, must be: ')']",
    "ALARM(nosuch-x)": f"Could not save the composite alarm as alarms [{ARN}nosuch-x] in the alarm rule do not exist",
    "ALARM(arn:aws:cloudwatch:us-west-2:000000000000:alarm:x)":
        "Error in AlarmRule [Wrong ARN region, it was us-west-2 but us-east-1 was expected instead]",
    "ALARM(arn:aws:cloudwatch:us-east-1:999999999999:alarm:x)":
        "A composite alarm cannot have a child relation with alarms from another AWS account",
    "ALARM(SELF)": "A composite alarm cannot have a child relation with itself via its AlarmRule, as it would introduce a circular "
                   "dependency",
    "AT_LEAST(3, ALARM, (A, A))": "Error in AlarmRule [AT_LEAST absolute threshold must be between 1 and number of alarms (2)]",
    "AT_LEAST(101%, ALARM, (A, A))": "Error in AlarmRule [AT_LEAST percentage threshold must be between 1 and 100]",
    "AT_LEAST(1.5, ALARM, (A, A))": "Error in AlarmRule [Unsupported token '1.5' at char 9, must be: NUMBER, PERCENTAGE NUMBER]",
    "AT_LEAST(1, BOGUS, (A, A))": "Error in AlarmRule [Unsupported token 'BOGUS' at char 12, must be: 'NOT', ALARM, OK, or "
                                  "INSUFFICIENT_DATA]",
}


@pytest.mark.parametrize("rule", RULES)
def test_rules(alarms, rule):
    text = re.sub(r"\bA\b", alarms.put("child"), rule).replace("SELF", alarms.name("rule"))
    refused(lambda: alarms.composite("rule", text), "ValidationError", RULES[rule])


def test_a_suppressor(alarms):
    a, s = alarms.put("a"), alarms.put("s")
    c = alarms.composite("c", f"ALARM({a})", ActionsSuppressor=s, ActionsSuppressorWaitPeriod=60, ActionsSuppressorExtensionPeriod=30,
                         AlarmActions=[TOPIC])
    alarms.set_state(s, "ALARM")
    alarms.set_state(a, "ALARM")
    alarm = alarms.describe(c)
    assert (alarm["StateValue"], alarm["ActionsSuppressedBy"]) == ("ALARM", "Alarm")
    assert alarm["ActionsSuppressedReason"].startswith(f"Actions suppressed by {ARN}{s} that transitioned to ALARM at ")
    alarms.set_state(s, "OK")
    assert alarms.describe(c)["ActionsSuppressedBy"] == "ExtensionPeriod"
    assert alarms.history(c, "Action") == []
    refused(lambda: alarms.client.delete_alarms(AlarmNames=[s]), "ValidationError",
            f"Cannot delete {s} as there are composite alarm(s) depending on it.")


def test_describing(alarms):
    names = sorted(alarms.put(f"page-{i}") for i in range(5))
    client = alarms.client
    pages = list(client.get_paginator("describe_alarms").paginate(AlarmNamePrefix=alarms.prefix, PaginationConfig={"PageSize": 2}))
    assert [[x["AlarmName"] for x in p["MetricAlarms"]] for p in pages] == [names[:2], names[2:4], names[4:]]
    alarms.set_state(names[1], "OK")
    found = client.describe_alarms(AlarmNamePrefix=alarms.prefix, StateValue="OK")["MetricAlarms"]
    assert [x["AlarmName"] for x in found] == [names[1]]
    of = client.describe_alarms_for_metric(Namespace=alarms.prefix, MetricName="m")["MetricAlarms"]
    assert sorted(x["AlarmName"] for x in of) == names
    assert client.describe_alarms_for_metric(
        Namespace=alarms.prefix, MetricName="m", Dimensions=[{"Name": "a", "Value": "b"}])["MetricAlarms"] == []
    refused(lambda: client.describe_alarm_history(NextToken="invalid-token"), "InvalidNextToken", "Invalid NextToken : invalid-token")
    assert client.describe_alarm_history(AlarmName=alarms.prefix + "never")["AlarmHistoryItems"] == []
    client.delete_alarms(AlarmNames=[names[0], alarms.prefix + "never"])
    client.delete_alarms(AlarmNames=[names[0]])
    assert [h["HistorySummary"] for h in alarms.history(names[0])][-1] == f'Alarm "{names[0]}" deleted'


def test_tags(alarms):
    client = alarms.client
    arn = ARN + alarms.put("tagged", Tags=[{"Key": "severity", "Value": "critical"}])
    alarms.put("tagged", Threshold=11.0, Tags=[{"Key": "severity", "Value": "ignored"}])

    def tags():
        return {t["Key"]: t["Value"] for t in client.list_tags_for_resource(ResourceARN=arn)["Tags"]}

    assert tags() == {"severity": "critical"}
    client.tag_resource(ResourceARN=arn, Tags=[{"Key": "severity", "Value": "info"}, {"Key": "team", "Value": "web"}])
    client.untag_resource(ResourceARN=arn, TagKeys=["team", "never"])
    assert tags() == {"severity": "info"}
    refused(lambda: client.tag_resource(ResourceARN=arn, Tags=[{"Key": "a", "Value": "b"}, {"Key": "aws:a", "Value": "b"}]),
            "AccessDenied", 'The provided tag keys must not start with any case of "aws:"', status=403)
    assert tags() == {"severity": "info"}
    refused(lambda: client.list_tags_for_resource(ResourceARN=ARN + "never"), "ResourceNotFoundException", status=404)


def test_an_alarm_on_math(alarms):
    def metric(id_, name):
        return {"Id": id_, "ReturnData": False, "MetricStat": {
            "Period": 60, "Stat": "Sum", "Metric": {"Namespace": alarms.prefix, "MetricName": name, "Dimensions": []}}}

    queries = [{"Id": "rate", "Expression": "100*errors/requests", "ReturnData": True}, metric("errors", "e"), metric("requests", "r")]
    scalar = dict.fromkeys(("Namespace", "MetricName", "Statistic", "Period"))
    alarm = alarms.describe(alarms.put("math", **scalar, Metrics=queries))
    assert sorted(alarm["Metrics"], key=lambda q: q["Id"]) == sorted(queries, key=lambda q: q["Id"])
    assert "MetricName" not in alarm and "Period" not in alarm
    band = [{"Id": "m1", "ReturnData": True, "MetricStat": metric("x", "e")["MetricStat"]},
            {"Id": "ad1", "Expression": "ANOMALY_DETECTION_BAND(m1, 2)", "ReturnData": True}]
    alarm = alarms.describe(alarms.put(
        "band", **scalar, Metrics=band, Threshold=None, ThresholdMetricId="ad1", ComparisonOperator="GreaterThanUpperThreshold"))
    assert alarm["ThresholdMetricId"] == "ad1" and "Threshold" not in alarm
