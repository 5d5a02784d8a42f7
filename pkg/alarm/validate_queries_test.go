// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

func TestValidateQueries(t *testing.T) {
	t.Parallel()
	watched := metricQuery("m1")
	watched.ReturnData = nil
	stat := func(change func(*MetricStat)) Query {
		q := metricQuery("m1")
		q.ReturnData = nil
		change(q.Metric)
		return q
	}
	many := func(n, expressions int) []Query {
		list := []Query{{ID: "e", Expression: "SUM(METRICS())"}}
		for i := range n {
			list = append(list, metricQuery(fmt.Sprint("m", i)))
		}
		for i := range expressions - 1 {
			list = append(list, Query{ID: fmt.Sprint("e", i), Expression: "m0", ReturnData: new(false)})
		}
		return list
	}
	const id = " is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$."
	for _, c := range []struct {
		name    string
		queries []Query
		change  func(*MetricAlarm)
		want    string
	}{
		{"a metric", []Query{watched}, nil, ""},
		{"math", many(10, 10), nil, ""},
		{"a constant", []Query{{ID: "e1", Expression: "TIME_SERIES(0)", Period: 60}}, nil, ""},
		{"many metrics", many(11, 1), nil, "Too many metrics in alarm, maximum is 10"},
		{"many expressions", many(1, 11), nil, "Too many expressions in alarm, maximum is 10"},
		{"MetricName", []Query{watched}, func(m *MetricAlarm) { m.MetricName = "a" }, "MetricName should not be set if list of Metrics is set."},
		{"Namespace", []Query{watched}, func(m *MetricAlarm) { m.Namespace = "a" }, "Namespace should not be set if list of Metrics is set."},
		{
			"Dimensions",
			[]Query{watched},
			func(m *MetricAlarm) { m.Dimensions = []cloudwatch.Dimension{{Name: "a", Value: "b"}} },
			"Dimensions should not be set if list of Metrics is set.",
		},
		{"Statistic", []Query{watched}, func(m *MetricAlarm) { m.Statistic = "Sum" }, "Statistic should not be set if list of Metrics is set."},
		{
			"ExtendedStatistic",
			[]Query{watched},
			func(m *MetricAlarm) { m.ExtendedStatistic = "p9" },
			"ExtendedStatistic should not be set if list of Metrics is set.",
		},
		{"Period", []Query{watched}, func(m *MetricAlarm) { m.Period = 60 }, "Period should not be set if list of Metrics is set."},
		{"Unit", []Query{watched}, func(m *MetricAlarm) { m.Unit = "Count" }, "Unit should not be set if list of Metrics is set."},
		{
			"low samples",
			[]Query{watched},
			func(m *MetricAlarm) { m.EvaluateLowSampleCountPercentile = "ignore" },
			"EvaluateLowSampleCountPercentile should not be set if list of Metrics is set.",
		},
		{
			"no id",
			[]Query{{Expression: "m1"}},
			nil,
			failed("''", "metrics.1.member.id", "Member must have length greater than or equal to 1"),
		},
		{"wrong id", []Query{{ID: "M1", Expression: "1", Period: 60}}, nil, "The value for parameter Metrics.member.1.Id" + id},
		{"ids twice", []Query{metricQuery("m1"), watched}, nil, "The values for parameter id in Metrics are not unique."},
		{
			"both",
			[]Query{func() Query { q := watched; q.Expression = "1"; return q }()},
			nil,
			"The parameters MetricDataQuery Expression and MetricStat are mutually exclusive and you have specified both.",
		},
		{"neither", []Query{{ID: "m1"}}, nil, "Period must not be null"},
		{"no period at all", []Query{{ID: "e1", Expression: "TIME_SERIES(0)"}}, nil, "Period must not be null"},
		{
			"period of a metric",
			[]Query{func() Query { q := watched; q.Period = 60; return q }()},
			nil,
			"The parameter Metrics.member.1.Period is for expressions: set Metrics.member.1.MetricStat.Period.",
		},
		{
			"account of an expression",
			[]Query{{ID: "e1", Expression: "m1", AccountID: "1"}, metricQuery("m1")},
			nil,
			"The parameter Metrics.member.1.AccountId is for MetricStat: expressions are of the alarm's account.",
		},
		{
			"no namespace",
			[]Query{stat(func(s *MetricStat) { s.Namespace = "" })},
			nil,
			"The parameter Metrics.member.1.MetricStat.Metric.Namespace is required.",
		},
		{
			"no name",
			[]Query{stat(func(s *MetricStat) { s.MetricName = "" })},
			nil,
			"The parameter Metrics.member.1.MetricStat.Metric.MetricName is required.",
		},
		{
			"no statistic",
			[]Query{stat(func(s *MetricStat) { s.Stat = "" })},
			nil,
			"1 validation error detected: Value null at 'metrics.1.member.metricStat.stat' failed to satisfy constraint: Member must not be null",
		},
		{"wrong statistic", []Query{stat(func(s *MetricStat) { s.Stat = "p101" })}, nil, "The value p101 for parameter Stat is not supported."},
		{"wrong period", []Query{stat(func(s *MetricStat) { s.Period = 90 })}, nil, "Period must be 10, 20, 30 or a multiple of 60"},
		{
			"no period",
			[]Query{stat(func(s *MetricStat) { s.Period = 0 })},
			nil,
			failed("'0'", "metrics.1.member.metricStat.period", "Member must have value greater than or equal to 1"),
		},
		{
			"different periods",
			[]Query{watched, func() Query { q := metricQuery("m2"); q.Metric.Period = 300; return q }()},
			nil,
			"All metrics of an alarm must have the same Period, not 60 and 300",
		},
		{
			"long",
			[]Query{watched},
			func(m *MetricAlarm) { m.EvaluationPeriods = 1441 },
			"Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400) for alarms using period < 3600",
		},
		{"none returns", []Query{metricQuery("m1")}, nil, "Exactly one element of the metrics list should return data."},
		{"two return", []Query{watched, {ID: "e1", Expression: "m1"}}, nil, "Exactly one element of the metrics list should return data."},
		{
			"wall clock",
			[]Query{watched, {ID: "e1", Expression: "m1", ReturnData: new(false), Period: 60}},
			func(m *MetricAlarm) { m.WallClock = &WallClockWindow{} }, "",
		},
		{
			"wall clock of two minutes",
			[]Query{stat(func(s *MetricStat) { s.Period = 120 })},
			func(m *MetricAlarm) { m.WallClock = &WallClockWindow{} },
			"Period must be 60, 300, 3600, 86400 or 604800 for alarms with a WallClockWindow",
		},

		{"search", []Query{{ID: "e1", Expression: "SUM(SEARCH('{a} b', 'Sum', 60))", Period: 60}}, nil, "SEARCH is not supported on Metric Alarms."},
		{
			"hidden search",
			[]Query{watched, {ID: "e1", Expression: "SEARCH ('a', 'Sum')", ReturnData: new(false)}},
			nil,
			"SEARCH is not supported on Metric Alarms.",
		},
		{"a string with search", []Query{watched, {ID: "e1", Expression: "METRICS('SEARCH(')", ReturnData: new(false)}}, nil, ""},
		{
			"syntax",
			[]Query{watched, {ID: "e1", Expression: "m1 +", ReturnData: new(false)}},
			nil,
			"Error in expression 'e1': Invalid syntax at position 4: expected a value, found the end of the expression",
		},
		{
			"unknown function",
			[]Query{{ID: "e1", Expression: "ANOMALY_DETECTOR(m1)"}, metricQuery("m1")},
			nil,
			"Error in expression 'e1': Function 'ANOMALY_DETECTOR' not found",
		},
		{"unknown id", []Query{{ID: "e1", Expression: "m2"}, metricQuery("m1")}, nil, "Error in expression 'e1': ID 'm2' not found"},
		{"circle", []Query{{ID: "e1", Expression: "e1", Period: 60}}, nil, "Error in expression 'e1': Circular dependency: e1 -> e1"},
		{
			"a scalar",
			[]Query{{ID: "e1", Expression: "1"}, metricQuery("m1")},
			nil,
			"Error in expression 'e1': The expression 'e1' must return a time series or array of time series.",
		},
		{"an array", []Query{{ID: "e1", Expression: "METRICS() * 2"}, metricQuery("m1")}, nil, manySeries},
	} {
		m := mathAlarm(c.queries...)
		if c.change != nil {
			c.change(m)
		}
		_, message := refused(t, &Definition{Name: "a", Metric: m})
		assert.Equal(t, c.want, message, c.name)
	}
}

