// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarms

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/testbed/collector"
)

// neph runs bin/neph, or NEPH_BIN, in the repository's root directory.
func neph(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	program := os.Getenv("NEPH_BIN")
	if program == "" {
		program = filepath.Join(collector.Root(), "bin", "neph")
	}
	if _, err := os.Stat(program); err != nil {
		t.Fatalf("neph is not built, run `make build` first: %v", err)
	}
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = collector.Root()
	cmd.Env = withoutAWS(os.Environ())
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// junit is what a CI server reads of a report.
type junit struct {
	Tests    int `xml:"tests,attr"`
	Failures int `xml:"failures,attr"`
	Errors   int `xml:"errors,attr"`
	Suites   []struct {
		Name     string `xml:"name,attr"`
		Tests    int    `xml:"tests,attr"`
		Failures int    `xml:"failures,attr"`
		Cases    []struct {
			Name    string `xml:"name,attr"`
			Failure *struct {
				Message string `xml:"message,attr"`
				Text    string `xml:",chardata"`
			} `xml:"failure"`
			Error *struct {
				Text string `xml:",chardata"`
			} `xml:"error"`
		} `xml:"testcase"`
	} `xml:"testsuite"`
}

func readJUnit(t *testing.T, path string) (report junit) {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, xml.Unmarshal(text, &report))
	return report
}

// TestUnitTestsOfAlarms runs the examples, one of them with a wrong expectation, and a file that is broken.
func TestUnitTestsOfAlarms(t *testing.T) {
	t.Parallel()
	root := collector.Root()
	files, err := filepath.Glob(filepath.Join(root, "examples", "alarms", "tests", "*.test.yaml"))
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(files), 5)
	dir := t.TempDir()
	report := filepath.Join(dir, "report.xml")
	test := func(files ...string) (code int, stdout, stderr string) {
		t.Helper()
		return neph(t, append([]string{"alarms", "test", "--junit", report}, files...)...)
	}

	code, stdout, stderr := test(files...)
	require.Zero(t, code, stdout+stderr)
	passed := readJUnit(t, report)
	assert.Contains(t, stdout, fmt.Sprintf("%d tests passed", passed.Tests))
	assert.Zero(t, passed.Failures+passed.Errors)
	assert.Len(t, passed.Suites, len(files))

	// The same with another expectation.
	text, err := os.ReadFile(filepath.Join(root, "examples", "alarms", "tests", "cpu.test.yaml"))
	require.NoError(t, err)
	failing := strings.Replace(string(text), "definitions: [../native/shop.yaml]",
		fmt.Sprintf("definitions: [%q]", filepath.Join(root, "examples", "alarms", "native", "shop.yaml")), 1)
	failing = strings.Replace(failing, "at: 25m10s\n        alarm: high-cpu\n        state: ALARM", "at: 25m10s\n        alarm: high-cpu\n        state: OK", 1)
	path := filepath.Join(dir, "failing.test.yaml")
	require.NoError(t, os.WriteFile(path, []byte(failing), 0o600))
	code, stdout, stderr = test(append(files, path)...)
	assert.Equal(t, 1, code)
	assert.Contains(t, stderr, fmt.Sprintf("1 of %d tests failed", passed.Tests+3))
	assert.Contains(t, stdout, "at 25m10s, high-cpu: state is ALARM, want OK")
	assert.Contains(t, stdout, "100 ┤", "a plot of the series")
	assert.Contains(t, stdout, "█ ALARM", "and of the states")
	failed := readJUnit(t, report)
	assert.Equal(t, 1, failed.Failures)
	assert.Equal(t, passed.Tests+3, failed.Tests)
	suite := failed.Suites[len(failed.Suites)-1]
	assert.Equal(t, path, suite.Name)
	require.NotNil(t, suite.Cases[0].Failure)
	assert.Contains(t, suite.Cases[0].Failure.Text, "state is ALARM, want OK")
	assert.Nil(t, suite.Cases[1].Failure)

	// A file with a fault says where it is.
	broken := filepath.Join(dir, "broken.test.yaml")
	require.NoError(t, os.WriteFile(broken, []byte("Alarms:\n  - AlarmName: a\n    Treshold: 5\ntests: []\n"), 0o600))
	code, stdout, stderr = test(broken)
	assert.Equal(t, 1, code)
	assert.Contains(t, stdout+stderr, broken+":3: Alarms[0]: Treshold: unknown property")
	assert.Equal(t, 1, readJUnit(t, report).Errors)
}

