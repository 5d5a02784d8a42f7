# Copyright The Nephoscope Authors
# SPDX-License-Identifier: Apache-2.0

"""What a result is called when nobody says, and dynamic labels."""

import pytest

from conftest import MINUTE

# Queries as (name, stat, period, unit, more), and the labels.
DEFAULTS = {
    "one query": ([("m", "Sum", 60, None, {})], ["m"]),
    "two statistics": ([("m", "Sum", 60, None, {}), ("m", "Minimum", 60, None, {})], ["m Sum", "m Minimum"]),
    "two periods": ([("m", "Sum", 60, None, {}), ("m", "Sum", 30, None, {})], ["m 60", "m 30"]),
    "both": ([("m", "Sum", 60, None, {}), ("m", "Minimum", 30, None, {})], ["m Sum 60", "m Minimum 30"]),
    "two units": ([("m", "Sum", 60, "Seconds", {}), ("m", "Sum", 60, "Milliseconds", {})], ["m", "m"]),
    "two names": ([("a", "Sum", 60, None, {}), ("b", "Minimum", 60, None, {})], ["a", "b"]),
    "an explicit label": ([("m", "Sum", 60, None, {}), ("m", "Minimum", 60, None, {"Label": "low"})], ["m", "low"]),
    "a hidden query": ([("m", "Sum", 60, None, {}), ("m", "Minimum", 60, None, {"ReturnData": False})], ["m"]),
}


@pytest.mark.parametrize("case", DEFAULTS)
def test_default_labels(metrics, case):
    queries, want = DEFAULTS[case]
    for name in {q[0] for q in queries}:
        metrics.put(name, [1], Unit="Seconds")
    answer = metrics.get(*(
        metrics.stat(f"q{i}", name, stat, period, unit=unit, **more) for i, (name, stat, period, unit, more) in enumerate(queries)))
    assert [r["Label"] for r in answer["MetricDataResults"]] == want


def test_default_labels_of_dimensions(metrics):
    metrics.put("m", [1], {"host": "a"})
    metrics.put("m", [1], {"host": "b"})
    answer = metrics.get(metrics.stat("a", "m", dimensions={"host": "a"}), metrics.stat("b", "m", dimensions={"host": "b"}))
    assert [r["Label"] for r in answer["MetricDataResults"]] == ["a", "b"]


def test_labels_of_expressions(metrics):
    metrics.put("m", [1])
    metrics.put("n", [2])
    rows = metrics.rows(
        metrics.stat("a", "m", ReturnData=False), metrics.stat("b", "n", ReturnData=False),
        {"Id": "e1", "Expression": "a+b"}, {"Id": "e2", "Expression": "a+b", "Label": "both"})
    assert [label for label, _ in rows] == ["e1", "both"]


# A label over the values 2, 0.5, 7 and, three minutes later, 2.5; the zone is of LabelOptions.
DYNAMIC = [
    ("${LABEL}", "m"),
    ("avg ${AVG}, sum ${SUM}", "avg 3, sum 12"),
    ("${MIN}/${MAX}/${FIRST}/${LAST}", "0.5/7/2/2.5"),
    ("${DATAPOINT_COUNT} points", "4 points"),
    ("${FIRST_LAST_RANGE} ${MIN_MAX_RANGE}", "0.5 6.5"),
    ("${FIRST_LAST_TIME_RANGE} ${MIN_MAX_TIME_RANGE}", "300s 60s"),
    ("${PROP('Namespace')} ${PROP('MetricName')} ${PROP('Stat')} ${PROP('Period')}", "NAMESPACE m Sum 60"),
    ("${PROP('Region')} ${PROP('AccountId')}", "us-east-1 000000000000"),
    ("${PROP('Dim.host')} ${PROP('Dim.nosuch')}", "web-1 --"),
    ("$5 {x}", "$5 {x}"),
]


@pytest.mark.parametrize("label,want", DYNAMIC)
def test_dynamic_labels(metrics, label, want):
    metrics.put("m", [2, 0.5, 7, None, None, 2.5], {"host": "web-1"})
    rows = metrics.rows(metrics.stat("a", "m", dimensions={"host": "web-1"}, Label=label), minutes=6)
    assert rows[0][0] == want.replace("NAMESPACE", metrics.namespace)


def test_dynamic_times(metrics):
    metrics.put("m", [2, 0.5, 7], None)
    query = metrics.stat("a", "m", Label="${FIRST_TIME} | ${MAX_TIME}")
    for zone, shift in (("+0000", 0), ("+0130", 90), ("-0800", -480)):
        label = metrics.rows(query, LabelOptions={"Timezone": zone})[0][0]
        want = [(metrics.start + (shift + i) * MINUTE).strftime("%Y-%m-%d %H:%M:%S") for i in (0, 2)]
        assert label == " | ".join(want)


def test_dynamic_labels_without_data(metrics):
    assert metrics.rows(metrics.stat("a", "m", Label="[${MAX}] ${LABEL}"))[0][0] == "[] m"
