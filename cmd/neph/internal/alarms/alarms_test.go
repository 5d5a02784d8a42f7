// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarms

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/nephoscope/nephoscope/cmd/neph/internal/alarms/unittest"
	"github.com/nephoscope/nephoscope/cmd/neph/internal/awsclient"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const examples = "../../../../examples/alarms/"

func run(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	cmd := NewCommand(Settings{
		Stdout: &out, Getenv: func(name string) string { return map[string]string{"COLUMNS": "100"}[name] },
		Target:  &awsclient.Target{Region: "us-east-1", Endpoint: "http://127.0.0.1:1", AccessKeyID: "test", SecretAccessKey: "test"},
		Explain: func(err error) error { return fmt.Errorf("explained: %w", err) },
	})
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetArgs(args)
	err := cmd.ExecuteContext(t.Context())
	return out.String(), err
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

// TestExamples runs the tests of the examples, which are written over the native definitions, over those in Terraform and in
// CloudFormation, too.
func TestExamples(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(examples + "tests/*.test.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	out, err := run(t, append([]string{"test"}, files...)...)
	require.NoError(t, err, out)
	root, err := filepath.Abs(examples)
	require.NoError(t, err)
	for _, other := range []string{"terraform", "cloudformation"} {
		for _, file := range files {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			const native = "definitions: [../native/shop.yaml]"
			if !strings.Contains(string(text), native) {
				continue
			}
			changed := strings.Replace(string(text), native, "definitions: ["+filepath.Join(root, other)+"]", 1)
			copied := filepath.Join(t.TempDir(), filepath.Base(file))
			require.NoError(t, os.WriteFile(copied, []byte(changed), 0o600))
			out, err := run(t, "test", copied)
			require.NoError(t, err, out)
		}
	}
}

func TestFailingTest(t *testing.T) {
	t.Parallel()
	report := filepath.Join(t.TempDir(), "report.xml")
	out, err := run(t, "test", "testdata/failing.test.yaml", "-v", "--junit", report)
	require.EqualError(t, err, "1 of 2 tests failed")
	golden(t, "failing.txt", out)
	xml, err := os.ReadFile(report)
	require.NoError(t, err)
	golden(t, "failing.xml", regexp.MustCompile(`time="[0-9.]+"`).ReplaceAllString(string(xml), `time="T"`))

	out, err = run(t, "test", "testdata/failing.test.yaml", "--run", "right")
	require.NoError(t, err)
	require.Equal(t, "✓ 1 tests passed\n", out)
	_, err = run(t, "test", "testdata/failing.test.yaml", "--run", "nothing")
	require.ErrorContains(t, err, "no test has a name that matches")
	_, err = run(t, "test", "testdata/failing.test.yaml", "--run", "(")
	require.ErrorContains(t, err, "--run")
}

func TestBrokenTests(t *testing.T) {
	t.Parallel()
	report := filepath.Join(t.TempDir(), "report.xml")
	out, err := run(t, "test", "testdata/broken.test.yaml", "--junit", report)
	require.ErrorContains(t, err, "1 of 1 files could not be read")
	golden(t, "broken.txt", out)
	xml, err := os.ReadFile(report)
	require.NoError(t, err)
	require.Contains(t, string(xml), `errors="1"`)
	for text, want := range map[string]string{
		"tests: []":                      "there are no alarms",
		"Alarms: [{AlarmRule: x}]":       "AlarmName: is required",
		"nosuch: 1":                      "field nosuch not found",
		"definitions: [nosuch.yaml]":     "no such file",
		"Alarms: {a: {AlarmRule: TRUE}}": "there must be from 1 to 10000 tests",
		"{Alarms: {a: {AlarmRule: TRUE}}, tests: [{name: a, expect: [{alarm: a, state: ALARM, transitions: [{nosuch: 1}]}]}]}": "field nosuch not found",
	} {
		path := filepath.Join(t.TempDir(), "x.test.yaml")
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		_, err := unittest.Read(path)
		require.ErrorContains(t, err, want, text)
	}
}

// cpuData is three hours of CPU in CSV: busy for half an hour, twice, with a gap.
func cpuData(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("timestamp,value\n")
	for i := range 180 {
		if i >= 90 && i < 100 {
			continue
		}
		v := 30
		if i >= 30 && i < 60 || i >= 120 && i < 150 {
			v = 85 + i%10
		}
		fmt.Fprintf(&b, "%s,%d\n", time.Date(2026, 1, 5, 10, i, 0, 0, time.UTC).Format(time.RFC3339), v)
	}
	path := filepath.Join(t.TempDir(), "cpu.csv")
	require.NoError(t, os.WriteFile(path, []byte(b.String()), 0o600))
	return path
}

func TestBacktest(t *testing.T) {
	t.Parallel()
	svg := filepath.Join(t.TempDir(), "cpu.svg")
	args := []string{"backtest", examples + "native/shop.yaml", "--alarm", "high-cpu", "--data", cpuData(t)}
	out, err := run(t, append(args, "--threshold", "80:90:5", "--datapoints-to-alarm", "2,3", "--plot", "--svg", svg)...)
	require.NoError(t, err)
	golden(t, "backtest.txt", out)
	drawn, err := os.ReadFile(svg)
	require.NoError(t, err)
	golden(t, "backtest.svg", string(drawn))

	out, err = run(t, append(args, "-o", "json", "--evaluation-periods", "1,3")...)
	require.NoError(t, err)
	var report struct {
		Alarms []struct {
			Name        string
			Transitions []struct{ To string }
			Alarms      int
			WhatIf      []struct{ EvaluationPeriods int }
		}
	}
	require.NoError(t, json.Unmarshal([]byte(out), &report))
	require.Equal(t, 2, report.Alarms[0].Alarms)
	require.Len(t, report.Alarms[0].WhatIf, 2)
}

func TestBacktestErrors(t *testing.T) {
	t.Parallel()
	file, data := examples+"native/shop.yaml", cpuData(t)
	for want, args := range map[string][]string{
		"is not table or json":                {file, "-o", "xml"},
		"--threshold":                         {file, "--threshold", "a"},
		"--evaluation-periods":                {file, "--evaluation-periods", "1.5"},
		"--datapoints-to-alarm":               {file, "--datapoints-to-alarm", "5:1:1"},
		"--alarm":                             {file, "--alarm", "("},
		"exclude each other":                  {file, "--data", data, "--store", "x"},
		"--metric is for --data":              {file, "--metric", "N/m"},
		"combinations are more than":          {file, "--threshold", "1:5000:1", "--evaluation-periods", "1,2,3"},
		"no such file":                        {"nosuch.yaml"},
		"does not say which metric":           {file, "--data", data},
		"is not .csv, .parquet or .json":      {file, "--data", "x.txt"},
		"--since":                             {file, "--data", data, "--alarm", "cpu", "--since", "x"},
		"must be longer than nothing":         {file, "--data", data, "--alarm", "cpu", "--since", "2027-01-01"},
		"the parameter \"P\" is not declared": {file, "--parameter", "P=1"},
		"explained: high-cpu":                 {file, "--alarm", "cpu", "--since", "1h"},
		"expected Namespace/Name":             {file, "--data", data, "--metric", "m"},
	} {
		_, err := run(t, append([]string{"backtest"}, args...)...)
		require.ErrorContains(t, err, want, args)
	}
}
