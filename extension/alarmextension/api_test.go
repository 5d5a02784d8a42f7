// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarmextension

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPutAndDescribe(t *testing.T) {
	h := newHarness(t).start()
	h.put("plain")
	a := h.metricAlarm("plain")
	created := aws.Time(start)
	assert.Equal(t, types.MetricAlarm{
		AlarmName: aws.String("plain"), AlarmArn: aws.String(prefix + "plain"), ActionsEnabled: aws.Bool(true),
		AlarmActions: []string{topic}, OKActions: []string{topic}, InsufficientDataActions: []string{},
		AlarmConfigurationUpdatedTimestamp: created, StateUpdatedTimestamp: created, StateTransitionedTimestamp: created,
		StateValue: types.StateValueInsufficientData, StateReason: aws.String("Unchecked: Initial alarm creation"),
		Namespace: aws.String("App"), MetricName: aws.String("errors"),
		Dimensions: []types.Dimension{{Name: aws.String("host"), Value: aws.String("a")}},
		Statistic:  types.StatisticAverage, Period: aws.Int32(60), EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(10),
		ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold,
	}, a, "what was not given is not shown")

	h.clock.Add(time.Minute)
	h.put("plain")
	assert.Equal(t, a, h.metricAlarm("plain"), "an equal Put changes nothing")

	h.put("plain", func(in *cw.PutMetricAlarmInput) {
		in.AlarmDescription, in.TreatMissingData, in.DatapointsToAlarm = aws.String("text"), aws.String("ignore"), aws.Int32(1)
		in.Statistic, in.ExtendedStatistic, in.EvaluateLowSampleCountPercentile = "", aws.String("p90"), aws.String("ignore")
		in.ActionsEnabled, in.Unit, in.AlarmActions, in.Dimensions = aws.Bool(false), types.StandardUnitSeconds, nil, nil
		in.EvaluationWindow = &types.EvaluationWindowMemberWallClockWindow{Value: types.WallClockWindow{Timezone: aws.String("Europe/Berlin")}}
	})
	a = h.metricAlarm("plain")
	assert.Equal(t, start.Add(time.Minute), *a.AlarmConfigurationUpdatedTimestamp)
	assert.Equal(t, start, *a.StateUpdatedTimestamp)
	assert.Equal(t, []string{}, a.AlarmActions)
	assert.Equal(t, []types.Dimension{}, a.Dimensions)
	assert.Equal(t, "p90", *a.ExtendedStatistic)
	assert.Equal(t, "ignore", *a.EvaluateLowSampleCountPercentile)
	assert.Equal(t, "ignore", *a.TreatMissingData)
	assert.Equal(t, int32(1), *a.DatapointsToAlarm)
	assert.Equal(t, types.StandardUnitSeconds, a.Unit)
	assert.False(t, *a.ActionsEnabled)
	assert.Empty(t, a.Statistic)
	window, ok := a.EvaluationWindow.(*types.EvaluationWindowMemberWallClockWindow)
	require.True(t, ok, "%T", a.EvaluationWindow)
	assert.Equal(t, "Europe/Berlin", *window.Value.Timezone)

	_, err := h.api.PutMetricAlarm(t.Context(), math("math"))
	require.NoError(t, err)
	a = h.metricAlarm("math")
	assert.Equal(t, math("").Metrics[0].Expression, a.Metrics[0].Expression)
	assert.Equal(t, "errors", *a.Metrics[1].MetricStat.Metric.MetricName)
	assert.False(t, *a.Metrics[1].ReturnData)
	assert.Nil(t, a.MetricName)
	assert.Equal(t, []types.Dimension{}, a.Dimensions)

	assert.Equal(t, []string{`Alarm "plain" created`, `Alarm "plain" updated`}, h.history("plain"))
}

func math(name string) *cw.PutMetricAlarmInput {
	return &cw.PutMetricAlarmInput{
		AlarmName: &name, EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(1),
		ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold,
		Metrics: []types.MetricDataQuery{
			{Id: aws.String("e1"), Expression: aws.String("m1 * 2"), Label: aws.String("twice"), ReturnData: aws.Bool(true)},
			{Id: aws.String("m1"), ReturnData: aws.Bool(false), MetricStat: &types.MetricStat{
				Metric: &types.Metric{Namespace: aws.String("App"), MetricName: aws.String("errors")},
				Period: aws.Int32(60), Stat: aws.String("Sum"),
			}},
		},
	}
}

