# Copyright The Nephoscope Authors
# SPDX-License-Identifier: Apache-2.0

"""One set of tests for every protocol of CloudWatch: each test runs once for each that the installed boto3 speaks.

boto3 takes the first of its own preferences that the service's model names. The model is loaded with one name left.
"""

import uuid
from datetime import datetime, timedelta, timezone

import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

CONTENT_TYPES = {"query": "text/xml", "json": "application/x-amz-json-1.0", "smithy-rpc-v2-cbor": "application/cbor"}


def protocols():
    """Current boto3 knows several; awsQuery is left to the boto3 of the time when it was the only one."""
    metadata = botocore.session.get_session().get_service_model("cloudwatch").metadata
    known = metadata.get("protocols", [metadata["protocol"]])
    return [p for p in known if p != "query"] or known


def make_client(protocol, **config):
    session = botocore.session.get_session()
    loader = session.get_component("data_loader")
    load = loader.load_service_model

    def load_service_model(service_name, type_name, api_version=None):
        model = load(service_name, type_name, api_version)
        if service_name == "cloudwatch" and type_name == "service-2" and "protocols" in model["metadata"]:
            model = {**model, "metadata": {**model["metadata"], "protocols": [protocol]}}
        return model

    loader.load_service_model = load_service_model
    return session.create_client("cloudwatch", config=Config(retries={"total_max_attempts": 1}, **config))


@pytest.fixture(scope="session", params=protocols())
def protocol(request):
    return request.param


@pytest.fixture(scope="session")
def cloudwatch(protocol):
    client = make_client(protocol)
    answer = client.list_metrics(Namespace="nothing")
    assert answer["ResponseMetadata"]["HTTPHeaders"]["content-type"].startswith(CONTENT_TYPES[protocol])
    return client


@pytest.fixture(scope="session")
def unchecked(protocol):
    """A client that sends what boto3 itself would refuse."""
    return make_client(protocol, parameter_validation=False)


@pytest.fixture
def ns():
    """A namespace that no other test uses."""
    return "doc/" + uuid.uuid4().hex[:12]


MINUTE = timedelta(minutes=1)


@pytest.fixture(scope="session")
def t0():
    """The beginning of a minute half an hour ago."""
    return datetime.now(timezone.utc).replace(second=0, microsecond=0) - 30 * MINUTE


class Metrics:
    """What the tests put and read, in few words."""

    def __init__(self, client, namespace, start):
        self.client, self.namespace, self.start = client, namespace, start

    def put(self, name, values, dimensions=None, start=None, **more):
        """Puts a value a minute; None leaves the minute out."""
        data = [
            {"MetricName": name, "Value": float(v), "Timestamp": (start or self.start) + i * MINUTE,
             "Dimensions": pairs(dimensions), **more}
            for i, v in enumerate(values) if v is not None
        ]
        if data:
            self.client.put_metric_data(Namespace=self.namespace, MetricData=data)

    def datum(self, name, at=None, **datum):
        self.client.put_metric_data(
            Namespace=self.namespace, MetricData=[{"MetricName": name, "Timestamp": at or self.start, **datum}])

    def stat(self, id_, name, stat="Sum", period=60, dimensions=None, unit=None, **more):
        metric = {"Namespace": self.namespace, "MetricName": name, "Dimensions": pairs(dimensions)}
        query = {"Id": id_, "MetricStat": {"Metric": metric, "Period": period, "Stat": stat}, **more}
        if unit:
            query["MetricStat"]["Unit"] = unit
        return query

    def get(self, *queries, minutes=5, start=None, end=None, **more):
        start = start or self.start
        more.setdefault("ScanBy", "TimestampAscending")
        return self.client.get_metric_data(
            MetricDataQueries=list(queries), StartTime=start, EndTime=end or start + minutes * MINUTE, **more)

    def rows(self, *queries, minutes=5, start=None, end=None, **more):
        """The results as (label, values), a value a minute, None where there is none."""
        start = start or self.start
        answer = self.get(*queries, minutes=minutes, start=start, end=end, **more)
        rows = []
        for result in answer["MetricDataResults"]:
            assert result["StatusCode"] == "Complete", answer
            values = [None] * minutes
            for at, value in zip(result["Timestamps"], result["Values"]):
                values[(at - start) // MINUTE] = value
            rows.append((result["Label"], values))
        return rows

    def values(self, expression, minutes=5, **series):
        """The values of an expression over series that are put first."""
        names = {id_: id_ + uuid.uuid4().hex[:6] for id_ in series}
        for id_, values in series.items():
            self.put(names[id_], values)
        queries = [self.stat(id_, name, ReturnData=False) for id_, name in names.items()]
        queries.append({"Id": "e", "Expression": expression})
        if not series:
            queries[-1]["Period"] = 60
        return [values for _, values in self.rows(*queries, minutes=minutes)]

    def value(self, name, stat, period=60, **more):
        """One statistic of the first minute; None when CloudWatch has none."""
        results = self.get(self.stat("a", name, stat, period, **more), minutes=1)["MetricDataResults"]
        assert len(results) == 1
        assert len(results[0]["Values"]) <= 1
        return results[0]["Values"][0] if results[0]["Values"] else None


def pairs(dimensions):
    return [{"Name": n, "Value": v} for n, v in (dimensions or {}).items()]


@pytest.fixture
def metrics(cloudwatch, ns, t0):
    return Metrics(cloudwatch, ns, t0)


def refused(call, code, message=None, status=400):
    """Asserts that CloudWatch answers with the error."""
    with pytest.raises(ClientError) as caught:
        call()
    answer = caught.value.response
    assert answer["Error"]["Code"] == code, answer["Error"]
    if message is not None:
        assert answer["Error"].get("Message", "") == message
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == status
    assert answer["ResponseMetadata"]["RequestId"]
    return answer


def approx(values):
    return [None if v is None else pytest.approx(v, rel=1e-9, abs=1e-12) for v in values]