// TestBacktest runs an alarm over a day from a CSV file: an hour of load, and ten minutes that are too short for it.
func TestBacktest(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	day := time.Date(2026, 1, 10, 0, 0, 0, 0, time.UTC)
	var csv strings.Builder
	csv.WriteString("timestamp,value\n")
	for i := range 24 * 60 {
		value := 20
		if i >= 600 && i < 660 || i >= 900 && i < 910 {
			value = 95
		}
		fmt.Fprintf(&csv, "%s,%d\n", day.Add(time.Duration(i)*time.Minute).Format(time.RFC3339), value)
	}
	data, drawing := filepath.Join(dir, "cpu.csv"), filepath.Join(dir, "cpu.svg")
	require.NoError(t, os.WriteFile(data, []byte(csv.String()), 0o600))
	args := []string{
		"alarms", "backtest", "examples/alarms/native/shop.yaml", "--alarm", "high-cpu", "--data", data, "--svg", drawing,
		"--metric", "AWS/EC2/CPUUtilization{InstanceId=i-0123456789abcdef0} Percent", "--threshold", "80,96", "--datapoints-to-alarm", "2,3",
	}
	code, stdout, stderr := neph(t, append(args, "-o", "json")...)
	require.Zero(t, code, stdout+stderr)
	type outcome struct {
		Threshold, EvaluationPeriods, DatapointsToAlarm float64
		AsItIs                                          bool
		Alarms, Flaps                                   int
		SecondsInState                                  map[string]int
		LongestAlarmSeconds                             int
	}
	var report struct {
		Alarms []struct {
			Name           string
			Transitions    []struct{ Time, From, To, Reason string }
			Alarms         int
			Flaps          int
			SecondsInState map[string]int
			WhatIf         []outcome
		}
	}
	require.NoError(t, json.Unmarshal([]byte(stdout), &report))
	require.Len(t, report.Alarms, 1)
	a := report.Alarms[0]
	var transitions []string
	for _, tr := range a.Transitions {
		transitions = append(transitions, tr.Time+" "+tr.From+" to "+tr.To)
	}
	// The alarm needs three times five minutes above 80, and it ends when a quiet minute makes an average 80.
	assert.Equal(t, []string{
		"2026-01-10T00:01:10Z INSUFFICIENT_DATA to OK", "2026-01-10T10:15:10Z OK to ALARM", "2026-01-10T11:01:10Z ALARM to OK",
	}, transitions)
	assert.Equal(t, "Threshold Crossed: 3 datapoints [95.0 (10/01/26 10:10:00), 95.0 (10/01/26 10:05:00), 95.0 (10/01/26 10:00:00)] were "+
		"greater than the threshold (80.0).", a.Transitions[1].Reason)
	assert.Equal(t, 46*60, a.SecondsInState["ALARM"])
	assert.Equal(t, 1, a.Alarms)
	require.Len(t, a.WhatIf, 4)
	for _, w := range a.WhatIf {
		switch {
		case w.Threshold == 96:
			assert.Zero(t, w.Alarms, "nothing is above 96")
		case w.DatapointsToAlarm == 3:
			assert.True(t, w.AsItIs)
			assert.Equal(t, a.SecondsInState, w.SecondsInState)
		default:
			assert.Greater(t, w.Alarms, 1, "two of three find the ten minutes, too")
		}
	}
	svg, err := os.ReadFile(drawing)
	require.NoError(t, err)
	var root struct{ XMLName xml.Name }
	require.NoError(t, xml.Unmarshal(svg, &root))
	assert.Equal(t, "svg", root.XMLName.Local)

	code, stdout, stderr = neph(t, append(args, "--plot")...)
	require.Zero(t, code, stdout+stderr)
	assert.Contains(t, stdout, "← as it is")
	assert.Contains(t, stdout, "█ ALARM")
}