func TestPutErrors(t *testing.T) {
	h := newHarness(t).start()
	h.put("there")
	_, err := h.api.PutCompositeAlarm(t.Context(), &cw.PutCompositeAlarmInput{AlarmName: aws.String("both"), AlarmRule: aws.String("ALARM(there)")})
	require.NoError(t, err)
	for name, c := range map[string]struct {
		change        func(*cw.PutMetricAlarmInput)
		code, message string
	}{
		"nothing": {
			func(in *cw.PutMetricAlarmInput) { in.EvaluationPeriods = nil }, "ValidationError",
			"1 validation error detected: Value null at 'evaluationPeriods' failed to satisfy constraint: Member must not be null",
		},
		"empty texts": {func(in *cw.PutMetricAlarmInput) {
			in.Namespace, in.Period, in.DatapointsToAlarm = aws.String(""), aws.Int32(0), aws.Int32(0)
		}, "ValidationError", "3 validation errors detected: " +
			"Value '' at 'namespace' failed to satisfy constraint: Member must have length greater than or equal to 1; " +
			"Value '0' at 'period' failed to satisfy constraint: Member must have value greater than or equal to 1; " +
			"Value '0' at 'datapointsToAlarm' failed to satisfy constraint: Member must have value greater than or equal to 1"},
		"two statistics": {
			func(in *cw.PutMetricAlarmInput) { in.ExtendedStatistic = aws.String("p90") }, "ValidationError",
			"PutMetricAlarm request can not be made with both Statistic and ExtendedStatistic parameters. Only one of them should be present",
		},
		"no percentile": {
			func(in *cw.PutMetricAlarmInput) { in.Statistic, in.ExtendedStatistic = "", aws.String("p101") }, "InvalidParameterValue",
			"The value p101 for parameter ExtendedStatistic is not supported.",
		},
		"metric and metrics": {
			func(in *cw.PutMetricAlarmInput) { in.Metrics = math("").Metrics }, "ValidationError",
			"MetricName should not be set if list of Metrics is set.",
		},
		"action": {
			func(in *cw.PutMetricAlarmInput) {
				in.AlarmActions, in.ActionsEnabled = []string{"not-an-arn"}, aws.Bool(false)
			}, "ValidationError",
			"Invalid arn syntax: not-an-arn",
		},
		"reserved tag": {func(in *cw.PutMetricAlarmInput) {
			in.Tags = []types.Tag{{Key: aws.String("Aws:x"), Value: aws.String("")}}
		}, "AccessDenied", `The provided tag keys must not start with any case of "aws:"`},
		"promql": {func(in *cw.PutMetricAlarmInput) {
			in.EvaluationCriteria = &types.EvaluationCriteriaMemberPromQLCriteria{Value: types.AlarmPromQLCriteria{Query: aws.String("up")}}
		}, "NotImplemented", "PutMetricAlarm with EvaluationCriteria or EvaluationInterval (PromQL alarms) is not implemented."},
		"warm-up": {func(in *cw.PutMetricAlarmInput) {
			in.WarmUpConfiguration = &types.WarmUpConfiguration{WarmUpPeriodDurationInMinutes: aws.Int32(1)}
		}, "NotImplemented", "The parameter WarmUpConfiguration is not implemented."},
		"tag propagation": {
			func(in *cw.PutMetricAlarmInput) { in.ActionConfiguration = &types.ActionConfiguration{} }, "NotImplemented",
			"The parameter ActionConfiguration (tags in notifications) is not implemented.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := h.api.PutMetricAlarm(t.Context(), put("new", c.change))
			requireCode(t, err, c.code, c.message)
		})
	}
	_, err = h.api.PutMetricAlarm(t.Context(), put("both"))
	requireCode(t, err, "ValidationError")
	for rule, message := range map[string]string{
		"TRUE and FALSE": "Error in AlarmRule [Unsupported token 'and' at char 5, must be: <EOF>, 'AND', 'OR']",
		"ALARM(x)":       "Could not save the composite alarm as alarms [" + prefix + "x] in the alarm rule do not exist",
	} {
		_, err := h.api.PutCompositeAlarm(t.Context(), &cw.PutCompositeAlarmInput{AlarmName: aws.String("new"), AlarmRule: &rule})
		requireCode(t, err, "ValidationError", message)
	}
	_, err = h.api.PutCompositeAlarm(t.Context(), &cw.PutCompositeAlarmInput{
		AlarmName: aws.String("new"), AlarmRule: aws.String("TRUE"), ActionConfiguration: &types.ActionConfiguration{},
	})
	requireCode(t, err, "NotImplemented")
	_, err = h.api.PutLogAlarm(t.Context(), &cw.PutLogAlarmInput{
		AlarmName: aws.String("log"), ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold, Threshold: aws.Float64(1),
		QueryResultsToAlarm: aws.Int32(1), QueryResultsToEvaluate: aws.Int32(1),
		ScheduledQueryConfiguration: &types.ScheduledQueryConfiguration{
			QueryString: aws.String("fields @message"), AggregationExpression: aws.String("count(*)"), ScheduledQueryRoleARN: aws.String("arn"),
			LogGroupIdentifiers:   []string{"g"},
			ScheduleConfiguration: &types.ScheduleConfiguration{ScheduleExpression: aws.String("rate(5 minutes)"), StartTimeOffset: aws.Int64(300)},
		},
	})
	requireCode(t, err, "NotImplemented", "Operation monitoring:PutLogAlarm is not implemented.")

	out, err := h.api.DescribeAlarms(t.Context(), &cw.DescribeAlarmsInput{AlarmTypes: []types.AlarmType{"MetricAlarm", "CompositeAlarm"}})
	require.NoError(t, err)
	assert.Len(t, out.MetricAlarms, 1)
	assert.Len(t, out.CompositeAlarms, 1)
}