func TestValidateInsights(t *testing.T) {
	t.Parallel()
	query := func(text string, period int32) Query { return Query{ID: "q1", Expression: text, Period: period} }
	const scaling = "arn:aws:autoscaling:us-east-1:1:scalingPolicy:id:autoScalingGroupName/g:policyName/p"
	for _, c := range []struct {
		name    string
		queries []Query
		change  func(*Definition, *MetricAlarm)
		want    string
	}{
		{"one series", []Query{query("SELECT AVG(a) FROM b", 60)}, nil, ""},
		{"many", []Query{query(byHost, 60)}, nil, ""},
		{"not in order", []Query{query("SELECT AVG(a) FROM b GROUP BY c", 60)}, nil, manySeries},
		{"many after math", []Query{
			{ID: "q1", Expression: byHost, Period: 60, ReturnData: new(false)}, {ID: "e1", Expression: "q1 * 2"},
		}, nil, manySeries},
		{"short period", []Query{query(byHost, 30)}, nil, "MetricsInsights monitors do not support less than 60 seconds period"},
		{"no period", []Query{query(byHost, 0)}, nil, "Period must not be null"},
		{"three hours", []Query{query(byHost, 60)}, func(_ *Definition, m *MetricAlarm) { m.EvaluationPeriods = 180 }, ""},
		{
			"more than three hours",
			[]Query{query(byHost, 60)},
			func(_ *Definition, m *MetricAlarm) { m.EvaluationPeriods = 181 },
			"MetricsInsights monitors cannot be checked across more than 3 hours",
		},
		{
			"two hours of the wall's clock",
			[]Query{query(byHost, 3600)},
			func(_ *Definition, m *MetricAlarm) { m.EvaluationPeriods, m.WallClock = 2, &WallClockWindow{} }, "",
		},
		{
			"three hours of the wall's clock",
			[]Query{query(byHost, 3600)},
			func(_ *Definition, m *MetricAlarm) { m.EvaluationPeriods, m.WallClock = 3, &WallClockWindow{} },
			"MetricsInsights monitors cannot be checked across more than 3 hours",
		},
		{
			"a long period",
			[]Query{query(byHost, 86400)},
			func(_ *Definition, m *MetricAlarm) { m.EvaluationPeriods = 1 },
			"MetricsInsights monitors cannot be checked across more than 3 hours",
		},
		{"syntax", []Query{query("SELECT AVG(a) FRUM b", 60)}, nil, "Error in expression 'q1': Invalid syntax near 'FRUM b'"},
		{
			"two queries",
			[]Query{query(byHost, 60), {ID: "q2", Expression: byHost, Period: 60, ReturnData: new(false)}},
			nil,
			"An alarm can have one MetricsInsights query only: q1 and q2 are two.",
		},
		{"topic", []Query{query(byHost, 60)}, func(d *Definition, _ *MetricAlarm) { d.AlarmActions, d.OKActions = []string{aTopic}, []string{aTopic} }, ""},
		{
			"topic for no data",
			[]Query{query(byHost, 60)},
			func(d *Definition, _ *MetricAlarm) { d.InsufficientDataActions = []string{aTopic} },
			"InsufficientData actions are not supported for contributor-level action types in Multi Time Series alarms",
		},
		{
			"function for no data",
			[]Query{query(byHost, 60)},
			func(d *Definition, _ *MetricAlarm) {
				d.InsufficientDataActions = []string{"arn:aws:lambda:us-east-1:1:function:f"}
			},
			"InsufficientData actions are not supported for contributor-level action types in Multi Time Series alarms",
		},
		{
			"topic for no data of one series",
			[]Query{query("SELECT AVG(a) FROM b", 60)},
			func(d *Definition, _ *MetricAlarm) { d.InsufficientDataActions = []string{aTopic} }, "",
		},
		{
			"scaling",
			[]Query{query(byHost, 60)},
			func(d *Definition, _ *MetricAlarm) { d.AlarmActions = []string{scaling} },
			"Autoscaling actions are not available for Multi Time Series alarms",
		},
		{
			"scaling of one series",
			[]Query{query("SELECT AVG(a) FROM b", 60)},
			func(d *Definition, _ *MetricAlarm) { d.AlarmActions = []string{scaling} }, "",
		},
	} {
		d := &Definition{Name: "a", Metric: mathAlarm(c.queries...)}
		if c.change != nil {
			c.change(d, d.Metric)
		}
		_, message := refused(t, d)
		assert.Equal(t, c.want, message, c.name)
	}
}

