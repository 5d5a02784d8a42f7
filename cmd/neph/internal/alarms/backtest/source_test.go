// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package backtest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awscloudwatch "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/cmd/neph/internal/alarms/simulation"
	"github.com/nephoscope/nephoscope/pkg/alarm"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch/metricmemory"
)

const twoMetrics = `
Alarms:
  rate:
    Metrics:
      - {Id: r, Expression: m1 / m2, ReturnData: true}
      - {Id: m1, ReturnData: false, MetricStat: {Metric: {Namespace: N, MetricName: a, Dimensions: [{Name: d, Value: x}]}, Period: 60, Stat: Sum}}
      - {Id: m2, ReturnData: false, MetricStat: {Metric: {Namespace: N, MetricName: b}, Period: 60, Stat: Sum}}
    EvaluationPeriods: 1
    Threshold: 1
    ComparisonOperator: GreaterThanThreshold
`

func files(t *testing.T, names ...string) *Files {
	t.Helper()
	set := parse(t, twoMetrics)
	f, err := NewFiles(owner, []*alarm.Definition{set.Alarms[0].Alarm}, names)
	require.NoError(t, err)
	return f
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// contents are the buckets of a metric, by the minute.
func contents(t *testing.T, f *Files, name, unit string, dims ...cloudwatch.Dimension) string {
	t.Helper()
	got, err := f.QueryMetrics(t.Context(), []cloudwatch.MetricQuery{{
		Tenant: owner, Metric: cloudwatch.Metric{Namespace: "N", Name: name, Dimensions: dims}, Unit: unit,
		Start: start.Unix(), End: start.Add(time.Hour).Unix(), Period: 60,
	}})
	require.NoError(t, err)
	var text strings.Builder
	for _, b := range got[0] {
		fmt.Fprintf(&text, "%d:%v/%v ", (b.Start-start.Unix())/60, b.Sum, b.SampleCount)
	}
	return text.String()
}

func TestCSV(t *testing.T) {
	t.Parallel()
	f := files(t, "plain.csv=N/a{d=x} Count")
	require.NoError(t, f.Read(t.Context(), write(t, "plain.csv", "2026-01-05T00:00:00Z,1\n2026-01-05 00:01:00,2.5\n1767571320,3\n1767571380000,\n")))
	require.Equal(t, "0:1/1 1:2.5/1 2:3/1 ", contents(t, f, "a", "Count", cloudwatch.Dimension{Name: "d", Value: "x"}))
	require.Equal(t, start, f.First)
	require.NoError(t, f.Read(t.Context(), write(t, "full.csv", "Namespace,Metric Name,Dimensions,Unit,Time,SampleCount,Sum,Minimum,Maximum,storage_resolution\n"+
		"N,b,,Bytes,2026-01-05T00:03:10Z,2,9,4,5,1\nN,b,\"k=v, l=w\",,2026-01-05T00:04:00Z,1,1,1,1,60\nN,b,,,2026-01-05T00:04:00Z,,,,,\n")))
	require.Equal(t, "3:9/2 ", contents(t, f, "b", "Bytes"))
	require.Equal(t, "4:1/1 ", contents(t, f, "b", "None", cloudwatch.Dimension{Name: "k", Value: "v"}, cloudwatch.Dimension{Name: "l", Value: "w"}))
	for text, want := range map[string]string{
		"":                                     "the file is empty",
		"a,b\n":                                `unknown column "a"`,
		"time,ts\n":                            "two columns are timestamp",
		"value\n":                              "no column timestamp",
		"time\n":                               "either a column value",
		"time,value,dimensions\n":              "needs one namespace",
		"time,value\nx,1\n":                    "line 2: \"x\" is not a time",
		"time,value\n2026-01-05T00:00Z,x":      "line 2:",
		"time,value\n2026-01-05T00:00:00Z,x\n": "line 2: value: \"x\" is not a number",
		"time,value\n2026-01-05T00:00:00Z\n":   "line 2: 1 fields, not 2",
		"time,value,unit\n2026-01-05T00:00:00Z,1,Apples\n":         `"Apples" is not a unit`,
		"time,value,resolution\n2026-01-05T00:00:00Z,1,7\n":        `"7" is not 1 or 60`,
		"time,value,namespace,metric\n2026-01-05T00:00:00Z,1,,m\n": "line 2:",
	} {
		require.ErrorContains(t, files(t, "N/a").Read(t.Context(), write(t, "x.csv", text)), want, text)
	}
	require.ErrorContains(t, files(t).Read(t.Context(), write(t, "x.csv", "2026-01-05T00:00:00Z,1\n")), "give --metric 'x.csv=METRIC', with one of N/a{d=x}, N/b")
}

func TestGetMetricDataJSON(t *testing.T) {
	t.Parallel()
	f := files(t)
	require.NoError(t, f.Read(t.Context(), write(t, "x.json", `{"MetricDataResults": [
		{"Id": "m1", "Label": "anything", "Timestamps": ["2026-01-05T00:01:00+00:00", "2026-01-05T00:00:00+00:00"], "Values": [2, 1], "StatusCode": "Complete"},
		{"Id": "other", "Label": "b", "Timestamps": [1767571200], "Values": [7]}], "NextToken": "x"}`)))
	require.Equal(t, "0:1/1 1:2/1 ", contents(t, f, "a", "", cloudwatch.Dimension{Name: "d", Value: "x"}))
	require.Equal(t, "0:7/1 ", contents(t, f, "b", ""))
	require.Len(t, f.Notes, 2)
	for text, want := range map[string]string{
		"{}": "no answer of GetMetricData", "x": "invalid character",
		`{"MetricDataResults": [{"Id": "q", "Label": "c", "Timestamps": [], "Values": []}]}`: "q does not say which metric it is",
		`{"MetricDataResults": [{"Id": "m1", "Timestamps": [], "Values": [1]}]}`:             "0 timestamps and 1 values",
		`{"MetricDataResults": [{"Id": "m1", "Timestamps": ["x"], "Values": [1]}]}`:          "is not a time",
	} {
		require.ErrorContains(t, files(t).Read(t.Context(), write(t, "x.json", text)), want, text)
	}
}

// client answers GetMetricData from memory, in pages.
type client struct{ memory *metricmemory.Memory }

func (c *client) GetMetricData(ctx context.Context, in *awscloudwatch.GetMetricDataInput, _ ...func(*awscloudwatch.Options)) (*awscloudwatch.GetMetricDataOutput, error) {
	q := in.MetricDataQueries[0].MetricStat
	var dims []cloudwatch.Dimension
	for _, d := range q.Metric.Dimensions {
		dims = append(dims, cloudwatch.Dimension{Name: *d.Name, Value: *d.Value})
	}
	stat, _ := cloudwatch.ParseStatistic(*q.Stat)
	buckets, err := c.memory.QueryMetrics(ctx, []cloudwatch.MetricQuery{{
		Tenant: owner, Metric: cloudwatch.Metric{Namespace: *q.Metric.Namespace, Name: *q.Metric.MetricName, Dimensions: dims},
		Start: in.StartTime.Unix(), End: in.EndTime.Unix(), Period: int64(*q.Period), Distribution: true,
	}})
	if err != nil {
		return nil, err
	}
	result := types.MetricDataResult{Id: in.MetricDataQueries[0].Id}
	half := len(buckets[0]) / 2
	from, to := half, len(buckets[0]) // newest first
	out := &awscloudwatch.GetMetricDataOutput{NextToken: aws.String("more")}
	if in.NextToken != nil {
		from, to, out.NextToken = 0, half, nil
	}
	for i := to - 1; i >= from; i-- {
		if v, ok := stat.Of(&buckets[0][i].StatisticSet, buckets[0][i].Distribution); ok {
			result.Timestamps, result.Values = append(result.Timestamps, time.Unix(buckets[0][i].Start, 0)), append(result.Values, v)
		}
	}
	out.MetricDataResults = []types.MetricDataResult{result}
	return out, nil
}

// TestAPI compares what comes of data through the API with what comes of the data itself.
func TestAPI(t *testing.T) {
	t.Parallel()
	set := parse(t, alarmsOfManyKinds)
	memory := metricmemory.New(0)
	require.NoError(t, memory.Add(owner, noise(rand.New(rand.NewPCG(3, 4)), 10*time.Hour)))
	s := Settings{
		Tenant: owner, Source: memory, From: start, To: start.Add(10 * time.Hour), Phase: simulation.DefaultPhase,
		Only: func(name string) bool { return name != "many" && name != "short" && name != "suppressed" },
	}
	want, err := Run(t.Context(), s, set)
	require.NoError(t, err)
	s.Source = &API{Client: &client{memory: memory}}
	got, err := Run(t.Context(), s, set)
	require.NoError(t, err)
	for i := range want.Alarms {
		require.Equal(t, want.Alarms[i].Transitions, got.Alarms[i].Transitions, want.Alarms[i].Definition.Alarm.Name)
	}
	s.Only = func(name string) bool { return name == "many" }
	_, err = Run(t.Context(), s, set)
	require.ErrorContains(t, err, "use --store or --data")
}

func TestVariants(t *testing.T) {
	t.Parallel()
	set := parse(t, alarmsOfManyKinds)
	memory := metricmemory.New(0)
	require.NoError(t, memory.Add(owner, noise(rand.New(rand.NewPCG(5, 6)), 6*time.Hour)))
	s := Settings{
		Tenant: owner, Source: memory, From: start, To: start.Add(6 * time.Hour), Phase: simulation.DefaultPhase, FlapWithin: time.Hour,
		Only:     func(name string) bool { return name == "minute" },
		Variants: Variants{Thresholds: []float64{50, 60, 70}, EvaluationPeriods: []int32{2, 3}, DatapointsToAlarm: []int32{2, 3}},
	}
	report, err := Run(t.Context(), s, set)
	require.NoError(t, err)
	variants := report.Alarms[0].Variants
	require.Len(t, variants, 9, "3 of 2 is none")
	own := 0
	for _, v := range variants {
		if v.Own {
			own++
			require.Equal(t, report.Alarms[0].Summary, v.Summary)
		}
	}
	require.Equal(t, 1, own)
	require.Greater(t, variants[0].Summary.In[alarm.StateAlarm], variants[6].Summary.In[alarm.StateAlarm])
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	got, err := Numbers("1, 2.5,10:11:0.5")
	require.NoError(t, err)
	require.Equal(t, []float64{1, 2.5, 10, 10.5, 11}, got)
	for _, bad := range []string{"", "a", "1:2", "2:1:1", "1:2:0", "NaN", "1:1e9:1"} {
		_, err := Numbers(bad)
		require.Error(t, err, bad)
	}
	_, err = Integers("0")
	require.Error(t, err)
}

func TestPointwise(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"m1 / m2 * 100": true, "IF(m1 > 0, ABS(m2), 0)": true, "FILL(m1, 0) + 1": true, "SUM([m1, m2])": true, "MAX( METRICS() )": true,
		"FILL(m1, REPEAT)": false, "AVG(m1)": false, "RATE(m1)": false, "SUM(METRICS(\"m\"))": true, "RUNNING_SUM(m1)": false,
		"SELECT MAX(a) FROM N": false, "TIME_SERIES(1)": true, "FILL(METRICS(), 0)": false,
	} {
		require.Equal(t, want, pointwise([]alarm.Query{{ID: "e", Expression: text}}), text)
	}
}

func FuzzCSV(f *testing.F) {
	f.Add([]byte("time,value\n2026-01-05T00:00:00Z,1\n"))
	f.Add([]byte("2026-01-05T00:00:00Z,1\n"))
	f.Add([]byte("Namespace,Metric,Dimensions,Unit,Time,n,Sum,min,max\nN,b,a=b,Bytes,2026-01-05T00:03:10Z,2,9,4,5\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		files, err := NewFiles(owner, nil, []string{"N/a"})
		require.NoError(t, err)
		path := filepath.Join(t.TempDir(), "x.csv")
		require.NoError(t, os.WriteFile(path, data, 0o600))
		_ = files.Read(t.Context(), path)
	})
}