// TestValidationMessages checks PutMetricAlarm's messages as clients get them.
func TestValidationMessages(t *testing.T) {
	h := newHarness(t).start()
	percentile := func(in *cw.PutMetricAlarmInput, option string) {
		in.Statistic, in.ExtendedStatistic, in.EvaluateLowSampleCountPercentile = "", aws.String("p90"), &option
	}
	window := func(in *cw.PutMetricAlarmInput, period, periods int32) {
		in.Period, in.EvaluationPeriods = &period, &periods
	}
	queries := func(in *cw.PutMetricAlarmInput, list ...types.MetricDataQuery) {
		*in = *math("new")
		in.Metrics = list
	}
	for _, c := range []struct {
		change  func(*cw.PutMetricAlarmInput)
		message string
	}{
		{
			func(in *cw.PutMetricAlarmInput) { in.EvaluateLowSampleCountPercentile = aws.String("ignore") },
			"Option evaluateLowSampleCountPercentile can not be applied with statistic Average. This option is enabled only for percentile statistics.",
		},
		{
			func(in *cw.PutMetricAlarmInput) { percentile(in, "unknown") },
			"Option unknown is not supported. Supported options for parameter EvaluateLowSampleCountPercentile are evaluate and ignore.",
		},
		{
			func(in *cw.PutMetricAlarmInput) { in.TreatMissingData = aws.String("X") },
			"The value X is not supported for TreatMissingData parameter. Supported values are [breaching, notBreaching, ignore, missing].",
		},
		{func(in *cw.PutMetricAlarmInput) { window(in, 5, 1) }, "Period must be 10, 20, 30 or a multiple of 60"},
		{
			func(in *cw.PutMetricAlarmInput) { window(in, 60, 1441) },
			"Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400) for alarms using period < 3600",
		},
		{
			func(in *cw.PutMetricAlarmInput) { window(in, 3600, 169) },
			"Metrics cannot be checked across more than a week (EvaluationPeriods * Period must be <= 604800) for alarms using period >= 3600",
		},
		{
			func(in *cw.PutMetricAlarmInput) {
				queries(in, types.MetricDataQuery{Id: aws.String("e"), Expression: aws.String("SUM(SEARCH('{App} errors', 'Sum'))"), Period: aws.Int32(60)})
			},
			"SEARCH is not supported on Metric Alarms.",
		},
		{
			func(in *cw.PutMetricAlarmInput) {
				queries(in, types.MetricDataQuery{Id: aws.String("q"), Expression: aws.String(`SELECT MAX(errors) FROM App`), Period: aws.Int32(30)})
			},
			"MetricsInsights monitors do not support less than 60 seconds period",
		},
		{
			func(in *cw.PutMetricAlarmInput) {
				queries(in, types.MetricDataQuery{Id: aws.String("q"), Expression: aws.String(`SELECT MAX(errors) FROM App`), Period: aws.Int32(60)})
				in.EvaluationPeriods = aws.Int32(181)
			},
			"MetricsInsights monitors cannot be checked across more than 3 hours",
		},
		{
			func(in *cw.PutMetricAlarmInput) { in.ComparisonOperator = "Near" },
			"1 validation error detected: Value 'Near' at 'comparisonOperator' failed to satisfy constraint: Member must satisfy enum value set: " +
				"[GreaterThanOrEqualToThreshold, GreaterThanThreshold, LessThanThreshold, LessThanOrEqualToThreshold, " +
				"LessThanLowerOrGreaterThanUpperThreshold, LessThanLowerThreshold, GreaterThanUpperThreshold]",
		},
		{
			func(in *cw.PutMetricAlarmInput) {
				in.AlarmActions = slices.Repeat([]string{"arn:aws:sns:us-east-1:1:t"}, 6)
			},
			"1 validation error detected: Value '[arn:aws:sns:us-east-1:1:t, arn:aws:sns:us-east-1:1:t, arn:aws:sns:us-east-1:1:t, " +
				"arn:aws:sns:us-east-1:1:t, arn:aws:sns:us-east-1:1:t, arn:aws:sns:us-east-1:1:t]' at 'alarmActions' failed to satisfy constraint: " +
				"Member must have length less than or equal to 5",
		},
	} {
		_, err := h.api.PutMetricAlarm(t.Context(), put("new", c.change))
		requireCode(t, err, "ValidationError", c.message)
	}
	out, err := h.api.DescribeAlarms(t.Context(), &cw.DescribeAlarmsInput{})
	require.NoError(t, err)
	assert.Empty(t, out.MetricAlarms)
}

// TestHistoryEnds has an end that clients were shown find what it is the time of.
func TestHistoryEnds(t *testing.T) {
	h := newHarness(t).start()
	h.clock.Add(123_456_789 * time.Nanosecond)
	h.put("a")
	shown := start.Add(123 * time.Millisecond)
	for at, want := range map[time.Time]int{shown: 1, shown.Add(-time.Millisecond): 0} {
		out, err := h.api.DescribeAlarmHistory(t.Context(), &cw.DescribeAlarmHistoryInput{StartDate: &start, EndDate: &at})
		require.NoError(t, err)
		require.Len(t, out.AlarmHistoryItems, want)
		if want > 0 {
			assert.Equal(t, shown, *out.AlarmHistoryItems[0].Timestamp)
		}
	}
}

func TestDescribeFilters(t *testing.T) {
	h := newHarness(t).start()
	for i := range 5 {
		h.put(fmt.Sprintf("a%d", i))
	}
	h.put("b", func(in *cw.PutMetricAlarmInput) {
		in.AlarmActions, in.OKActions = nil, []string{"arn:aws:lambda:us-east-1:111111111111:function:f"}
	})
	h.put("a")
	describe := func(in *cw.DescribeAlarmsInput) string {
		t.Helper()
		var pages []string
		for {
			out, err := h.api.DescribeAlarms(t.Context(), in)
			require.NoError(t, err)
			assert.NotNil(t, out.LogAlarms)
			var names []string
			for _, a := range out.MetricAlarms {
				names = append(names, *a.AlarmName)
			}
			for _, a := range out.CompositeAlarms {
				names = append(names, *a.AlarmName)
			}
			pages = append(pages, strings.Join(names, " "))
			if out.NextToken == nil {
				return strings.Join(pages, "|")
			}
			in.NextToken = out.NextToken
		}
	}
	assert.Equal(t, "a a0 a1 a2 a3 a4 b", describe(&cw.DescribeAlarmsInput{}))
	assert.Equal(t, "a a0|a1 a2|a3 a4|b", describe(&cw.DescribeAlarmsInput{MaxRecords: aws.Int32(2)}))
	assert.Equal(t, "a a0 a1|a2 a3 a4", describe(&cw.DescribeAlarmsInput{AlarmNamePrefix: aws.String("a"), MaxRecords: aws.Int32(3)}))
	assert.Equal(t, "a1|b", describe(&cw.DescribeAlarmsInput{AlarmNames: []string{"b", "a1", "b", "x"}, MaxRecords: aws.Int32(1)}))
	assert.Equal(t, "b", describe(&cw.DescribeAlarmsInput{ActionPrefix: aws.String("arn:aws:lambda")}))
	h.setState("a2", types.StateValueAlarm)
	assert.Equal(t, "a2", describe(&cw.DescribeAlarmsInput{StateValue: types.StateValueAlarm}))
	assert.Empty(t, describe(&cw.DescribeAlarmsInput{AlarmTypes: []types.AlarmType{types.AlarmTypeCompositeAlarm}}))
}

