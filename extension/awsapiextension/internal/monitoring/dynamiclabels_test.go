// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package monitoring

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

func TestDynamicLabels(t *testing.T) {
	in := &labelInput{
		label: "i-1", account: "123456789012", region: "eu-west-1", zone: labelZone("+0130"), now: 1_800_000_360,
		of: &seriesOf{
			metric: cloudwatch.Metric{Namespace: "AWS/EC2", Name: "CPU", Dimensions: []cloudwatch.Dimension{{Name: "InstanceId", Value: "i-1"}}},
			stat:   "p99", period: 60,
		},
		times: []int64{1_800_000_000, 1_800_000_060, 1_800_000_120, 1_800_000_300}, values: []float64{2, 0.5, 7, 2.5},
	}
	f := func(label, want string) {
		t.Helper()
		template, err := parseLabel(label)
		require.NoError(t, err, label)
		require.NotNil(t, template)
		assert.Equal(t, want, template.render(in), label)
	}
	f("${LABEL}", "i-1")
	f("avg ${AVG}, sum ${SUM}", "avg 3, sum 12")
	f("${MIN}/${MAX}/${FIRST}/${LAST}", "0.5/7/2/2.5")
	f("${DATAPOINT_COUNT} $5 {x}", "4 $5 {x}")
	f("${FIRST_LAST_RANGE} ${MIN_MAX_RANGE}", "0.5 6.5")
	f("${FIRST_TIME}", "2027-01-15 09:30:00")
	f("${LAST_TIME}", "2027-01-15 09:35:00")
	f("${MIN_TIME}", "2027-01-15 09:31:00")
	f("${MAX_TIME}", "2027-01-15 09:32:00")
	f("${FIRST_TIME_RELATIVE} ${LAST_TIME_RELATIVE} ${MIN_TIME_RELATIVE} ${MAX_TIME_RELATIVE}", "360s 60s 300s 240s")
	f("${FIRST_LAST_TIME_RANGE} ${MIN_MAX_TIME_RANGE}", "300s 60s")
	f("${PROP('Namespace')} ${PROP('MetricName')} ${PROP('Stat')} ${PROP('Period')}", "AWS/EC2 CPU p99 60")
	f("${PROP('Region')} ${PROP('AccountId')} ${PROP('AccountLabel')}", "eu-west-1 123456789012 --")
	f(`${PROP('Dim.InstanceId')} ${PROP("Dim.Zone")}`, "i-1 --")
	f("a ${MAX} b ${MAX} c ${MAX} d ${MAX} e ${MAX} f ${MAX} g", "a 7 b 7 c 7 d 7 e 7 f 7 g")

	in.zone = labelZone("-0800")
	f("${FIRST_TIME}", "2027-01-15 00:00:00")
	in.zone = labelZone("")
	f("${FIRST_TIME}", "2027-01-15 08:00:00")

	in.of = nil
	f("${PROP('MetricName')}|&|${PROP('Dim.InstanceId')}", "--|&|--")
	in.times, in.values = nil, nil
	f("[${MAX}${AVG}${LAST_TIME}${MIN_TIME_RELATIVE}] ${DATAPOINT_COUNT} ${LABEL}", "[] 0 i-1")

	for label, want := range map[string]string{
		"${": "${ has no closing brace", "a ${MAX": "${MAX has no closing brace", "${}": "${} is not a dynamic value",
		"${max}": "${max} is not a dynamic value", "${MEDIAN}": "${MEDIAN} is not a dynamic value",
		"${PROP('Dim.')}": "${PROP('Dim.')} is not a dynamic value", "${PROP('Color')}": "${PROP('Color')} is not a dynamic value",
		"${PROP(Region)}": "${PROP(Region)} is not a dynamic value", `${PROP("Region')}`: `${PROP("Region')} is not a dynamic value`,
		"${LABEL} ${LABEL}":                          "${LABEL} may occur once",
		"${MAX}${MAX}${MAX}${MAX}${MAX}${MAX}${MAX}": "a label has at most 6 dynamic values, not 7",
	} {
		_, err := parseLabel(label)
		require.EqualError(t, err, want)
	}
	for _, label := range []string{"", "cost $5", "{MAX}"} {
		template, err := parseLabel(label)
		require.NoError(t, err)
		assert.Nil(t, template)
	}
}

func TestFormatLabelNumber(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0", 50: "50", -1.5: "-1.5", 1.0 / 3: "0.3333333333333333", 1e14: "100000000000000", 1.5e20: "1.5E+20", 1e-9: "1E-09",
	} {
		assert.Equal(t, want, formatLabelNumber(v))
	}
}

func FuzzParseLabel(f *testing.F) {
	for _, label := range []string{"${LABEL} ${PROP('Dim.a')}", "a${MAX}b${MIN_TIME_RELATIVE}", "${", "$${x}}"} {
		f.Add(label)
	}
	f.Fuzz(func(_ *testing.T, label string) {
		template, err := parseLabel(label)
		if err != nil || template == nil {
			return
		}
		template.render(&labelInput{zone: labelZone("")})
		template.render(&labelInput{zone: labelZone("+0000"), times: []int64{1}, values: []float64{2}, of: &seriesOf{}})
	})
}
