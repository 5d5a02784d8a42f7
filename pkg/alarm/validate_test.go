// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// refused is the code and message of a definition, "" and "" of one that is taken.
func refused(t *testing.T, d *Definition) (code, message string) {
	t.Helper()
	err := Validate(d)
	if err == nil {
		return "", ""
	}
	var wrong *Error
	if !assert.ErrorAs(t, err, &wrong) {
		return "", err.Error()
	}
	return wrong.Code, wrong.Message
}

const aTopic = "arn:aws:sns:us-east-1:123456789012:topic"

func failed(value, path, constraint string) string {
	return "1 validation error detected: Value " + value + " at '" + path + "' failed to satisfy constraint: " + constraint
}

func TestValidateScalar(t *testing.T) {
	t.Parallel()
	long := func(n int) string { return strings.Repeat("x", n) }
	dimensions := func(n int) []cloudwatch.Dimension {
		list := make([]cloudwatch.Dimension, n)
		for i := range list {
			list[i] = cloudwatch.Dimension{Name: fmt.Sprint("d", i), Value: "v"}
		}
		return list
	}
	const (
		most    = "Member must have length less than or equal to "
		value   = "Member must have value greater than or equal to 1"
		aDay    = "Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400) for alarms using period < 3600"
		aWeek   = "Metrics cannot be checked across more than a week (EvaluationPeriods * Period must be <= 604800) for alarms using period >= 3600"
		periods = "Period must be 10, 20, 30 or a multiple of 60"
	)
	for _, c := range []struct {
		name   string
		change func(*Definition, *MetricAlarm)
		want   string // "" is taken
	}{
		{"plain", func(*Definition, *MetricAlarm) {}, ""},
		{"name", func(d *Definition, _ *MetricAlarm) { d.Name = long(255) }, ""},
		{"name of other characters", func(d *Definition, _ *MetricAlarm) { d.Name = strings.Repeat("ä", 255) + "" }, ""},
		{"no name", func(d *Definition, _ *MetricAlarm) { d.Name = "" }, failed("''", "alarmName", "Member must have length greater than or equal to 1")},
		{"long name", func(d *Definition, _ *MetricAlarm) { d.Name = long(256) }, failed("'"+long(256)+"'", "alarmName", most+"255")},
		{"control character", func(d *Definition, _ *MetricAlarm) { d.Name = "a\tb" }, "AlarmName must not contain ASCII Control characters"},
		{"not UTF-8", func(d *Definition, _ *MetricAlarm) { d.Name = "a\xff" }, "AlarmName must contain only UTF-8 characters"},
		{"description", func(d *Definition, _ *MetricAlarm) { d.Description = new(long(1024)) }, ""},
		{"empty description", func(d *Definition, _ *MetricAlarm) { d.Description = new("") }, ""},
		{
			"long description", func(d *Definition, _ *MetricAlarm) { d.Description = new(long(1025)) },
			failed("'"+long(1024)+"…'", "alarmDescription", most+"1024"),
		},
		{"five actions", func(d *Definition, _ *MetricAlarm) { d.OKActions = []string{aTopic, aTopic, aTopic, aTopic, aTopic} }, ""},
		{
			"six actions", func(d *Definition, _ *MetricAlarm) {
				d.AlarmActions = []string{aTopic, aTopic, aTopic, aTopic, aTopic, aTopic}
			},
			failed("'["+strings.Repeat(aTopic+", ", 5)+aTopic+"]'", "alarmActions", most+"5"),
		},
		{
			"long action", func(d *Definition, _ *MetricAlarm) { d.OKActions = []string{long(1025)} },
			failed("'["+long(1023)+"…'", "oKActions", "Member must satisfy constraint: [Member must have length less than or equal "+
				"to 1024, Member must have length greater than or equal to 1]"),
		},
		{"no ARN", func(d *Definition, _ *MetricAlarm) { d.AlarmActions = []string{"not-an-arn"} }, "Invalid arn syntax: not-an-arn"},
		{
			"no ARN, disabled", func(d *Definition, _ *MetricAlarm) { d.ActionsEnabled, d.OKActions = false, []string{"arn:aws:sns:x"} },
			"Invalid arn syntax: arn:aws:sns:x",
		},
		{"all kinds of actions", func(d *Definition, _ *MetricAlarm) {
			d.AlarmActions = []string{
				"arn:aws:automate:us-east-1:ec2:stop", "arn:aws:swf:us-east-1:1:action/actions/AWS_EC2.InstanceId.Stop/1.0",
				"arn:aws:ssm:us-east-1:1:opsitem:1#CATEGORY=Performance", "arn:aws:ssm-incidents::1:responseplan/x",
				"arn:aws:aiops:us-east-1:1:investigation-group:x",
			}
			d.OKActions = []string{
				"arn:aws:lambda:us-east-1:1:function:f:PROD",
				"arn:aws:autoscaling:us-east-1:1:scalingPolicy:id:autoScalingGroupName/g:policyName/p",
			}
		}, ""},
		{
			"another service", func(d *Definition, _ *MetricAlarm) { d.AlarmActions = []string{"arn:aws:sqs:us-east-1:1:q"} },
			"Unsupported AWS vendor sqs",
		},

		{
			"no metric", func(_ *Definition, m *MetricAlarm) { m.MetricName = "" },
			"PutMetricAlarm request should have either a MetricName or a list of Metrics",
		},
		{"no namespace", func(_ *Definition, m *MetricAlarm) { m.Namespace = "" }, "PutMetricAlarm request should have a Namespace parameter"},
		{"namespace", func(_ *Definition, m *MetricAlarm) { m.Namespace = long(255) }, ""},
		{"long namespace", func(_ *Definition, m *MetricAlarm) { m.Namespace = long(256) }, failed("'"+long(256)+"'", "namespace", most+"255")},
		{
			"colon", func(_ *Definition, m *MetricAlarm) { m.Namespace = ":a" },
			failed("':a'", "namespace", "Member must satisfy regular expression pattern: [^:].*"),
		},
		{"namespace not in ASCII", func(_ *Definition, m *MetricAlarm) { m.Namespace = "ä" }, "Namespace must not contain Non-ASCII characters."},
		{"long metric name", func(_ *Definition, m *MetricAlarm) { m.MetricName = long(256) }, failed("'"+long(256)+"'", "metricName", most+"255")},
		{"30 dimensions", func(_ *Definition, m *MetricAlarm) { m.Dimensions = dimensions(30) }, ""},
		{
			"a dimension without value", func(_ *Definition, m *MetricAlarm) { m.Dimensions = []cloudwatch.Dimension{{Name: "a"}} },
			failed("''", "dimensions.1.member.value", "Member must have length greater than or equal to 1"),
		},
		{"a dimension twice", func(_ *Definition, m *MetricAlarm) {
			m.Dimensions = []cloudwatch.Dimension{{Name: "a", Value: "1"}, {Name: "b", Value: "1"}, {Name: "a", Value: "2"}}
		}, "No metric may specify the same dimension name twice"},

		{
			"both statistics", func(_ *Definition, m *MetricAlarm) { m.ExtendedStatistic = "p90" },
			"PutMetricAlarm request can not be made with both Statistic and ExtendedStatistic parameters. " +
				"Only one of them should be present",
		},
		{"no statistic", func(_ *Definition, m *MetricAlarm) { m.Statistic = "" }, "PutMetricAlarm request should have a Statistic parameter"},
		{
			"wrong statistic", func(_ *Definition, m *MetricAlarm) { m.Statistic = "Mean" },
			failed("'Mean'", "statistic", "Member must satisfy enum value set: [Maximum, SampleCount, Sum, Minimum, Average]"),
		},
		{"no period", func(_ *Definition, m *MetricAlarm) { m.Period = 0 }, "PutMetricAlarm request should have a Period parameter"},
		{"negative period", func(_ *Definition, m *MetricAlarm) { m.Period = -60 }, failed("'-60'", "period", value)},
		{"period 1", func(_ *Definition, m *MetricAlarm) { m.Period = 1 }, periods},
		{"period 5", func(_ *Definition, m *MetricAlarm) { m.Period = 5 }, periods},
		{"period 10", func(_ *Definition, m *MetricAlarm) { m.Period = 10 }, ""},
		{"period 20", func(_ *Definition, m *MetricAlarm) { m.Period = 20 }, ""},
		{"period 30", func(_ *Definition, m *MetricAlarm) { m.Period = 30 }, ""},
		{"period 40", func(_ *Definition, m *MetricAlarm) { m.Period = 40 }, periods},
		{"period 90", func(_ *Definition, m *MetricAlarm) { m.Period = 90 }, periods},
		{"a day of minutes", func(_ *Definition, m *MetricAlarm) { m.EvaluationPeriods = 1440 }, ""},
		{"more than a day of minutes", func(_ *Definition, m *MetricAlarm) { m.EvaluationPeriods = 1441 }, aDay},
		{"more than a day of ten seconds", func(_ *Definition, m *MetricAlarm) { m.Period, m.EvaluationPeriods = 10, 8641 }, aDay},
		{"more than a day, almost hours", func(_ *Definition, m *MetricAlarm) { m.Period, m.EvaluationPeriods = 3540, 25 }, aDay},
		{"a week of hours", func(_ *Definition, m *MetricAlarm) { m.Period, m.EvaluationPeriods = 3600, 168 }, ""},
		{"more than a week of hours", func(_ *Definition, m *MetricAlarm) { m.Period, m.EvaluationPeriods = 3600, 169 }, aWeek},
		{"a week", func(_ *Definition, m *MetricAlarm) { m.Period, m.EvaluationPeriods = 604800, 1 }, ""},
		{"two weeks", func(_ *Definition, m *MetricAlarm) { m.Period, m.EvaluationPeriods = 604800, 2 }, aWeek},
		{"huge", func(_ *Definition, m *MetricAlarm) { m.Period, m.EvaluationPeriods = 2147483640, 2147483647 }, aWeek},
		{"unit", func(_ *Definition, m *MetricAlarm) { m.Unit = "Count/Second" }, ""},
		{"no periods", func(_ *Definition, m *MetricAlarm) { m.EvaluationPeriods = 0 }, failed("'0'", "evaluationPeriods", value)},
		{"M = N", func(_ *Definition, m *MetricAlarm) { m.DatapointsToAlarm = 3 }, ""},
		{
			"M > N", func(_ *Definition, m *MetricAlarm) { m.DatapointsToAlarm = 4 },
			"DatapointsToAlarm must be less than or equal to EvaluationPeriods",
		},
		{"M < 0", func(_ *Definition, m *MetricAlarm) { m.DatapointsToAlarm = -1 }, failed("'-1'", "datapointsToAlarm", value)},
		{"no threshold", func(_ *Definition, m *MetricAlarm) { m.Threshold = nil }, "PutMetricAlarm request should have valid Threshold parameter"},
		{
			"NaN", func(_ *Definition, m *MetricAlarm) { m.Threshold = new(math.NaN()) },
			"PutMetricAlarm request should have valid Threshold parameter",
		},
		{
			"infinite", func(_ *Definition, m *MetricAlarm) { m.Threshold = new(math.Inf(-1)) },
			"PutMetricAlarm request should have valid Threshold parameter",
		},
		{
			"no operator", func(_ *Definition, m *MetricAlarm) { m.ComparisonOperator = "" },
			"1 validation error detected: Value null at 'comparisonOperator' failed to satisfy constraint: Member must not be null",
		},
		{
			"wrong operator", func(_ *Definition, m *MetricAlarm) { m.ComparisonOperator = ">" },
			failed("'>'", "comparisonOperator", "Member must satisfy enum value set: [GreaterThanOrEqualToThreshold, "+
				"GreaterThanThreshold, LessThanThreshold, LessThanOrEqualToThreshold, LessThanLowerOrGreaterThanUpperThreshold, "+
				"LessThanLowerThreshold, GreaterThanUpperThreshold]"),
		},
		{
			"band without model", func(_ *Definition, m *MetricAlarm) { m.ComparisonOperator = GreaterThanUpperThreshold },
			"ComparisonOperators for ranges require ThresholdMetricId to be set",
		},
		{
			"model without band", func(_ *Definition, m *MetricAlarm) { m.ThresholdMetricID = "ad1" },
			"ComparisonOperator GreaterThanThreshold can not be used when ThresholdMetricId is set",
		},
		{
			"missing data", func(_ *Definition, m *MetricAlarm) { m.TreatMissingData = "X" },
			"The value X is not supported for TreatMissingData parameter. Supported values are [breaching, notBreaching, ignore, missing].",
		},
		{
			"low samples of Average", func(_ *Definition, m *MetricAlarm) { m.EvaluateLowSampleCountPercentile = "ignore" },
			"Option evaluateLowSampleCountPercentile can not be applied with statistic Average. " +
				"This option is enabled only for percentile statistics.",
		},
		{"low samples of a trimmed mean", func(_ *Definition, m *MetricAlarm) {
			m.Statistic, m.ExtendedStatistic, m.EvaluateLowSampleCountPercentile = "", "tm90", "evaluate"
		}, "Option evaluateLowSampleCountPercentile can not be applied with statistic tm90. " +
			"This option is enabled only for percentile statistics."},
		{"low samples unknown", func(_ *Definition, m *MetricAlarm) {
			m.Statistic, m.ExtendedStatistic, m.EvaluateLowSampleCountPercentile = "", "p90", "unknown"
		}, "Option unknown is not supported. Supported options for parameter EvaluateLowSampleCountPercentile are evaluate and ignore."},

		{"sliding by name", func(_ *Definition, m *MetricAlarm) { m.SlidingWindow = true }, ""},
		{"wall clock", func(_ *Definition, m *MetricAlarm) { m.WallClock = &WallClockWindow{Timezone: "America/New_York"} }, ""},
		{
			"both windows", func(_ *Definition, m *MetricAlarm) { m.WallClock, m.SlidingWindow = &WallClockWindow{}, true },
			"EvaluationWindow must be either a SlidingWindow or a WallClockWindow",
		},
		{
			"wall clock of two minutes", func(_ *Definition, m *MetricAlarm) { m.WallClock, m.Period = &WallClockWindow{}, 120 },
			"Period must be 60, 300, 3600, 86400 or 604800 for alarms with a WallClockWindow",
		},
		{
			"unknown time zone", func(_ *Definition, m *MetricAlarm) { m.WallClock = &WallClockWindow{Timezone: "Moon/Sea"} },
			"The value Moon/Sea for parameter Timezone is not supported.",
		},
		{
			"long time zone", func(_ *Definition, m *MetricAlarm) { m.WallClock = &WallClockWindow{Timezone: long(51)} },
			failed("'"+long(51)+"'", "evaluationWindow.wallClockWindow.timezone", most+"50"),
		},
		{
			"two faults", func(d *Definition, m *MetricAlarm) { d.Name, m.Period = "", -1 },
			"2 validation errors detected: Value '' at 'alarmName' failed to satisfy constraint: Member must have length greater than or " +
				"equal to 1; Value '-1' at 'period' failed to satisfy constraint: Member must have value greater than or equal to 1",
		},
	} {
		d := &Definition{Name: "a", ActionsEnabled: true, Metric: scalar(nil)}
		c.change(d, d.Metric)
		code, message := refused(t, d)
		assert.Equal(t, c.want, message, c.name)
		if c.want != "" {
			assert.Equal(t, codeValidation, code, c.name)
		}
	}
	for _, d := range []*Definition{{Name: "a"}, {Name: "a", Metric: scalar(nil), Composite: &CompositeAlarm{Rule: "TRUE"}}} {
		_, message := refused(t, d)
		assert.Equal(t, "An alarm is either a metric alarm or a composite alarm.", message)
	}
	for _, change := range []func(*MetricAlarm){
		func(m *MetricAlarm) { m.Unit = "Furlong" }, func(m *MetricAlarm) { m.Dimensions = dimensions(31) },
	} {
		_, message := refused(t, &Definition{Name: "a", Metric: scalar(change)})
		assert.Contains(t, message, "1 validation error detected: ")
	}
}

