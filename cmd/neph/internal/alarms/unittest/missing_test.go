// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package unittest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestMissingDataTables runs the tables of AWS's page on missing data: three evaluation periods, five data points, oldest
// first; 0 is not breaching, X is, and - is missing. P is the state that the alarm has, which is INSUFFICIENT_DATA.
func TestMissingDataTables(t *testing.T) {
	t.Parallel()
	const ok, alarm, none = "OK", "ALARM", "INSUFFICIENT_DATA"
	policies := []string{"missing", "ignore", "breaching", "notBreaching"}
	var text strings.Builder
	var tests strings.Builder
	text.WriteString("Alarms:\n")
	for i, row := range []struct {
		data string
		m    int
		want [4]string
	}{
		{"0 - X - X", 3, [4]string{ok, ok, ok, ok}},
		{"0 - - - -", 3, [4]string{ok, ok, ok, ok}},
		{"- - - - -", 3, [4]string{none, none, alarm, ok}},
		{"0 X X - X", 3, [4]string{alarm, alarm, alarm, alarm}},
		{"- - X - -", 3, [4]string{alarm, none, alarm, ok}},
		{"- - - - X", 3, [4]string{none, none, alarm, ok}},
		{"- - - X -", 3, [4]string{none, none, alarm, ok}},
		{"0 - X - X", 2, [4]string{alarm, alarm, alarm, alarm}},
		{"0 0 X 0 X", 2, [4]string{alarm, alarm, alarm, alarm}},
		{"0 - X - -", 2, [4]string{ok, ok, alarm, ok}},
		{"- - - - 0", 2, [4]string{ok, ok, alarm, ok}},
		{"- - - X -", 2, [4]string{alarm, none, alarm, ok}},
	} {
		values := strings.NewReplacer("X", "100", "-", "_").Replace(row.data)
		fmt.Fprintf(&tests, "  - name: row %d\n    series: [{metric: N/m%d, start: -5m, values: %q}]\n    expect:\n", i, i, values)
		for j, policy := range policies {
			fmt.Fprintf(&text, "  a%d-%s: {Namespace: N, MetricName: m%d, Statistic: Sum, Period: 60, EvaluationPeriods: 3, DatapointsToAlarm: %d, "+
				"Threshold: 50, ComparisonOperator: GreaterThanThreshold, TreatMissingData: %s}\n", i, policy, i, row.m, policy)
			fmt.Fprintf(&tests, "      - {at: 10s, alarm: a%d-%s, state: %s}\n", i, policy, row.want[j])
		}
	}
	file, err := parse("tables.test.yaml", []byte(text.String()+"tests:\n"+tests.String()))
	require.NoError(t, err)
	for i := range file.Tests {
		result := file.Run(t.Context(), &file.Tests[i], time.Now)
		require.NoError(t, result.Err)
		require.Empty(t, result.Failures, file.Tests[i].Name)
	}
}