func TestRelations(t *testing.T) {
	h := newHarness(t).start()
	h.put("m1")
	h.put("m2")
	for _, c := range [][2]string{{"c1", "ALARM(m2) OR ALARM(m1)"}, {"c2", "ALARM(c1) AND ALARM(m1)"}} {
		_, err := h.api.PutCompositeAlarm(t.Context(), &cw.PutCompositeAlarmInput{AlarmName: &c[0], AlarmRule: &c[1]})
		require.NoError(t, err)
	}
	out, err := h.api.DescribeAlarms(t.Context(), &cw.DescribeAlarmsInput{ChildrenOfAlarmName: aws.String("c2")})
	require.NoError(t, err)
	assert.Equal(t, []types.MetricAlarm{{
		AlarmName: aws.String("m1"), AlarmArn: aws.String(prefix + "m1"), StateValue: types.StateValueInsufficientData, StateUpdatedTimestamp: aws.Time(start),
	}}, out.MetricAlarms)
	assert.Equal(t, []types.CompositeAlarm{{
		AlarmName: aws.String("c1"), AlarmArn: aws.String(prefix + "c1"), StateValue: types.StateValueOk, StateUpdatedTimestamp: aws.Time(start),
	}}, out.CompositeAlarms)

	out, err = h.api.DescribeAlarms(t.Context(), &cw.DescribeAlarmsInput{ParentsOfAlarmName: aws.String("m1"), MaxRecords: aws.Int32(1)})
	require.NoError(t, err)
	assert.Equal(t, []types.CompositeAlarm{{AlarmName: aws.String("c1"), AlarmArn: aws.String(prefix + "c1")}}, out.CompositeAlarms)
	out, err = h.api.DescribeAlarms(t.Context(), &cw.DescribeAlarmsInput{ParentsOfAlarmName: aws.String("m1"), MaxRecords: aws.Int32(1), NextToken: out.NextToken})
	require.NoError(t, err)
	assert.Equal(t, []types.CompositeAlarm{{AlarmName: aws.String("c2"), AlarmArn: aws.String(prefix + "c2")}}, out.CompositeAlarms)
	assert.Nil(t, out.NextToken)

	for _, in := range []*cw.DescribeAlarmsInput{
		{ParentsOfAlarmName: aws.String("m1"), ChildrenOfAlarmName: aws.String("c1")},
		{ParentsOfAlarmName: aws.String("m1"), StateValue: types.StateValueOk},
		{ChildrenOfAlarmName: aws.String("m1"), AlarmNames: []string{"x"}},
		{AlarmNames: []string{"x"}, AlarmNamePrefix: aws.String("x")},
	} {
		_, err := h.api.DescribeAlarms(t.Context(), in)
		requireCode(t, err, "InvalidParameterCombination")
	}
	composite, err := h.api.DescribeAlarms(t.Context(), &cw.DescribeAlarmsInput{AlarmNames: []string{"c1"}, AlarmTypes: []types.AlarmType{types.AlarmTypeCompositeAlarm}})
	require.NoError(t, err)
	c := composite.CompositeAlarms[0]
	assert.Equal(t, "ALARM(m2) OR ALARM(m1)", *c.AlarmRule)
	assert.Equal(t, prefix+"c1 was created and its alarm rule evaluates to OK", *c.StateReason)

	_, err = h.api.DeleteAlarms(t.Context(), &cw.DeleteAlarmsInput{AlarmNames: []string{"m1", "m2"}})
	requireCode(t, err, "ValidationError", "Cannot delete m1 as there are composite alarm(s) depending on it.")
}

func TestDescribeErrors(t *testing.T) {
	h := newHarness(t).start()
	for _, c := range []struct {
		in      *cw.DescribeAlarmsInput
		message string
	}{
		{
			&cw.DescribeAlarmsInput{MaxRecords: aws.Int32(101)},
			"1 validation error detected: Value '101' at 'maxRecords' failed to satisfy constraint: Member must have value less than or equal to 100",
		},
		{
			&cw.DescribeAlarmsInput{StateValue: "INVALID"},
			"1 validation error detected: Value 'INVALID' at 'stateValue' failed to satisfy constraint: Member must satisfy enum value set: [INSUFFICIENT_DATA, ALARM, OK]",
		},
	} {
		_, err := h.api.DescribeAlarms(t.Context(), c.in)
		requireCode(t, err, "ValidationError", c.message)
	}
	_, err := h.api.DescribeAlarms(t.Context(), &cw.DescribeAlarmsInput{NextToken: aws.String("invalid-token")})
	requireCode(t, err, "InvalidNextToken", "Invalid NextToken : invalid-token")

	for i := range 3 {
		h.put(strconv.Itoa(i))
	}
	out, err := h.api.DescribeAlarms(t.Context(), &cw.DescribeAlarmsInput{MaxRecords: aws.Int32(1)})
	require.NoError(t, err)
	_, err = h.api.DescribeAlarms(t.Context(), &cw.DescribeAlarmsInput{NextToken: out.NextToken, StateValue: types.StateValueOk})
	requireCode(t, err, "InvalidNextToken")
	_, err = h.api.DescribeAlarmHistory(t.Context(), &cw.DescribeAlarmHistoryInput{NextToken: out.NextToken})
	requireCode(t, err, "InvalidNextToken")
	_, err = h.client("222222222222", region).DescribeAlarms(t.Context(), &cw.DescribeAlarmsInput{NextToken: out.NextToken})
	requireCode(t, err, "InvalidNextToken")
	_, err = h.api.DescribeAlarms(t.Context(), &cw.DescribeAlarmsInput{NextToken: aws.String(strings.Repeat("x", 10_000))})
	requireCode(t, err, "InvalidNextToken")
}