func TestValidateBand(t *testing.T) {
	t.Parallel()
	watched := metricQuery("m1")
	watched.ReturnData = nil
	expected := func(text string) Query { return Query{ID: "ad1", Expression: text} }
	plain := expected("ANOMALY_DETECTION_BAND(m1, 2)")
	quiet := plain
	quiet.ReturnData = new(false)
	const form = "Error in expression 'ad1': it must have the form ANOMALY_DETECTION_BAND(id, number of standard deviations greater than 0)"
	for _, c := range []struct {
		name    string
		queries []Query
		change  func(*Definition, *MetricAlarm)
		want    string
	}{
		{"plain", []Query{watched, plain}, nil, ""},
		{"only the band returns", []Query{metricQuery("m1"), plain}, nil, ""},
		{"only the metric returns", []Query{watched, quiet}, nil, ""},
		{"neither returns", []Query{metricQuery("m1"), quiet}, nil, twoReturn},
		{"three return", []Query{watched, {ID: "e1", Expression: "m1"}, plain}, nil, twoReturn},
		{"no band", []Query{watched}, nil, oneThreshold},
		{"no queries", nil, nil, "PutMetricAlarm request should have either a MetricName or a list of Metrics"},
		{"another expression", []Query{watched, expected("m1 * 2")}, nil, form},
		{"of a sum", []Query{watched, expected("ANOMALY_DETECTION_BAND(m1 + m1, 2)")}, nil, form},
		{"no width", []Query{watched, expected("ANOMALY_DETECTION_BAND(m1, 0)")}, nil, form},
		{"negative width", []Query{watched, expected("ANOMALY_DETECTION_BAND(m1, -2)")}, nil, form},
		{"default width", []Query{watched, expected("ANOMALY_DETECTION_BAND(m1)")}, nil, ""},
		{"unknown metric", []Query{watched, expected("ANOMALY_DETECTION_BAND(m2, 2)")}, nil, "Error in expression 'ad1': ID 'm2' not found"},
		{
			"unknown metric alone",
			[]Query{metricQuery("m1"), expected("ANOMALY_DETECTION_BAND(m2, 2)")},
			nil,
			"Error in expression 'ad1': ID 'm2' not found",
		},
		{"itself", []Query{metricQuery("m1"), expected("ANOMALY_DETECTION_BAND(ad1, 2)")}, nil, "Error in expression 'ad1': ID 'ad1' not found"},
		{"of an expression", []Query{metricQuery("m1"), {ID: "e1", Expression: "m1 * 2"}, expected("ANOMALY_DETECTION_BAND(e1, 2)")}, nil, ""},
		{
			"of an array",
			[]Query{watched, {ID: "e1", Expression: "[m1, m1]", ReturnData: new(false)}, expected("ANOMALY_DETECTION_BAND(e1, 2)")},
			nil, manySeries,
		},
		{"of all metrics", []Query{
			watched,
			{ID: "e1", Expression: "SUM(METRICS())", ReturnData: new(false)},
			expected("ANOMALY_DETECTION_BAND(e1, 2)"),
		}, nil, "METRICS is not supported on anomaly detection alarms."},
		{"of a query", []Query{
			{ID: "q1", Expression: "SELECT AVG(a) FROM b", Period: 60}, expected("ANOMALY_DETECTION_BAND(q1, 2)"),
		}, nil, "Error in expression 'ad1': 'q1' is a MetricsInsights query"},
		{
			"threshold",
			[]Query{watched, plain},
			func(_ *Definition, m *MetricAlarm) { m.Threshold = new(1.0) },
			"Threshold should not be set if ThresholdMetricId is set.",
		},
		{
			"short period",
			[]Query{func() Query { q := metricQuery("m1"); q.ReturnData, q.Metric.Period = nil, 10; return q }(), plain},
			nil,
			"Anomaly detection alarms support periods from 60 to 3600 seconds, not 10",
		},
		{"an hour", []Query{func() Query { q := metricQuery("m1"); q.ReturnData, q.Metric.Period = nil, 3600; return q }(), plain}, nil, ""},
		{
			"a long period",
			[]Query{func() Query { q := metricQuery("m1"); q.ReturnData, q.Metric.Period = nil, 7200; return q }(), plain},
			nil,
			"Anomaly detection alarms support periods from 60 to 3600 seconds, not 7200",
		},
		{"scaling", []Query{watched, plain}, func(d *Definition, _ *MetricAlarm) {
			d.AlarmActions = []string{"arn:aws:autoscaling:us-east-1:1:scalingPolicy:id:autoScalingGroupName/g:policyName/p"}
		}, "autoscaling actions not supported when ThresholdMetricId is set"},
	} {
		d := &Definition{Name: "a", Metric: bandAlarm(LessThanLowerOrGreaterThanUpperThreshold, c.queries...)}
		if c.change != nil {
			c.change(d, d.Metric)
		}
		_, message := refused(t, d)
		assert.Equal(t, c.want, message, c.name)
	}
}