func TestValidateExtendedStatistic(t *testing.T) {
	t.Parallel()
	for stat, ok := range map[string]bool{
		"p0": true, "p90": true, "p99.9": true, "p100": true, "tm90": true, "tc90": true, "ts90": true, "wm90": true, "IQM": true,
		"PR(10:20)": true, "TM(10%:90%)": true, "TC(:1.5)": true, "TS(2:)": true, "WM(1%:2%)": true,
		"p101": false, "90": false, "p": false, "Average": false, "Sum": false, "p-1": false, "TM(90%:10%)": false,
	} {
		code, message := refused(t, &Definition{Name: "a", Metric: scalar(func(m *MetricAlarm) {
			m.Statistic, m.ExtendedStatistic = "", stat
		})})
		if ok {
			assert.Empty(t, message, stat)
		} else {
			assert.Equal(t, "The value "+stat+" for parameter ExtendedStatistic is not supported.", message)
			assert.Equal(t, codeInvalidValue, code)
		}
	}
}

func TestValidateComposite(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		c    CompositeAlarm
		want string
	}{
		{"plain", CompositeAlarm{Rule: "ALARM(b)"}, ""},
		{"no rule", CompositeAlarm{}, failed("''", "alarmRule", "Member must have length greater than or equal to 1")},
		{"syntax", CompositeAlarm{Rule: "TRUE FALSE"}, "Error in AlarmRule [Unsupported token 'FALSE' at char 5, must be: <EOF>]"},
		{"itself", CompositeAlarm{Rule: "ALARM(b) OR OK(\"a\")"}, "A composite alarm cannot have a child relation with itself via its " +
			"AlarmRule, as it would introduce a circular dependency"},
		{"suppressor", CompositeAlarm{Rule: "TRUE", ActionsSuppressor: "s", WaitPeriod: new(int32(0)), ExtensionPeriod: new(int32(0))}, ""},
		{"suppressor by ARN", CompositeAlarm{
			Rule: "TRUE", ActionsSuppressor: ARN(ruleTenant, "s"), WaitPeriod: new(int32(1)), ExtensionPeriod: new(int32(1)),
		}, ""},
		{"suppressor of another kind", CompositeAlarm{
			Rule: "TRUE", ActionsSuppressor: aTopic, WaitPeriod: new(int32(1)), ExtensionPeriod: new(int32(1)),
		}, "ActionsSuppressor must be a valid CloudWatch Alarm ARN or an Alarm name"},
		{
			"no wait",
			CompositeAlarm{Rule: "TRUE", ActionsSuppressor: "s", ExtensionPeriod: new(int32(1))},
			"ActionsSuppressorWaitPeriod must not be null",
		},
		{
			"no extension",
			CompositeAlarm{Rule: "TRUE", ActionsSuppressor: "s", WaitPeriod: new(int32(1))},
			"ActionsSuppressorExtensionPeriod must not be null",
		},
		{
			"negative wait",
			CompositeAlarm{Rule: "TRUE", ActionsSuppressor: "s", WaitPeriod: new(int32(-1)), ExtensionPeriod: new(int32(1))},
			"ActionsSuppressorWaitPeriod must not be negative",
		},
		{
			"negative extension",
			CompositeAlarm{Rule: "TRUE", ActionsSuppressor: "s", WaitPeriod: new(int32(1)), ExtensionPeriod: new(int32(-1))},
			"ActionsSuppressorExtensionPeriod must not be negative",
		},
		{"wait alone", CompositeAlarm{Rule: "TRUE", WaitPeriod: new(int32(1))}, "ActionsSuppressorWaitPeriod requires an ActionSuppressor"},
		{
			"extension alone",
			CompositeAlarm{Rule: "TRUE", ExtensionPeriod: new(int32(1))},
			"ActionsSuppressorExtensionPeriod requires an ActionSuppressor",
		},
		{
			"its own suppressor",
			CompositeAlarm{Rule: "TRUE", ActionsSuppressor: "a", WaitPeriod: new(int32(1)), ExtensionPeriod: new(int32(1))},
			"A composite alarm cannot be its own ActionsSuppressor",
		},
	} {
		_, message := refused(t, &Definition{Name: "a", Composite: &c.c})
		assert.Equal(t, c.want, message, c.name)
	}
}