func TestTenantsAreApart(t *testing.T) {
	h := newHarness(t).start()
	h.put("mine")
	for _, other := range []*cw.Client{h.client("222222222222", region), h.client(account, "eu-west-1")} {
		out, err := other.DescribeAlarms(t.Context(), &cw.DescribeAlarmsInput{})
		require.NoError(t, err)
		assert.Empty(t, out.MetricAlarms)
		_, err = other.ListTagsForResource(t.Context(), &cw.ListTagsForResourceInput{ResourceARN: aws.String(prefix + "mine")})
		requireCode(t, err, "ResourceNotFoundException", "")
	}
}

func TestDescribeForMetric(t *testing.T) {
	h := newHarness(t).start()
	two := []types.Dimension{{Name: aws.String("host"), Value: aws.String("a")}, {Name: aws.String("az"), Value: aws.String("1")}}
	h.put("one")
	h.put("two", func(in *cw.PutMetricAlarmInput) { in.Dimensions = two })
	h.put("p90", func(in *cw.PutMetricAlarmInput) {
		in.Statistic, in.ExtendedStatistic, in.Period, in.Unit = "", aws.String("p90"), aws.Int32(300), types.StandardUnitCount
	})
	_, err := h.api.PutMetricAlarm(t.Context(), math("math"))
	require.NoError(t, err)
	names := func(change func(*cw.DescribeAlarmsForMetricInput)) (list []string) {
		in := &cw.DescribeAlarmsForMetricInput{Namespace: aws.String("App"), MetricName: aws.String("errors"), Dimensions: two[:1]}
		change(in)
		out, err := h.api.DescribeAlarmsForMetric(t.Context(), in)
		require.NoError(t, err)
		for _, a := range out.MetricAlarms {
			list = append(list, *a.AlarmName)
		}
		return list
	}
	assert.Equal(t, []string{"one", "p90"}, names(func(*cw.DescribeAlarmsForMetricInput) {}))
	assert.Equal(t, []string{"two"}, names(func(in *cw.DescribeAlarmsForMetricInput) {
		in.Dimensions = []types.Dimension{two[1], two[0]}
	}))
	assert.Empty(t, names(func(in *cw.DescribeAlarmsForMetricInput) { in.Dimensions = nil }), "of the math alarm nothing is told")
	assert.Equal(t, []string{"p90"}, names(func(in *cw.DescribeAlarmsForMetricInput) { in.ExtendedStatistic = aws.String("p90") }))
	assert.Equal(t, []string{"p90"}, names(func(in *cw.DescribeAlarmsForMetricInput) { in.Period = aws.Int32(300) }))
	assert.Equal(t, []string{"p90"}, names(func(in *cw.DescribeAlarmsForMetricInput) { in.Unit = types.StandardUnitCount }))
	assert.Equal(t, []string{"one"}, names(func(in *cw.DescribeAlarmsForMetricInput) { in.Statistic = types.StatisticAverage }))
	assert.Empty(t, names(func(in *cw.DescribeAlarmsForMetricInput) { in.MetricName = aws.String("other") }))
	_, err = h.api.DescribeAlarmsForMetric(t.Context(), &cw.DescribeAlarmsForMetricInput{Namespace: aws.String("n"), MetricName: aws.String(""), Unit: "Parsec"})
	requireCode(t, err, "ValidationError")
}

func TestSetState(t *testing.T) {
	h := newHarness(t).start()
	h.put("a")
	set := func(name string, change func(*cw.SetAlarmStateInput)) error {
		in := &cw.SetAlarmStateInput{AlarmName: &name, StateValue: types.StateValueAlarm, StateReason: aws.String("testing"), StateReasonData: aws.String(`{ "a":1}`)}
		change(in)
		_, err := h.api.SetAlarmState(t.Context(), in)
		return err
	}
	none := func(*cw.SetAlarmStateInput) {}
	h.clock.Add(time.Second)
	require.NoError(t, set("a", none))
	a := h.metricAlarm("a")
	assert.Equal(t, types.StateValueAlarm, a.StateValue)
	assert.Equal(t, "testing", *a.StateReason)
	assert.Equal(t, `{ "a":1}`, *a.StateReasonData, "byte for byte")
	assert.Equal(t, start.Add(time.Second), *a.StateUpdatedTimestamp)
	assert.Equal(t, start.Add(time.Second), *a.StateTransitionedTimestamp)
	h.clock.Add(time.Second)
	require.NoError(t, set("a", func(in *cw.SetAlarmStateInput) { in.StateReason, in.StateReasonData = aws.String("other"), nil }))
	assert.Equal(t, a, h.metricAlarm("a"), "the same state changes nothing")
	require.NoError(t, set("a", func(in *cw.SetAlarmStateInput) {
		in.StateValue, in.StateReasonData, in.StateReason = "OK", nil, aws.String("")
	}))
	assert.Nil(t, h.metricAlarm("a").StateReasonData)
	for _, data := range []string{"[]", "null", "{}"} {
		h.setState("a", types.StateValueInsufficientData)
		require.NoError(t, set("a", func(in *cw.SetAlarmStateInput) { in.StateReasonData = &data }))
	}

	requireCode(t, set("x", none), "ResourceNotFound", "")
	requireCode(t, set("a", func(in *cw.SetAlarmStateInput) { in.StateReasonData = aws.String("{") }), "InvalidFormat", "")
	requireCode(t, set("a", func(in *cw.SetAlarmStateInput) { in.StateValue = "INVALID" }), "ValidationError",
		"1 validation error detected: Value 'INVALID' at 'stateValue' failed to satisfy constraint: Member must satisfy enum value set: [INSUFFICIENT_DATA, ALARM, OK]")
	requireCode(t, set("a", func(in *cw.SetAlarmStateInput) { in.StateReason = aws.String(strings.Repeat("x", 1024)) }), "ValidationError")

	items, err := h.api.DescribeAlarmHistory(t.Context(), &cw.DescribeAlarmHistoryInput{AlarmName: aws.String("a"), HistoryItemType: types.HistoryItemTypeStateUpdate, ScanBy: types.ScanByTimestampAscending})
	require.NoError(t, err)
	assert.Equal(t, "Alarm updated from INSUFFICIENT_DATA to ALARM", *items.AlarmHistoryItems[0].HistorySummary)
	assert.JSONEq(t, `{"version":"1.0","oldState":{"stateValue":"INSUFFICIENT_DATA","stateReason":"Unchecked: Initial alarm creation"},
		"newState":{"stateValue":"ALARM","stateReason":"testing","stateReasonData":{"a":1}}}`, *items.AlarmHistoryItems[0].HistoryData)
}

