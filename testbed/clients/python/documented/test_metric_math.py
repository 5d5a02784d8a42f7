# Copyright The Nephoscope Authors
# SPDX-License-Identifier: Apache-2.0

"""Metric math: the tables of its documentation. A list is a value a minute; None is a minute without one."""

import pytest

from conftest import approx, refused

N = None
COND = [1, 1, 0, 0, N]
THEN = [30, N, 0, 0, 30]
ELSE = [N, 0, 20, N, 20]
ELSE0 = [0, 0, 20, N, 20]

# An expression, its series, its values: one list a series that it returns.
CASES = {
    # Comparison and logic: a missing point counts as zero where the other side has one.
    "less": ("m1 < m2", {"m1": [30, 20, 0, 0], "m2": [20, N, 20, N]}, [[0, 0, 1, 0, N]]),
    "at least a number": ("m1 >= 30", {"m1": [30, 20, 0, 0]}, [[1, 0, 0, 0, N]]),
    "and": ("m1 > 15 AND m2 > 15", {"m1": [30, 20, 0, 0], "m2": [20, N, 20, N]}, [[1, 0, 0, 0, N]]),
    "or": ("m1 > 15 OR m2 > 15", {"m1": [30, 20, 0, 0], "m2": [20, N, 20, N]}, [[1, 1, 1, 0, N]]),
    "symbols": ("m1 > 15 && m2 > 15", {"m1": [30, 20, 0, 0], "m2": [20, N, 20, N]}, [[1, 0, 0, 0, N]]),
    "equal": ("m1 == 20", {"m1": [30, 20, 0]}, [[0, 1, 0, N, N]]),
    "not equal": ("m1 != 20", {"m1": [30, 20, 0]}, [[1, 0, 1, N, N]]),
    # Arithmetic.
    "sum of both": ("m1 + m2", {"m1": [1, N, 4], "m2": [2, 3, N]}, [[3, 3, 4, N, N]]),
    "division by zero": ("m1 / m2", {"m1": [1, N, 4], "m2": [2, 0, N]}, [[0.5, N, N, N, N]]),
    "a number": ("m1 * 2 - 1", {"m1": [1, N, 4]}, [[1, N, 7, N, N]]),
    "precedence": ("2 + m1 * 2 ^ 3 ^ 1", {"m1": [1, 2]}, [[10, 18, N, N, N]]),
    "unary": ("-m1 + 10", {"m1": [1, 2]}, [[9, 8, N, N, N]]),
    "array and number": ("[m1, m2] * 10", {"m1": [1, N], "m2": [2, 3]}, [[10, N, N, N, N], [20, 30, N, N, N]]),
    "error rate": ("100 * m1 / m2", {"m1": [5, 30], "m2": [100, 200]}, [[5, 15, N, N, N]]),
    # IF.
    "if, series": ("IF(c, a, b)", {"c": COND, "a": THEN, "b": ELSE0}, [[30, 0, 20, N, N]]),
    "if, number then series": ("IF(c, 5, b)", {"c": COND, "b": ELSE0}, [[5, 5, 20, N, N]]),
    "if, series else number": ("IF(c, a, 5)", {"c": COND, "a": THEN}, [[30, 0, 5, 5, N]]),
    "if without else": ("IF(c, a)", {"c": COND, "a": THEN}, [[30, 0, N, N, N]]),
    "if, a comparison": ("IF(a > 10, a)", {"a": THEN}, [[30, N, N, N, 30]]),
    "if, number": ("IF(1, a, b)", {"a": THEN, "b": ELSE}, [[30, N, 0, 0, 30]]),
    "if, negative is true": ("IF(a, 1, 0)", {"a": [-1, 0, 2]}, [[1, 0, 1, N, N]]),
    # Functions of one series.
    "abs": ("ABS(m)", {"m": [-1.5, N, 2]}, [[1.5, N, 2, N, N]]),
    "ceil": ("CEIL(m)", {"m": [1.2, -1.2]}, [[2, -1, N, N, N]]),
    "floor": ("FLOOR(m)", {"m": [1.2, -1.2]}, [[1, -2, N, N, N]]),
    "log10": ("LOG10(m)", {"m": [100, 0, 1000]}, [[2, N, 3, N, N]]),
    "log": ("LOG(m)", {"m": [1]}, [[0, N, N, N, N]]),
    "diff": ("DIFF(m)", {"m": [1, 4, N, 10]}, [[N, 3, N, 6, N]]),
    "diff time": ("DIFF_TIME(m)", {"m": [1, 4, N, 10]}, [[N, 60, N, 120, N]]),
    "rate": ("RATE(m)", {"m": [0, 60, N, 180]}, [[N, 1, N, 1, N]]),
    "running sum": ("RUNNING_SUM(m)", {"m": [1, 2, 3]}, [[1, 3, 6, N, N]]),
    "fill with a number": ("FILL(m, 0)", {"m": [N, 2, N, 3]}, [[0, 2, 0, 3, 0]]),
    "fill by repeating": ("FILL(m, REPEAT)", {"m": [N, 2, N, N, 3]}, [[N, 2, 2, 2, 3]]),
    "fill on a line": ("FILL(m, LINEAR)", {"m": [N, 2, N, N, 5]}, [[N, 2, 3, 4, 5]]),
    "fill with a series": ("FILL(m, n)", {"m": [1, N, N], "n": [7, 8, 9]}, [[1, 8, 9, N, N]]),
    # Scalars of a series: over the points that are there.
    "average": ("TIME_SERIES(MAX(m))", {"m": [1, 2, 6]}, [[6, 6, 6, 6, 6]]),
    "share of the sum": ("m / SUM(m)", {"m": [1, 2, 5]}, [[0.125, 0.25, 0.625, N, N]]),
    "count of points": ("m * DATAPOINT_COUNT(m)", {"m": [1, N, 5]}, [[2, N, 10, N, N]]),
    "period": ("m / PERIOD(m)", {"m": [60, 120]}, [[1, 2, N, N, N]]),
    # Functions of many series, minute by minute.
    "sum of array": ("SUM([m, n])", {"m": [1, N, 3], "n": [10, 20, N]}, [[11, 20, 3, N, N]]),
    "max of array": ("MAX([m, n])", {"m": [1, N, 3], "n": [10, 20, N]}, [[10, 20, 3, N, N]]),
    "min of array": ("MIN([m, n])", {"m": [1, N, 3], "n": [10, 20, N]}, [[1, 20, 3, N, N]]),
    "average of array": ("AVG([m, n])", {"m": [1, 2], "n": [3, 4]}, [[2, 3, N, N, N]]),
    "points of array": ("DATAPOINT_COUNT([m, n])", {"m": [1, N], "n": [3, 4]}, [[2, 1, N, N, N]]),
    "number of metrics": ("m * METRIC_COUNT([m, n])", {"m": [1, 5], "n": [3]}, [[2, 10, N, N, N]]),
    "metrics": ("SUM(METRICS())", {"m": [1, 5], "n": [3, 4]}, [[4, 9, N, N, N]]),
    "some metrics": ('SUM(METRICS("err"))', {"err1": [1, 5], "err2": [3, 4], "n": [100, 100]}, [[4, 9, N, N, N]]),
    "first": ("FIRST([m, n])", {"m": [1], "n": [2]}, [[1, N, N, N, N]]),
    "last": ("LAST([m, n])", {"m": [1], "n": [2]}, [[2, N, N, N, N]]),
    "slice": ("SLICE([a, b, c], 1)", {"a": [1], "b": [2], "c": [3]}, [[2, N, N, N, N], [3, N, N, N, N]]),
    "slice to": ("SLICE([a, b, c], 0, 2)", {"a": [1], "b": [2], "c": [3]}, [[1, N, N, N, N], [2, N, N, N, N]]),
    "sort": ("SORT([a, b, c], MAX, DESC)", {"a": [1], "b": [3], "c": [2]}, [[3, N, N, N, N], [2, N, N, N, N], [1, N, N, N, N]]),
    "the two least": ("SORT([a, b, c], SUM, ASC, 2)", {"a": [1], "b": [3], "c": [2]}, [[1, N, N, N, N], [2, N, N, N, N]]),
    "without the empty": ("REMOVE_EMPTY([a, b])", {"a": [1], "b": []}, [[1, N, N, N, N]]),
    "time series": ("TIME_SERIES(7)", {}, [[7, 7, 7, 7, 7]]),
}