func TestValidateTags(t *testing.T) {
	t.Parallel()
	tags := func(n int) []Tag {
		list := make([]Tag, n)
		for i := range list {
			list[i] = Tag{Key: fmt.Sprint("k", i)}
		}
		return list
	}
	require.NoError(t, ValidateTags(nil))
	require.NoError(t, ValidateTags(tags(50)))
	require.ErrorContains(t, ValidateTags(tags(51)), "at 'tags' failed to satisfy constraint: Member must have length less than or equal to 50")
	require.NoError(t, ValidateTags([]Tag{{strings.Repeat("k", 128), strings.Repeat("v", 256)}, {"awsome", ""}, {"aws", ""}}))
	require.ErrorContains(t, ValidateTags([]Tag{{strings.Repeat("k", 129), ""}}), "'tags.1.member.key'")
	require.ErrorContains(t, ValidateTags([]Tag{{"", ""}}), "'tags.1.member.key'")
	require.ErrorContains(t, ValidateTags([]Tag{{"a", ""}, {"k", strings.Repeat("v", 257)}}), "'tags.2.member.value'")
	for _, key := range []string{"aws:x", "AWS:", "Aws:cloudformation"} {
		var wrong *Error
		if assert.ErrorAs(t, ValidateTags([]Tag{{key, "v"}}), &wrong) {
			assert.Equal(t, &Error{Code: codeDenied, Message: `The provided tag keys must not start with any case of "aws:"`}, wrong)
		}
	}
}