// TestErrorShapes checks the answers of the older protocols, as recorded.
func TestErrorShapes(t *testing.T) {
	h := newHarness(t).start()
	for _, c := range []struct {
		headers map[string]string
		body    string
		status  int
		want    string
	}{
		{
			map[string]string{"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"},
			"Action=SetAlarmState&Version=2010-08-01&AlarmName=x&StateValue=OK&StateReason=r", http.StatusNotFound,
			"<Error><Type>Sender</Type><Code>ResourceNotFound</Code></Error>",
		},
		{
			map[string]string{"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "GraniteServiceVersion20100801.SetAlarmState"},
			`{"AlarmName":"x","StateValue":"OK","StateReason":"r"}`, http.StatusBadRequest,
			`{"__type":"com.amazonaws.cloudwatch.v2010_08_01#ResourceNotFound"}`,
		},
		{
			map[string]string{"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "GraniteServiceVersion20100801.SetAlarmState", "x-amzn-query-mode": "true"},
			`{"AlarmName":"x","StateValue":"OK","StateReason":"r"}`, http.StatusNotFound,
			`{"__type":"com.amazonaws.cloudwatch.v2010_08_01#ResourceNotFound"}`,
		},
		{
			map[string]string{"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"},
			"Action=DescribeAlarms&Version=2010-08-01", http.StatusOK, "<MetricAlarms/>",
		},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.server.URL+"/", strings.NewReader(c.body))
		require.NoError(t, err)
		for k, v := range c.headers {
			req.Header.Set(k, v)
		}
		resp, err := h.server.Client().Do(req)
		require.NoError(t, err)
		text, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		assert.Equal(t, c.status, resp.StatusCode)
		assert.Contains(t, string(text), c.want)
	}
}

func TestEnableDelete(t *testing.T) {
	h := newHarness(t).start()
	h.put("a")
	h.clock.Add(time.Second)
	for range 2 {
		_, err := h.api.DisableAlarmActions(t.Context(), &cw.DisableAlarmActionsInput{AlarmNames: []string{"a", "x"}})
		require.NoError(t, err)
	}
	assert.False(t, *h.metricAlarm("a").ActionsEnabled)
	h.setState("a", types.StateValueAlarm)
	_, err := h.api.EnableAlarmActions(t.Context(), &cw.EnableAlarmActionsInput{AlarmNames: []string{"a"}})
	require.NoError(t, err)
	h.deliver()
	assert.Empty(t, h.dispatcher.taken(), "enabling does not run the actions of the state")
	for range 2 {
		_, err = h.api.DeleteAlarms(t.Context(), &cw.DeleteAlarmsInput{AlarmNames: []string{"a", "x"}})
		require.NoError(t, err)
	}
	assert.Equal(t, []string{
		`Alarm "a" created`, `Alarm "a" updated`, "Alarm updated from INSUFFICIENT_DATA to ALARM", `Alarm "a" updated`, `Alarm "a" deleted`,
	}, h.history("a"), "history outlives the alarm")
	h.put("a")
	assert.Len(t, h.history("a"), 6, "and shows both lives")

	for _, names := range [][]string{nil, {""}, slices.Repeat([]string{"x"}, 101)} {
		_, err = h.api.DeleteAlarms(t.Context(), &cw.DeleteAlarmsInput{AlarmNames: names})
		require.Error(t, err)
		_, err = h.api.EnableAlarmActions(t.Context(), &cw.EnableAlarmActionsInput{AlarmNames: names})
		require.Error(t, err)
		_, err = h.api.DisableAlarmActions(t.Context(), &cw.DisableAlarmActionsInput{AlarmNames: names})
		require.Error(t, err)
	}
}

func TestTags(t *testing.T) {
	h := newHarness(t).start()
	tag := func(k, v string) types.Tag { return types.Tag{Key: &k, Value: &v} }
	h.put("a", func(in *cw.PutMetricAlarmInput) { in.Tags = []types.Tag{tag("k", "1"), tag("l", "2")} })
	var many []types.Tag
	for i := range 60 {
		many = append(many, tag(strconv.Itoa(i), ""))
	}
	h.put("a", func(in *cw.PutMetricAlarmInput) { in.Tags, in.Threshold = many, aws.Float64(1) })
	_, err := h.api.PutMetricAlarm(t.Context(), put("b", func(in *cw.PutMetricAlarmInput) { in.Tags = many }))
	requireCode(t, err, "ValidationError")

	arn := aws.String(prefix + "a")
	list := func() map[string]string {
		out, err := h.api.ListTagsForResource(t.Context(), &cw.ListTagsForResourceInput{ResourceARN: arn})
		require.NoError(t, err)
		m := map[string]string{}
		for _, t := range out.Tags {
			m[*t.Key] = *t.Value
		}
		return m
	}
	assert.Equal(t, map[string]string{"k": "1", "l": "2"}, list(), "those of the creation")
	_, err = h.api.TagResource(t.Context(), &cw.TagResourceInput{ResourceARN: arn, Tags: []types.Tag{tag("k", "3"), tag("n", "x"), tag("n", "4")}})
	require.NoError(t, err)
	_, err = h.api.UntagResource(t.Context(), &cw.UntagResourceInput{ResourceARN: arn, TagKeys: []string{"l", "nope"}})
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"k": "3", "n": "4"}, list())
	_, err = h.api.TagResource(t.Context(), &cw.TagResourceInput{ResourceARN: arn, Tags: []types.Tag{tag("z", ""), tag("AWS:x", "")}})
	requireCode(t, err, "AccessDenied", `The provided tag keys must not start with any case of "aws:"`)
	_, err = h.api.TagResource(t.Context(), &cw.TagResourceInput{ResourceARN: arn, Tags: many[:49]})
	requireCode(t, err, "InvalidParameterValue")
	h.restart()
	assert.Equal(t, map[string]string{"k": "3", "n": "4"}, list())

	for _, arn := range []string{
		prefix + "x", "arn:aws:cloudwatch::111111111111:dashboard/d", "arn:aws:cloudwatch:us-east-1:111111111111:insight-rule/r", "nonsense",
		"arn:aws:cloudwatch:us-east-1:111111111111:alarm-mute-rule:x", "arn:aws-cn:cloudwatch:us-east-1:111111111111:alarm:a",
	} {
		_, err = h.api.ListTagsForResource(t.Context(), &cw.ListTagsForResourceInput{ResourceARN: &arn})
		requireCode(t, err, "ResourceNotFoundException", "")
		_, err = h.api.TagResource(t.Context(), &cw.TagResourceInput{ResourceARN: &arn, Tags: []types.Tag{tag("k", "")}})
		requireCode(t, err, "ResourceNotFoundException", "")
		_, err = h.api.UntagResource(t.Context(), &cw.UntagResourceInput{ResourceARN: &arn, TagKeys: []string{"k"}})
		requireCode(t, err, "ResourceNotFoundException", "")
	}
}

