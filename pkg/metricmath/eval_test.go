// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package metricmath

import (
	"context"
	"errors"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// testStart is a Friday.
var testStart = time.Date(2027, 12, 31, 23, 57, 0, 0, time.UTC).Unix()

// points reads "30 - 0" as the points of successive minutes.
func points(text string) Series {
	s := Series{Label: "metric", Period: 60}
	for i, field := range strings.Fields(text) {
		if field == "-" {
			continue
		}
		v, err := strconv.ParseFloat(field, 64)
		if err != nil {
			panic(err)
		}
		s.Timestamps = append(s.Timestamps, testStart+60*int64(i))
		s.Values = append(s.Values, v)
	}
	return s
}

// pointsText is the inverse, for a window of so many minutes.
func pointsText(s Series, slots int) string {
	fields := make([]string, slots)
	for i := range fields {
		fields[i] = "-"
	}
	for i, at := range s.Timestamps {
		fields[(at-testStart)/60] = strconv.FormatFloat(s.Values[i], 'g', 6, 64)
	}
	return strings.Join(fields, " ")
}

type testRequest struct {
	ids     []string
	queries []Query
	env     Env
}

// request has the metrics m1, m2, … with these points, one a minute.
func request(rows ...string) *testRequest {
	r := &testRequest{env: Env{Window: Window{Start: testStart}, Period: 60, Metrics: make(map[string]Series)}}
	slots := 0
	for i, row := range rows {
		id := "m" + strconv.Itoa(i+1)
		r.ids = append(r.ids, id)
		s := points(row)
		s.Label = id
		r.env.Metrics[id] = s
		slots = max(slots, len(strings.Fields(row)))
	}
	r.env.End = testStart + 60*int64(slots)
	return r
}

func (r *testRequest) add(tb testing.TB, id, expression string) *testRequest {
	tb.Helper()
	x, err := Parse(expression)
	require.NoError(tb, err, expression)
	r.queries = append(r.queries, Query{ID: id, Expr: x, Hidden: strings.HasPrefix(id, "hidden")})
	return r
}

func (r *testRequest) run(tb testing.TB) ([]Result, error) {
	tb.Helper()
	p, err := Compile(r.ids, r.queries)
	if err != nil {
		return nil, err
	}
	return p.Evaluate(tb.Context(), &r.env)
}

// result is the series of an expression as text, those of an array with " | " between them.
func (r *testRequest) result(tb testing.TB, expression string) string {
	tb.Helper()
	r.queries = nil
	results, err := r.add(tb, "e1", expression).run(tb)
	require.NoError(tb, err, expression)
	require.Len(tb, results, 1)
	slots := int((r.env.End - testStart) / 60)
	texts := make([]string, 0, len(results[0].Series))
	for _, s := range results[0].Series {
		require.NoError(tb, s.check(), expression)
		texts = append(texts, pointsText(s, slots))
	}
	if results[0].Array {
		return "[" + strings.Join(texts, " | ") + "]"
	}
	require.Len(tb, texts, 1)
	return texts[0]
}

// TestDocumentedTables are the tables of CloudWatch's user guide.
func TestDocumentedTables(t *testing.T) {
	t.Run("operators", func(t *testing.T) {
		r := request("30 20 0 0", "20 - 20 -")
		assert.Equal(t, "0 0 1 0", r.result(t, "(m1 < m2)"))
		assert.Equal(t, "1 0 0 0", r.result(t, "(m1 >= 30)"))
		assert.Equal(t, "1 0 0 0", r.result(t, "(m1 > 15 AND m2 > 15)"))
		assert.Equal(t, "1 1 1 -", request("30 20 - -", "20 - 20 -").result(t, "m1 OR m2"))
	})
	t.Run("missing points", func(t *testing.T) {
		assert.Equal(t, "3 3 4", request("1 - 4", "2 3 -").result(t, "m1+m2"))
		assert.Equal(t, "0.5 - -", request("1 - 4", "2 0 -").result(t, "m1/m2"))
	})
	t.Run("IF", func(t *testing.T) {
		r := request("1 1 0 0 -", "30 - 0 0 30", "0 0 20 - 20")
		assert.Equal(t, "30 0 20 - -", r.result(t, "IF(m1, m2, m3)"))
		assert.Equal(t, "5 5 20 - -", r.result(t, "IF(m1, 5, m3)"))
		assert.Equal(t, "30 0 5 5 -", r.result(t, "IF(m1, m2, 5)"))
		assert.Equal(t, "30 0 - - -", r.result(t, "IF(m1, m2)"))
		assert.Equal(t, "7 7 8 8 -", r.result(t, "IF(m1, 7, 8)"))
		assert.Equal(t, "7 7 - - -", r.result(t, "IF(m1, 7)"))
		assert.Equal(t, "7 7 8 8 -", r.result(t, "IF(-m1, 7, 8)"), "negative is true")
		assert.Equal(t, "30 - 0 0 30", r.result(t, "IF(1, m2, m3)"))
		assert.Equal(t, "0 0 20 - 20", r.result(t, "IF(0, m2, m3)"))
		assert.Equal(t, "- - - - -", r.result(t, "IF(0, m2)"))
		assert.Equal(t, "30 - 0 0 30", r.result(t, "IF(-1, m2)"))
		assert.Equal(t, "- - - - -", r.result(t, "IF(0/0, m2, m3)"))
		assert.Equal(t, "7 7 - - -", r.result(t, "IF(m1, 7, 1/0)"))
	})
}

func TestArithmetic(t *testing.T) {
	r := request("1 2 - 4", "- 10 20 40", "")
	for expression, want := range map[string]string{
		"m1 + 1":             "2 3 - 5",
		"1 - m1":             "0 -1 - -3",
		"m1 - 1":             "0 1 - 3",
		"8 / m1":             "8 4 - 2",
		"m1 * m1":            "1 4 - 16",
		"m1 ^ 2":             "1 4 - 16",
		"2 ^ m1":             "2 4 - 16",
		"-m1 ^ 2":            "-1 -4 - -16",
		"(-m1) ^ 0.5":        "- - - -",
		"m1 - m2":            "1 -8 -20 -36",
		"m2 / m1":            "0 5 - 10",
		"m1 / (m1 - m1)":     "- - - -",
		"m1 * (1/0)":         "- - - -",
		"(1/0) < m1":         "- - - -",
		"m1 * (0/0 == 0/0)":  "- - - -",
		"m1 * 1e308 * 1e308": "- - - -",
		"m1 + m3":            "1 2 - 4",
		"m3 + 1":             "- - - -",
		"m1 + m2 + m1":       "2 14 20 48",
		"(m1+m1) + (m2+m2)":  "2 24 40 88",
		"(m2+m2) - (m1+m1)":  "-2 16 40 72",
		"(m1+m1) * (m1+m1)":  "4 16 - 64",
		"(m1*2)/2 - m1":      "0 0 - 0",
		"m1 == 2":            "0 1 - 0",
		"m1 != 2":            "1 0 - 1",
		"m1 <= 2":            "1 1 - 0",
		"m1 > m2":            "1 0 0 0",
		"m1 > 1 == 1":        "0 1 - 1",
		"m1 AND m2":          "0 1 0 1",
		"m1 && 0":            "0 0 - 0",
		"0 || m1":            "1 1 - 1",
		"m1 * (1 AND 2)":     "1 2 - 4",
		"+m1 * (2 > 1)":      "1 2 - 4",
		"m1*2 + 3":           "5 7 - 11",
		"[m1, m2] * 2":       "[2 4 - 8 | - 20 40 80]",
		"100 / [m1, m2]":     "[100 50 - 25 | - 10 5 2.5]",
		"[m1, m2] - m1":      "[0 0 - 0 | -1 8 20 36]",
		"m1 - [m1, m2]":      "[0 0 - 0 | 1 -8 -20 -36]",
		"-[m1, [m2, m3]]":    "[-1 -2 - -4 | - -10 -20 -40 | - - - -]",
		"([m1]+1) - (m1+m1)": "[0 -1 - -3]",
		"(m1+m1) - ([m1]+1)": "[0 1 - 3]",
		"[m1,m2] > 2":        "[0 0 - 1 | - 1 1 1]",
	} {
		assert.Equal(t, want, r.result(t, expression), expression)
	}
	assert.Equal(t, "1 2 - 4", pointsText(r.env.Metrics["m1"], 4), "what was given is left alone")
}

func TestPeriods(t *testing.T) {
	r := request("1 2 3 4")
	slow := Series{Label: "m2", Period: 120, Timestamps: []int64{testStart, testStart + 120}, Values: []float64{10, 20}}
	r.ids, r.env.Metrics["m2"] = append(r.ids, "m2"), slow
	assert.Equal(t, "11 2 23 4", r.result(t, "m1 + m2"))
	assert.Equal(t, "60 - 60 -", r.result(t, "m2*0 + PERIOD(m1)"))
	assert.Equal(t, "120 120 120 120", r.result(t, "m1*0 + PERIOD(m2)"))
	assert.Equal(t, "15 15 15 15", r.result(t, "m1*0 + AVG(m2)"), "of the slots of its own period")
	assert.Equal(t, "10 - 20 -", r.result(t, "FILL(m2, 0)"))
	assert.Equal(t, "11 2 23 4", r.result(t, "SUM([m1,m2])"))
	assert.Equal(t, "5.5 1 11.5 2", r.result(t, "AVG([m1,m2])"))
	results, err := r.add(t, "e2", "m2/m1").add(t, "e3", "SUM([m2,m1])").add(t, "e4", "IF(m2, m1)").run(t)
	require.NoError(t, err)
	for _, res := range results {
		assert.EqualValues(t, 60, res.Series[0].Period, res.ID)
	}
}

func TestFunctions(t *testing.T) {
	r := request("-1.5 - 2.5 4", "- 10 - 40 ", "", "2 2 2 2")
	for expression, want := range map[string]string{
		"ABS(m1)":              "1.5 - 2.5 4",
		"CEIL(m1)":             "-1 - 3 4",
		"FLOOR([m1,m2])":       "[-2 - 2 4 | - 10 - 40]",
		"LOG(m1)":              "- - 0.916291 1.38629",
		"LOG10(m2)":            "- 1 - 1.60206",
		"LOG(m4-m4)":           "- - - -",
		"DIFF(m1)":             "- - 4 1.5",
		"RATE(m1)":             "- - 0.0333333 0.025",
		"DIFF_TIME(m1)":        "- - 120 60",
		"DIFF(m3)":             "- - - -",
		"RUNNING_SUM(m1)":      "-1.5 - 1 5",
		"RUNNING_SUM([m2,m4])": "[- 10 - 50 | 2 4 6 8]",

		"m4 * SUM(m1)":             "10 10 10 10",
		"m4 * AVG(m1)":             "2.5 2.5 2.5 2.5",
		"m4 * MIN(m1)":             "-3 -3 -3 -3",
		"m4 * MAX(m1)":             "8 8 8 8",
		"m4 * DATAPOINT_COUNT(m1)": "6 6 6 6",
		"m4 * STDDEV(m2)":          "32.7872 32.7872 32.7872 32.7872",
		"m4 * STDDEV(m4)":          "0 0 0 0",
		"m4 + SUM(m3)":             "2 2 2 2",
		"m4 + AVG(m3)":             "2 2 2 2",
		"m4 + STDDEV(m3)":          "2 2 2 2",
		"m4 + DATAPOINT_COUNT(m3)": "2 2 2 2",
		"m4 + MAX(m3)":             "- - - -",
		"m4 + MIN(m3)":             "- - - -",
		"SUM([m1,m2])":             "-1.5 10 2.5 44",
		"AVG([m1,m2])":             "-0.75 5 1.25 22",
		"MIN([m1,m2])":             "-1.5 10 2.5 4",
		"MAX([m1,m2,m3])":          "-1.5 10 2.5 40",
		"STDDEV([m1,m2])":          "0.75 5 1.25 18",
		"DATAPOINT_COUNT([m1,m2])": "1 1 1 2",
		"SUM(100/[m4, m4])":        "100 100 100 100",
		"AVG([m1,m4]/m4)":          "0.125 0.5 1.125 1.5",
		"MIN(ABS([m1, m4]))":       "1.5 2 2 2",
		"SUM(METRICS('none'))":     "- - - -",
		"AVG(METRICS('none'))":     "- - - -",
		"SUM([m3])":                "- - - -",

		"METRICS()":                                    "[-1.5 - 2.5 4 | - 10 - 40 | - - - - | 2 2 2 2]",
		"METRICS('2')":                                 "[- 10 - 40]",
		"SUM([METRICS('1'), METRICS(\"4\")])":          "0.5 2 4.5 6",
		"m4 / METRIC_COUNT(METRICS())":                 "0.5 0.5 0.5 0.5",
		"FIRST(METRICS())":                             "-1.5 - 2.5 4",
		"LAST(METRICS())":                              "2 2 2 2",
		"LAST(METRICS('none'))":                        "- - - -",
		"REMOVE_EMPTY(METRICS())":                      "[-1.5 - 2.5 4 | - 10 - 40 | 2 2 2 2]",
		"SLICE(METRICS(), 3)":                          "[2 2 2 2]",
		"SLICE(METRICS(), 0, 1)":                       "[-1.5 - 2.5 4]",
		"SLICE(METRICS(), 2, 1)":                       "[]",
		"SLICE(METRICS(), 9, 99)":                      "[]",
		"SLICE(METRICS(), METRIC_COUNT(METRICS())-1)":  "[2 2 2 2]",
		"SORT(METRICS(), SUM, DESC)":                   "[- 10 - 40 | 2 2 2 2 | -1.5 - 2.5 4 | - - - -]",
		"SORT(METRICS(), MAX, ASC)":                    "[2 2 2 2 | -1.5 - 2.5 4 | - 10 - 40 | - - - -]",
		"SORT(METRICS(), MIN, DESC)":                   "[- 10 - 40 | 2 2 2 2 | -1.5 - 2.5 4 | - - - -]",
		"SORT(METRICS(), AVG, ASC, 2)":                 "[- - - - | -1.5 - 2.5 4]",
		"SORT([m4,m4*1,m1], MAX, DESC, 99)":            "[-1.5 - 2.5 4 | 2 2 2 2 | 2 2 2 2]",
		"SLICE(SORT(METRICS(), SUM, DESC), 1, 2)":      "[2 2 2 2]",
		"IF(FIRST(SORT(METRICS(),AVG,DESC))>20, 1, 0)": "- 0 - 1",

		"FILL(m1, 10)":           "-1.5 10 2.5 4",
		"FILL(m1, m2)":           "-1.5 10 2.5 4",
		"FILL(m1, MIN(m1))":      "-1.5 -1.5 2.5 4",
		"FILL(m1, MIN(m3))":      "-1.5 - 2.5 4",
		"FILL(m1, REPEAT)":       "-1.5 -1.5 2.5 4",
		"FILL(m1, LINEAR)":       "-1.5 0.5 2.5 4",
		"FILL(m2, REPEAT)":       "- 10 10 40",
		"FILL(m2, LINEAR)":       "- 10 25 40",
		"FILL(m2, m4)":           "2 10 2 40",
		"FILL(m3, 0)":            "0 0 0 0",
		"FILL(m3, REPEAT)":       "- - - -",
		"FILL(m3, LINEAR)":       "- - - -",
		"FILL([m1,m2], LINEAR)":  "[-1.5 0.5 2.5 4 | - 10 25 40]",
		"FILL(METRICS('1'), m2)": "[-1.5 10 2.5 4]",

		"TIME_SERIES(5)":         "5 5 5 5",
		"TIME_SERIES(2*AVG(m1))": "2.5 2.5 2.5 2.5",
		"TIME_SERIES(0/0)":       "- - - -",
		"MINUTE(m3)":             "57 58 59 0",
		"HOUR(m3)":               "23 23 23 0",
		"DAY(m3)":                "5 5 5 6",
		"DATE(m2)":               "31 31 31 1",
		"MONTH(m2)":              "12 12 12 1",
		"YEAR(m2)":               "2027 2027 2027 2028",
		"EPOCH(m2) - 1830297420": "0 60 120 180",
		"IF(DAY(m1)<6, m1)":      "-1.5 0 2.5 -",
		"MINUTE(TIME_SERIES(1))": "57 58 59 0",
	} {
		assert.Equal(t, want, r.result(t, expression), expression)
	}
}

func TestSundayIsTheSeventhDay(t *testing.T) {
	r := request("1")
	r.env.Start = time.Date(2028, 1, 2, 12, 0, 0, 0, time.UTC).Unix()
	r.env.End = r.env.Start + 2*86400
	r.env.Period = 86400
	results, err := r.add(t, "e1", "DAY(TIME_SERIES(0))").run(t)
	require.NoError(t, err)
	assert.Equal(t, []float64{7, 1}, results[0].Series[0].Values)
}

func TestWindowOfSlots(t *testing.T) {
	r := request("1 2 3 4")
	r.env.Slots = func(period int64) (int64, int64) { return testStart + period, 2 }
	assert.Equal(t, "- 5 5 -", r.result(t, "TIME_SERIES(5)"))
	assert.Equal(t, "1 2 3 4", r.result(t, "FILL(m1, 0)"), "points outside the slots stay")
	assert.Equal(t, "2.5 2.5 2.5 2.5", r.result(t, "m1*0 + AVG(m1)"))
	r.env.Slots = func(int64) (int64, int64) { return 0, -1 }
	assert.Equal(t, "- - - -", r.result(t, "TIME_SERIES(5)"))
}

func TestDependencies(t *testing.T) {
	r := request("1 2 3").add(t, "e1", "e2 * e3").add(t, "hidden1", "SUM(m1)").add(t, "e2", "m1 + hidden1").add(t, "e3", "[m1, e2]")
	r.queries[2].Label = "second"
	r.queries[3].Label = "all"
	results, err := r.run(t)
	require.NoError(t, err)
	require.Len(t, results, 3)
	assert.Equal(t, "e1", results[0].ID)
	assert.True(t, results[0].Array)
	assert.Equal(t, []float64{7, 16, 27}, results[0].Series[0].Values)
	assert.Equal(t, []float64{49, 64, 81}, results[0].Series[1].Values)
	assert.Equal(t, "all m1", results[0].Series[0].Label)
	assert.Equal(t, "all second", results[0].Series[1].Label)
	assert.False(t, results[1].Array)
	assert.Equal(t, "second", results[1].Series[0].Label)
	assert.Equal(t, "all m1", results[2].Series[0].Label)
	assert.Equal(t, "all second", results[2].Series[1].Label)

	p, err := Compile(r.ids, r.queries)
	require.NoError(t, err)
	metrics, searches := p.Sources("e1")
	assert.Equal(t, []string{"m1"}, metrics)
	assert.Empty(t, searches)
}

func TestLabels(t *testing.T) {
	r := request("1", "2").add(t, "e1", "m1/m2").add(t, "e2", "METRICS()*2").add(t, "e3", "[SUM(METRICS()), m2]")
	results, err := r.run(t)
	require.NoError(t, err)
	labels := func(i int) (list []string) {
		for _, s := range results[i].Series {
			list = append(list, s.Label)
		}
		return list
	}
	assert.Equal(t, []string{"e1"}, labels(0))
	assert.Equal(t, []string{"m1", "m2"}, labels(1))
	assert.Equal(t, []string{"e3", "m2"}, labels(2))
}

func TestCompileErrors(t *testing.T) {
	f := func(want string, expressions ...string) {
		t.Helper()
		r := request("1 2 3", "1 2 3")
		for i, text := range expressions {
			r.add(t, "e"+strconv.Itoa(i+1), text)
		}
		_, err := r.run(t)
		var q *QueryError
		require.ErrorAs(t, err, &q, "%v", expressions)
		var e *Error
		require.ErrorAs(t, err, &e)
		assert.Equal(t, want, err.Error())
	}
	f("Error in expression 'e1': ID 'm9' not found", "m1 + m9")
	f("Error in expression 'e1': ID 'Total' not found", "m1 + Total")
	f("Error in expression 'e2': ID 'm9' not found", "e2", "m9")
	f("Error in expression 'e1': Circular dependency: e1 -> e1", "e1 + 1")
	f("Error in expression 'e3': Circular dependency: e2 -> e3 -> e2", "m1 + e2", "e3", "e2")
	f("Error in expression 'e1': The expression 'e1' must return a time series or array of time series.", "AVG(m1)")
	f("Error in expression 'e1': The expression 'e1' must return a time series or array of time series.", "5")
	f("Error in expression 'e1': The expression 'e1' must return a time series or array of time series.", "'a'")
	f("Error in expression 'e1': The expression 'e1' must return a time series or array of time series.", "PERIOD(m1) > 1")
	f("Error in expression 'e1': Unsupported operand type(s) for +: TS[] and TS[] (at position 4)", "[m1]+METRICS()")
	f("Error in expression 'e1': Unsupported operand type(s) for &&: TS and string (at position 3)", "m1 AND 'a'")
	f("Error in expression 'e1': Unsupported operand type for unary -: string (at position 0)", "-'a'")
	f("Error in expression 'e1': An array holds time series, not a scalar (at position 5)", "[m1, 2]")
	f("Error in expression 'e1': An array holds time series, not a string (at position 1)", "['a']")
	f("Error in expression 'e1': Function 'SUM' takes 1 argument, not 2 (at position 0)", "SUM(m1, m2)")
	f("Error in expression 'e1': Function 'FILL' takes 2 arguments, not 1 (at position 0)", "FILL(m1)")
	f("Error in expression 'e1': Function 'IF' takes 2 to 3 arguments, not 1 (at position 0)", "IF(m1)")
	f("Error in expression 'e1': Function 'METRICS' takes 0 to 1 arguments, not 2 (at position 0)", "METRICS('a','b')")
	f("Error in expression 'e1': Function 'METRICS' takes a string as argument 1 (at position 8)", "METRICS(m1)")
	f("Error in expression 'e1': Function 'ABS' takes a time series or an array of time series as argument 1, not a scalar (at position 4)", "ABS(-1)")
	f("Error in expression 'e1': Function 'SUM' takes a time series or an array of time series as argument 1, not a string (at position 4)", "SUM('a')")
	f("Error in expression 'e1': ID 'REPEAT' not found", "SUM(REPEAT)")
	f("Error in expression 'e1': Function 'FILL' takes one of REPEAT, LINEAR as argument 2 (at position 9)", "FILL(m1, NEAREST)")
	f("Error in expression 'e1': Function 'FILL' takes a scalar or a time series as argument 2, not an array of time series (at position 8)", "FILL(m1,METRICS())")
	f("Error in expression 'e1': Function 'FILL' takes a time series or an array of time series as argument 1, not a scalar (at position 5)", "FILL(1,2)")
	f("Error in expression 'e1': Function 'IF' takes a time series or a scalar as argument 1, not an array of time series (at position 3)", "IF([m1],m1)")
	f("Error in expression 'e1': Function 'IF' takes a time series or a scalar as argument 2, not an array of time series (at position 6)", "IF(m1,[m1])")
	f("Error in expression 'e1': Function 'IF' takes a time series as argument 2, not a scalar (at position 5)", "IF(1,2,m1)")
	f("Error in expression 'e1': Function 'DAY' takes a time series as argument 1, not an array of time series (at position 4)", "DAY([m1])")
	f("Error in expression 'e1': Function 'TIME_SERIES' takes a scalar as argument 1, not a time series (at position 12)", "TIME_SERIES(m1)")
	f("Error in expression 'e1': Function 'PERIOD' takes a metric, not the result of an expression (at position 12)", "m1/PERIOD(m1+1)")
	f("Error in expression 'e2': Function 'PERIOD' takes a metric, not the result of an expression (at position 10)", "m1", "m1/PERIOD(e1)")
	f("Error in expression 'e1': Function 'METRIC_COUNT' takes an array of time series as argument 1, not a time series (at position 16)", "m1*METRIC_COUNT(m1)")
	f("Error in expression 'e1': Function 'FIRST' takes an array of time series as argument 1, not a time series (at position 6)", "FIRST(m1)")
	f("Error in expression 'e1': Function 'REMOVE_EMPTY' takes an array of time series as argument 1, not a time series (at position 13)", "REMOVE_EMPTY(m1)")
	f("Error in expression 'e1': Function 'SLICE' takes an array of time series as argument 1, not a time series (at position 6)", "SLICE(m1, 0)")
	f("Error in expression 'e1': Function 'SLICE' takes a scalar as argument 2, not a time series (at position 12)", "SLICE([m1], m1)")
	f("Error in expression 'e1': Function 'SLICE' takes a whole number that is not negative as argument 2 (at position 12)", "SLICE([m1], 0.5)")
	f("Error in expression 'e1': Function 'SLICE' takes a whole number that is not negative as argument 3 (at position 15)", "SLICE([m1], 0, -1)")
	f("Error in expression 'e1': Function 'SLICE' takes a whole number that is not negative as argument 2 (at position 13)", "SLICE([m1], 1/0)")
	f("Error in expression 'e1': Function 'SORT' takes an array of time series as argument 1, not a time series (at position 5)", "SORT(m1, AVG, ASC)")
	f("Error in expression 'e1': Function 'SORT' takes one of AVG, MIN, MAX, SUM as argument 2 (at position 11)", "SORT([m1], STDDEV, ASC)")
	f("Error in expression 'e1': Function 'SORT' takes one of AVG, MIN, MAX, SUM as argument 2 (at position 11)", "SORT([m1], m1, ASC)")
	f("Error in expression 'e1': Function 'SORT' takes one of ASC, DESC as argument 3 (at position 16)", "SORT([m1], AVG, UP)")
	f("Error in expression 'e1': Function 'SORT' takes a scalar as argument 4, not a time series (at position 21)", "SORT([m1], AVG, ASC, m1)")
	f("Error in expression 'e1': Function 'SORT' takes a whole number that is not negative as argument 4 (at position 21)", "SORT([m1], AVG, ASC, -1)")
	f("Error in expression 'e1': Function 'SEARCH' takes a string as argument 2 (at position 12)", "SEARCH('a', m1, 60)")
	f("Error in expression 'e1': Function 'SEARCH' takes a period in seconds as argument 3 (at position 19)", "SEARCH('a', 'Sum', 1.5)")
	f("Error in expression 'e1': Period is a required field when using SEARCH without its own period", "SEARCH('a', 'Sum')")
	f("Error in expression 'e1': Function 'SEARCH' is not supported here", "SEARCH('a', 'Sum', 60)")
	f("Error in expression 'e1': Function 'INSIGHT_RULE_METRIC' is not supported: there are no Contributor Insights rules here.",
		"INSIGHT_RULE_METRIC('rule', Sum)")
	f("Error in expression 'e1': Function 'ANOMALY_DETECTION_BAND' is not supported here",
		"ANOMALY_DETECTION_BAND(m1, 2)")
	f("Error in expression 'e1': Function 'SERVICE_QUOTA' is not supported: there are no service quotas here.", "m1/SERVICE_QUOTA(m1)*100")
	f("Error in expression 'e1': Function 'DB_PERF_INSIGHTS' is not supported: there are no Performance Insights counters here.",
		"DB_PERF_INSIGHTS('RDS', 'db-1', ['os.cpu.avg'])")
	f("Error in expression 'e1': Function 'LAMBDA' is not supported: there are no data source connectors here.", "LAMBDA('f')")
	f("Error in expression 'e1': The request has more than 100 SEARCH functions.", "["+strings.Repeat("SEARCH('a','b',1),", 100)+"SEARCH('a','b',1)]")
}

type searcher struct {
	calls []SearchCall
	found []Series
	err   error
}

func (s *searcher) Search(_ context.Context, call SearchCall) ([]Series, error) {
	s.calls = append(s.calls, call)
	return s.found, s.err
}

func TestSearch(t *testing.T) {
	r := request("1 2")
	a, b := points("5 6"), points("- 8")
	a.Label, b.Label = "a", "b"
	s := &searcher{found: []Series{a, b}}
	r.env.Searcher = s
	assert.Equal(t, "[6 8 | 1 10]", r.result(t, `SEARCH('{NS,"a b"} x', 'Sum', 300) + m1`))
	assert.Equal(t, []SearchCall{{ID: "e1", Query: `{NS,"a b"} x`, Stat: "Sum", Period: 300}}, s.calls)

	r.queries, s.calls = nil, nil
	r.add(t, "e1", "SUM(hidden1)").add(t, "hidden1", `[SEARCH("x", "p99"), SEARCH("y", "p99", 10)]`)
	r.queries[1].Period = 60
	want := []SearchCall{{ID: "hidden1", Query: "x", Stat: "p99", Period: 60}, {ID: "hidden1", Query: "y", Stat: "p99", Period: 10}}
	p, err := Compile(r.ids, r.queries)
	require.NoError(t, err)
	assert.Equal(t, want, p.Searches())
	metrics, searches := p.Sources("e1")
	assert.Empty(t, metrics)
	assert.Equal(t, want, searches)
	results, err := p.Evaluate(t.Context(), &r.env)
	require.NoError(t, err)
	assert.Equal(t, want, s.calls)
	assert.Equal(t, []float64{10, 28}, results[0].Series[0].Values)

	s.err = errors.New("broken")
	_, err = p.Evaluate(t.Context(), &r.env)
	require.ErrorIs(t, err, s.err)
	s.err, s.found[0].Timestamps = nil, nil
	_, err = p.Evaluate(t.Context(), &r.env)
	require.ErrorIs(t, err, errSeries)
	s.found = make([]Series, 3000)
	_, err = p.Evaluate(t.Context(), &r.env)
	require.EqualError(t, err, "Error in expression 'hidden1': An array has more than 2500 time series (at position 1)")
}

func TestSourcesOfMetrics(t *testing.T) {
	r := request("1", "2", "3").add(t, "e1", "SUM(METRICS('2')) + e2").add(t, "e2", "m3*e3").add(t, "e3", "TIME_SERIES(1)").add(t, "e4", "METRICS()")
	p, err := Compile(r.ids, r.queries)
	require.NoError(t, err)
	for id, want := range map[string][]string{"e1": {"m2", "m3"}, "e2": {"m3"}, "e3": nil, "e4": {"m1", "m2", "m3"}} {
		metrics, _ := p.Sources(id)
		assert.Equal(t, want, metrics, id)
	}
}

func TestEvaluationBounds(t *testing.T) {
	r := request("1 2 3")
	r.env.End = r.env.Start + 1e12
	_, err := r.add(t, "e1", "TIME_SERIES(1)").run(t)
	require.EqualError(t, err, "Error in expression 'e1': The expressions make more than 20000000 data points.")

	r = request("1 2 3")
	r.add(t, "e0", "["+strings.Repeat("m1,", 599)+"m1]")
	for i := range 5 {
		r.add(t, "e"+strconv.Itoa(i+1), "["+strings.Repeat("e"+strconv.Itoa(i)+",", 9)+"m1]")
	}
	_, err = r.run(t)
	require.EqualError(t, err, "Error in expression 'e1': An array has more than 2500 time series (at position 0)")

	for _, text := range []string{
		"m1+m1", "m1+1", "-m1", "[m1]", "SUM([m1])", "SORT(METRICS(),SUM,ASC)", "FILL(m1,0)", "TIME_SERIES(1)", "IF(m1,1)", "DIFF(m1)",
	} {
		r = request(strings.Repeat("1 ", 100))
		r.env.Limits.Points = 5
		_, err = r.add(t, "e1", text).run(t)
		require.EqualError(t, err, "Error in expression 'e1': The expressions make more than 5 data points.", text)
	}
	r = request("1", "1")
	r.env.Limits.Series = 1
	_, err = r.add(t, "e1", "METRICS()").run(t)
	require.EqualError(t, err, "Error in expression 'e1': An array has more than 1 time series (at position 0)")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r = request("1").add(t, "e1", "ABS(m1)")
	p, err := Compile(r.ids, r.queries)
	require.NoError(t, err)
	_, err = p.Evaluate(ctx, &r.env)
	require.ErrorIs(t, err, context.Canceled)
}

func TestBadSeries(t *testing.T) {
	for _, s := range []Series{
		{Timestamps: []int64{1}},
		{Timestamps: []int64{1, 1}, Values: []float64{1, 2}},
		{Timestamps: []int64{1}, Values: []float64{math.Inf(1)}},
	} {
		r := request("1").add(t, "e1", "m1")
		r.env.Metrics["m1"] = s
		_, err := r.run(t)
		require.ErrorIs(t, err, errSeries)
	}
}
