# Copyright The Nephoscope Authors
# SPDX-License-Identifier: Apache-2.0

"""Percentiles of CloudWatch's own distribution, and when it has none."""

import pytest

HUNDRED = {"Values": [float(v) for v in range(1, 101)]}
TENS = {"Values": [10.0, 20.0, 30.0, 40.0]}
SKEWED = {"Values": [10.0, 100.0], "Counts": [99.0, 1.0]}


def statistics(count, total, low, high):
    return {"StatisticValues": {"SampleCount": count, "Sum": total, "Minimum": low, "Maximum": high}}


# What is in the minute, a statistic, its value; None: CloudWatch returns no data point.
CASES = [
    (HUNDRED, "p50", 50.743), (HUNDRED, "p90", 90.085), (HUNDRED, "p99", 98.996), (HUNDRED, "p0", 1), (HUNDRED, "p100", 100),
    (SKEWED, "p50", 10.413), (SKEWED, "p99", 10.835),
    (TENS, "p50", 21.114), (TENS, "p90", 38.941), (TENS, "SampleCount", 4),
    (HUNDRED, "TC(10:20)", 10), (HUNDRED, "PR(:50)", 50), (HUNDRED, "TM(10:20)", 15.5), (HUNDRED, "TS(:10)", 55),
    # Raw values have them; a set of statistics only when it says what its samples were.
    ({"Value": 7.0}, "p90", 7), (statistics(1, 5, 5, 5), "p90", 5), (statistics(4, 12, 3, 3), "p90", 3),
    (statistics(4, 12, 3, 3), "tm99", 3),
    (statistics(4, 10, 1, 4), "p90", None), (statistics(4, 10, 1, 4), "tm99", None), (statistics(4, 10, 1, 4), "p0", 1),
    (statistics(4, 10, 1, 4), "p100", 4), (statistics(4, 10, 1, 4), "Average", 2.5),
    ({"Values": [-5.0, 5.0]}, "p50", None), ({"Values": [-5.0, 5.0]}, "p0", -5), ({"Values": [-5.0, 5.0]}, "p100", 5),
    ({"Values": [-5.0, 5.0]}, "tm90", None), ({"Values": [-5.0, 5.0]}, "Maximum", 5),
    ({"Values": [4.0], "Counts": [0.5]}, "p50", None), ({"Values": [4.0], "Counts": [0.5]}, "Sum", 2),
]


@pytest.mark.parametrize("datum,stat,want", CASES, ids=lambda v: v if isinstance(v, str) else "")
def test_statistic(metrics, datum, stat, want):
    metrics.datum("m", **datum)
    assert metrics.value("m", stat) == (None if want is None else pytest.approx(want, abs=1e-3))


SPELLINGS = [
    "p50", "p99.9", "p100", "p0.0000000001", "tm90", "tm99.5", "tc90", "ts90", "wm98", "IQM", "TM(10%:90%)", "TM(:90%)", "TM(10%:)",
    "TM(5:80)", "TC(:20)", "TS(20:)", "WM(10%:90%)", "WM(5:80)", "PR(5:80)", "PR(:5.5)", "TC(10%:90%)", "TS(10%:90%)",
]


def test_every_spelling_has_a_value(metrics):
    metrics.datum("m", **HUNDRED)
    queries = [metrics.stat(f"a{i}", "m", s) for i, s in enumerate(SPELLINGS)]
    results = {r["Id"]: r["Values"] for r in metrics.get(*queries, minutes=1)["MetricDataResults"]}
    assert {SPELLINGS[int(id_[1:])]: len(values) for id_, values in results.items()} == {s: 1 for s in SPELLINGS}


def test_documented_trims(metrics):
    """Half of the hundred is between the quartiles: a tenth is what the distribution may be off."""
    metrics.datum("m", **HUNDRED)
    for stat, want in (("IQM", 50.5), ("TM(25%:75%)", 50.5), ("tm90", 45.5), ("tc90", 90), ("ts90", 4095), ("TC(10%:90%)", 80),
                       ("wm98", 50.47), ("WM(10:90)", 50.5)):
        assert metrics.value("m", stat) == pytest.approx(want, rel=0.1), stat