@pytest.mark.parametrize("case", CASES)
def test_expression(metrics, case):
    expression, series, want = CASES[case]
    assert metrics.values(expression, **series) == [approx(w) for w in want]


def test_dates(metrics):
    at = metrics.start
    for function, want in (("MINUTE", at.minute), ("HOUR", at.hour), ("DAY", at.isoweekday()), ("DATE", at.day), ("MONTH", at.month),
                           ("YEAR", at.year), ("EPOCH", at.timestamp())):
        assert metrics.values(f"{function}(m)", m=[1])[0][0] == want, function


ERRORS = [
    ("FOO(a)", "Error in expression 'e1': Function 'FOO' not found"),
    ("a + m9", "Error in expression 'e1': ID 'm9' not found"),
    ("1 + 2", "Error in expression 'e1': The expression 'e1' must return a time series or array of time series."),
]


@pytest.mark.parametrize("expression,message", ERRORS)
def test_errors(metrics, expression, message):
    refused(lambda: metrics.get(metrics.stat("a", "m"), {"Id": "e1", "Expression": expression}), "ValidationError", message)


@pytest.mark.parametrize("expression", ["e1", "SUM(a, b, c)", "[a, b] + [b, a]", "a +", "(a", "[a, 1]", "RATE('x')", "FILL(a)"])
def test_other_errors(metrics, expression):
    answer = refused(
        lambda: metrics.get(metrics.stat("a", "m"), metrics.stat("b", "n"), {"Id": "e1", "Expression": expression}), "ValidationError")
    assert answer["Error"]["Message"].startswith("Error in expression 'e1': ")


def test_a_circle(metrics):
    answer = refused(lambda: metrics.get({"Id": "e1", "Expression": "e2+1"}, {"Id": "e2", "Expression": "e1+1"}), "ValidationError")
    assert "circular" in answer["Error"]["Message"].lower()