func TestMuteRules(t *testing.T) {
	h := newHarness(t).start()
	h.put("a")
	tag := []types.Tag{{Key: aws.String("team"), Value: aws.String("x")}}
	rule := func(name, expression string, alarms ...string) *cw.PutAlarmMuteRuleInput {
		return &cw.PutAlarmMuteRuleInput{
			Name: &name, Description: aws.String("nightly"), Tags: tag,
			Rule:        &types.Rule{Schedule: &types.Schedule{Expression: &expression, Duration: aws.String("PT1H")}},
			MuteTargets: &types.MuteTargets{AlarmNames: alarms},
		}
	}
	for _, in := range []*cw.PutAlarmMuteRuleInput{
		rule("now", "at(2026-09-14T04:30)", "a"), rule("nightly", "cron(0 2 * * *)", "a", "b"), rule("past", "at(2026-09-01T00:00)", "b"),
	} {
		_, err := h.api.PutAlarmMuteRule(t.Context(), in)
		require.NoError(t, err)
	}
	got, err := h.api.GetAlarmMuteRule(t.Context(), &cw.GetAlarmMuteRuleInput{AlarmMuteRuleName: aws.String("now")})
	require.NoError(t, err)
	assert.Equal(t, "arn:aws:cloudwatch:us-east-1:111111111111:alarm-mute-rule:now", *got.AlarmMuteRuleArn)
	assert.Equal(t, types.AlarmMuteRuleStatusActive, got.Status)
	assert.Equal(t, "ONE_TIME", *got.MuteType)
	assert.Equal(t, "at(2026-09-14T04:30)", *got.Rule.Schedule.Expression)
	assert.Equal(t, []string{"a"}, got.MuteTargets.AlarmNames)
	assert.Equal(t, start, *got.LastUpdatedTimestamp)
	assert.Equal(t, "nightly", *got.Description)

	list := func(in *cw.ListAlarmMuteRulesInput) (out []string) {
		for {
			page, err := h.api.ListAlarmMuteRules(t.Context(), in)
			require.NoError(t, err)
			for _, s := range page.AlarmMuteRuleSummaries {
				out = append(out, (*s.AlarmMuteRuleArn)[strings.LastIndex(*s.AlarmMuteRuleArn, ":")+1:]+"="+string(s.Status)+"/"+*s.MuteType)
			}
			if in.NextToken = page.NextToken; in.NextToken == nil {
				return out
			}
		}
	}
	assert.Equal(t, []string{"nightly=SCHEDULED/RECURRING", "now=ACTIVE/ONE_TIME", "past=EXPIRED/ONE_TIME"}, list(&cw.ListAlarmMuteRulesInput{MaxRecords: aws.Int32(1)}))
	assert.Equal(t, []string{"nightly=SCHEDULED/RECURRING", "past=EXPIRED/ONE_TIME"}, list(&cw.ListAlarmMuteRulesInput{AlarmName: aws.String("b")}))
	assert.Equal(t, []string{"now=ACTIVE/ONE_TIME"}, list(&cw.ListAlarmMuteRulesInput{Statuses: []types.AlarmMuteRuleStatus{types.AlarmMuteRuleStatusActive}}))
	tags, err := h.api.ListTagsForResource(t.Context(), &cw.ListTagsForResourceInput{ResourceARN: got.AlarmMuteRuleArn})
	require.NoError(t, err)
	assert.Equal(t, tag, tags.Tags)

	h.setState("a", types.StateValueAlarm)
	h.deliver()
	assert.Empty(t, h.dispatcher.taken(), "muted")
	h.restart()
	assert.Equal(t, "ALARM", string(h.metricAlarm("a").StateValue))
	for range 2 {
		_, err = h.api.DeleteAlarmMuteRule(t.Context(), &cw.DeleteAlarmMuteRuleInput{AlarmMuteRuleName: aws.String("now")})
		require.NoError(t, err)
	}
	h.deliver()
	assert.Equal(t, []string{"a INSUFFICIENT_DATA->ALARM ", "a INSUFFICIENT_DATA->ALARM " + topic}, h.dispatcher.taken())
	assert.Contains(t, h.dispatcher.actions[1].Message, `"ActionExecutedAfterMuteWindow":true`)

	_, err = h.api.GetAlarmMuteRule(t.Context(), &cw.GetAlarmMuteRuleInput{AlarmMuteRuleName: aws.String("now")})
	requireCode(t, err, "ResourceNotFoundException")
	for _, change := range []func(*cw.PutAlarmMuteRuleInput){
		func(in *cw.PutAlarmMuteRuleInput) { in.Rule.Schedule.Expression = aws.String("cron(0 2 * *)") },
		func(in *cw.PutAlarmMuteRuleInput) { in.Rule.Schedule.Duration = aws.String("PT1S") },
		func(in *cw.PutAlarmMuteRuleInput) { in.Rule.Schedule.Timezone = aws.String("Mars/Olympus") },
		func(in *cw.PutAlarmMuteRuleInput) { in.MuteTargets.AlarmNames = slices.Repeat([]string{"x"}, 101) },
		func(in *cw.PutAlarmMuteRuleInput) { in.Name = aws.String("") },
	} {
		in := rule("new", "cron(0 2 * * *)", "a")
		change(in)
		_, err = h.api.PutAlarmMuteRule(t.Context(), in)
		requireCode(t, err, "ValidationError")
	}
	_, err = h.api.ListAlarmMuteRules(t.Context(), &cw.ListAlarmMuteRulesInput{Statuses: []types.AlarmMuteRuleStatus{"X"}})
	requireCode(t, err, "ValidationError")
}

