// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package notation

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func show(points []Point) string {
	parts := make([]string, len(points))
	for i, p := range points {
		switch {
		case p.Set:
			parts[i] = fmt.Sprint(p.Value)
		case p.Values != nil:
			parts[i] = fmt.Sprint(p.Values, p.Counts)
		case p.Statistics != nil:
			parts[i] = fmt.Sprint(*p.Statistics)
		default:
			parts[i] = "_"
		}
	}
	return strings.Join(parts, " ")
}

func TestValues(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                           "",
		"1 2.5 -3":                   "1 2.5 -3",
		"  1\n\t2 ":                  "1 2",
		"5x3 _x2 _":                  "5 5 5 _ _ _",
		"10+5x4":                     "10 15 20 25",
		"10-5x4":                     "10 5 0 -5",
		"1e2+1e1x2":                  "100 110",
		"-1--1x3":                    "-1 0 1",
		".5 2.e1":                    "0.5 20",
		"7x2m 7x0":                   "7 7 7 7",
		"[1 2 9*3] [4]":              "[1 2 9] [1 1 3] [4] [1]",
		"{n=4 sum=10 min=1 max=6}x2": "{4 10 1 6} {4 10 1 6}",
		"(1 _)x2 ((2)x2 3)x2":        "1 _ 1 _ 2 2 3 2 2 3",
		"(1 2)x2m":                   "1 2 1 2",
	} {
		got, err := Values(text, 30*time.Second)
		require.NoError(t, err, text)
		require.Equal(t, want, show(got), text)
	}
	for text, want := range map[string]string{
		"1,2":                     `offset 1: expected a space before the next point`,
		"1 stale":                 `offset 2: CloudWatch has no stale markers`,
		"NaN":                     `offset 0: expected a number`,
		"1+2":                     `offset 3: a ramp needs its number of points, such as 1+2x5`,
		"1x":                      `offset 2: expected a number of points or a duration, not ""`,
		"1x45s":                   `offset 2: 45s is not a multiple of the interval, 30s`,
		"(1 2)x90s":               `90s is not a multiple of the interval, 30s, and the number of points, 2`,
		"1x99999999":              `offset 10: more than 2000000 points`,
		"(1x2000)x2000":           `more than 2000000 points`,
		"(1":                      `offset 2: expected )`,
		"1)":                      `offset 1: unexpected ")"`,
		"[]":                      `a point needs samples`,
		"[1*0]":                   `a count must be greater than 0`,
		"{n=1 sum=1 min=2}":       `a statistic set has n=, sum=, min= and max=`,
		"{n=0 sum=1 min=1 max=1}": `a statistic set needs n above 0`,
		"{n=1 n=2}":               `each once`,
		strings.Repeat("(", 100):  `groups are nested deeper than 20`,
		"1e308+1e308x9":           `the ramp does not end in a number`,
	} {
		_, err := Values(text, 30*time.Second)
		require.ErrorContains(t, err, want, text)
	}
}

func TestMetric(t *testing.T) {
	t.Parallel()
	m, unit, err := Metric(`AWS/EC2/CPUUtilization{InstanceId=i-1, AZ="a, \"b\""} Percent`)
	require.NoError(t, err)
	require.Equal(t, "Percent", unit)
	require.Equal(t, cloudwatch.Metric{Namespace: "AWS/EC2", Name: "CPUUtilization", Dimensions: []cloudwatch.Dimension{
		{Name: "AZ", Value: `a, "b"`}, {Name: "InstanceId", Value: "i-1"},
	}}, m)
	m, unit, err = Metric("Shop/Errors")
	require.NoError(t, err)
	require.Equal(t, cloudwatch.UnitNone, unit)
	require.Empty(t, m.Dimensions)
	for text, want := range map[string]string{
		"Errors": "expected Namespace/Name", "/a": "expected Namespace/Name", "Shop/Errors Apples": "not a unit",
		"Shop/E{a}": "expected Name=Value", "Shop/E{a=b": "expected }", "Shop/E{a=b,a=c}": "twice", "Shop/E{=b}": "not the name",
		"Shop/E{a=}": "has no value", `Shop/E{a="b}`: `expected "`, `Shop/E{a="b"c}`: "expected , or }",
	} {
		_, _, err := Metric(text)
		require.ErrorContains(t, err, want, text)
	}
}

func TestDuration(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{"0": 0, "90s": 90 * time.Second, "1h30m": 90 * time.Minute, "2d": 48 * time.Hour, "-10m": -10 * time.Minute} {
		got, err := Duration(text)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	for _, text := range []string{"", "5", "d", "NaNd", "1e9d"} {
		_, err := Duration(text)
		require.Error(t, err, text)
	}
}

func FuzzValues(f *testing.F) {
	for _, s := range []string{"1 2x3 _x3 10+5x4", "[1 2*3]x2 {n=1 sum=1 min=1 max=1}", "(1 _)x2m", "1e-5x3"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Count(text, "x") > 2 {
			return // large, and slow
		}
		points, err := Values(text, time.Minute)
		if err == nil && len(points) > MaxPoints {
			t.Fatal("too many points")
		}
	})
}

func FuzzMetric(f *testing.F) {
	f.Add(`AWS/EC2/CPU{A=b, C="d"} Percent`)
	f.Fuzz(func(t *testing.T, text string) {
		m, unit, err := Metric(text)
		if err != nil {
			return
		}
		again, unit2, err := Metric(FormatMetric(&m, unit))
		if err != nil || unit != unit2 || cloudwatch.CompareMetrics(&m, &again) != 0 {
			t.Fatalf("%q: %+v, %+v: %v", FormatMetric(&m, unit), m, again, err)
		}
	})
}
