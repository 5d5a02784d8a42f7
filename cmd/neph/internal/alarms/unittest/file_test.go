// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package unittest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestProblemsOfOwnAlarms: what is wrong with the alarms of a file of tests is reported at its line of that file.
func TestProblemsOfOwnAlarms(t *testing.T) {
	path := filepath.Join(t.TempDir(), "own.test.yaml")
	require.NoError(t, os.WriteFile(path, []byte(`# comment
Alarms:
  - AlarmName: a
    Namespace: n
    MetricName: m
    Statistic: Sum
    Period: 60
    EvaluationPeriods: 1
    ComparisonOperator: GreaterThanThreshold
    Treshold: 5
tests: []
`), 0o600))
	_, err := Read(path)
	require.ErrorContains(t, err, path+":10: Alarms[0]: Treshold: unknown property")
	require.NotContains(t, err.Error(), ".yaml.yaml")
}