func TestContributors(t *testing.T) {
	h := newHarness(t).start()
	_, err := h.api.DescribeAlarmContributors(t.Context(), &cw.DescribeAlarmContributorsInput{AlarmName: aws.String("x")})
	requireCode(t, err, "ResourceNotFoundException")
	h.put("a")
	out, err := h.api.DescribeAlarmContributors(t.Context(), &cw.DescribeAlarmContributorsInput{AlarmName: aws.String("a")})
	require.NoError(t, err)
	assert.Empty(t, out.AlarmContributors)
	_, err = h.api.DescribeAlarmContributors(t.Context(), &cw.DescribeAlarmContributorsInput{AlarmName: aws.String("a"), NextToken: aws.String("x")})
	requireCode(t, err, "InvalidNextToken")
}

func TestHistoryQueries(t *testing.T) {
	h := newHarness(t).start()
	h.put("a")
	h.clock.Add(time.Minute)
	h.put("b")
	_, err := h.api.PutCompositeAlarm(t.Context(), &cw.PutCompositeAlarmInput{AlarmName: aws.String("c"), AlarmRule: aws.String("ALARM(a)")})
	require.NoError(t, err)
	h.clock.Add(time.Minute)
	h.setState("a", types.StateValueAlarm)
	summaries := func(in *cw.DescribeAlarmHistoryInput) (out []string) {
		page, err := h.api.DescribeAlarmHistory(t.Context(), in)
		require.NoError(t, err)
		for _, i := range page.AlarmHistoryItems {
			out = append(out, *i.AlarmName+": "+*i.HistorySummary)
		}
		return out
	}
	assert.Equal(t, []string{
		"a: Alarm updated from INSUFFICIENT_DATA to ALARM", `b: Alarm "b" created`, `a: Alarm "a" created`,
	}, summaries(&cw.DescribeAlarmHistoryInput{}), "newest first, metric alarms alone")
	assert.Equal(t, []string{
		"c: Alarm updated from OK to ALARM", "c: Alarm updated from INSUFFICIENT_DATA to OK", `c: Alarm "c" created`,
	}, summaries(&cw.DescribeAlarmHistoryInput{AlarmTypes: []types.AlarmType{types.AlarmTypeCompositeAlarm}}))
	assert.Equal(t, []string{`b: Alarm "b" created`}, summaries(&cw.DescribeAlarmHistoryInput{
		StartDate: aws.Time(start.Add(time.Second)), EndDate: aws.Time(start.Add(time.Minute)),
	}))
	assert.Equal(t, []string{`a: Alarm "a" created`, `b: Alarm "b" created`}, summaries(&cw.DescribeAlarmHistoryInput{
		HistoryItemType: types.HistoryItemTypeConfigurationUpdate, ScanBy: types.ScanByTimestampAscending,
	}))
	assert.Empty(t, summaries(&cw.DescribeAlarmHistoryInput{AlarmName: aws.String("never")}))
	assert.Empty(t, summaries(&cw.DescribeAlarmHistoryInput{AlarmName: aws.String("a"), AlarmContributorId: aws.String("0123456789abcdef")}))

	_, err = h.api.DescribeAlarmHistory(t.Context(), &cw.DescribeAlarmHistoryInput{NextToken: aws.String("invalid-token")})
	requireCode(t, err, "InvalidNextToken", "Invalid NextToken : invalid-token")
	_, err = h.api.DescribeAlarmHistory(t.Context(), &cw.DescribeAlarmHistoryInput{AlarmContributorId: aws.String("0123456789abcdef")})
	requireCode(t, err, "ValidationError")
	_, err = h.api.DescribeAlarmHistory(t.Context(), &cw.DescribeAlarmHistoryInput{HistoryItemType: types.HistoryItemTypeAlarmContributorAction})
	requireCode(t, err, "ValidationError")
	_, err = h.api.DescribeAlarmHistory(t.Context(), &cw.DescribeAlarmHistoryInput{HistoryItemType: "X", ScanBy: "Y", MaxRecords: aws.Int32(0)})
	requireCode(t, err, "ValidationError")

	items, err := h.api.DescribeAlarmHistory(t.Context(), &cw.DescribeAlarmHistoryInput{AlarmName: aws.String("a"), HistoryItemType: types.HistoryItemTypeConfigurationUpdate})
	require.NoError(t, err)
	var data struct {
		Type         string
		CreatedAlarm map[string]any
	}
	require.NoError(t, json.Unmarshal([]byte(*items.AlarmHistoryItems[0].HistoryData), &data))
	assert.Equal(t, "Create", data.Type)
	assert.Equal(t, "AVERAGE", data.CreatedAlarm["extendedStatistic"])
	assert.Equal(t, types.AlarmTypeMetricAlarm, items.AlarmHistoryItems[0].AlarmType)
}
