// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsapiextension

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/xray"
	"github.com/aws/aws-sdk-go-v2/service/xray/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func traceID(at time.Time, n int) string { return fmt.Sprintf("1-%08x-%024x", at.Unix(), n+1) }

func segment(trace, id, parent string, start time.Time, took time.Duration) string {
	if parent != "" {
		parent = fmt.Sprintf(`"parent_id":%q,`, parent)
	}
	seconds := func(t time.Time) string { return fmt.Sprintf("%d.%03d", t.Unix(), t.Nanosecond()/1e6) }
	return fmt.Sprintf(`{"name":"orders","trace_id":%q,"id":%q,%s"start_time":%s,"end_time":%s,"annotations":{"shop":"a"}}`,
		trace, id, parent, seconds(start), seconds(start.Add(took)))
}

func putSegments(t *testing.T, client *xray.Client, docs ...string) *xray.PutTraceSegmentsOutput {
	t.Helper()
	out, err := client.PutTraceSegments(t.Context(), &xray.PutTraceSegmentsInput{TraceSegmentDocuments: docs})
	require.NoError(t, err)
	return out
}

func TestTracesThereAndBack(t *testing.T) {
	c := startCollector(t, options{})
	client := xray.NewFromConfig(c.aws())
	at := minuteAgo()
	id := traceID(at, 0)
	root := segment(id, "1111111111111111", "", at, time.Second)
	out := putSegments(t, client, root, segment(id, "2222222222222222", "1111111111111111", at.Add(time.Millisecond), time.Second),
		`[]`, `{"id":"3333333333333333"}`, `{`)
	require.Len(t, out.UnprocessedTraceSegments, 3)
	assert.Nil(t, out.UnprocessedTraceSegments[0].Id)
	assert.Equal(t, "MissingId", *out.UnprocessedTraceSegments[0].ErrorCode)
	assert.Equal(t, "3333333333333333", *out.UnprocessedTraceSegments[1].Id)
	assert.Equal(t, "MissingTraceId", *out.UnprocessedTraceSegments[1].ErrorCode)
	assert.Equal(t, "Invalid segment. ErrorCode: MissingTraceId", *out.UnprocessedTraceSegments[1].Message)
	assert.Equal(t, "ParseError", *out.UnprocessedTraceSegments[2].ErrorCode)

	traces, err := client.BatchGetTraces(t.Context(), &xray.BatchGetTracesInput{TraceIds: []string{id, traceID(at, 99), id}})
	require.NoError(t, err)
	require.Len(t, traces.Traces, 1, "unknown ids do not appear")
	assert.Equal(t, id, *traces.Traces[0].Id)
	assert.InDelta(t, 1.001, *traces.Traces[0].Duration, 1e-9)
	require.Len(t, traces.Traces[0].Segments, 2)
	assert.JSONEq(t, root, *traces.Traces[0].Segments[0].Document)

	summaries, err := client.GetTraceSummaries(t.Context(), &xray.GetTraceSummariesInput{
		StartTime: aws.Time(at), EndTime: aws.Time(at.Add(time.Minute)),
	})
	require.NoError(t, err)
	require.Len(t, summaries.TraceSummaries, 1)
	s := summaries.TraceSummaries[0]
	assert.Equal(t, id, *s.Id)
	assert.InDelta(t, 1, *s.ResponseTime, 1e-9)
	assert.Equal(t, int64(1), *summaries.TracesProcessedCount)
	assert.NotNil(t, summaries.ApproximateTime)
	assert.Contains(t, s.Annotations, "shop")
	assert.Equal(t, "orders", *s.EntryPoint.Name)
}

// TestTimeRangeTypes has a trace whose id was made at :00, with activity from :10 to :20, and one whose id has no time.
func TestTimeRangeTypes(t *testing.T) {
	c := startCollector(t, options{})
	client := xray.NewFromConfig(c.aws())
	at := minuteAgo()
	own := traceID(at, 0)
	random := "1-4efaaf4d-1e8720b39541901950019ee5"
	putSegments(t, client,
		segment(own, "1111111111111111", "", at.Add(10*time.Second), 10*time.Second),
		segment(random, "2222222222222222", "", at.Add(10*time.Second), 10*time.Second))
	for name, c := range map[string]struct {
		by       types.TimeRangeType
		from, to time.Duration
		want     []string
	}{
		"id":                       {types.TimeRangeTypeTraceId, 0, time.Second, []string{own}},
		"by default":               {"", 0, time.Second, []string{own}},
		"id without a time":        {types.TimeRangeTypeTraceId, 10 * time.Second, 11 * time.Second, []string{random}},
		"id, later":                {types.TimeRangeTypeTraceId, 11 * time.Second, 30 * time.Second, nil},
		"event before":             {types.TimeRangeTypeEvent, 0, 10 * time.Second, nil},
		"event within":             {types.TimeRangeTypeEvent, 12 * time.Second, 13 * time.Second, []string{own, random}},
		"event after":              {types.TimeRangeTypeEvent, 21 * time.Second, 30 * time.Second, nil},
		"service ends later":       {types.TimeRangeTypeService, 12 * time.Second, 13 * time.Second, nil},
		"service ends":             {types.TimeRangeTypeService, 20 * time.Second, 21 * time.Second, []string{own, random}},
		"service ends at the edge": {types.TimeRangeTypeService, 15 * time.Second, 20 * time.Second, nil},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := client.GetTraceSummaries(t.Context(), &xray.GetTraceSummariesInput{
				StartTime: aws.Time(at.Add(c.from)), EndTime: aws.Time(at.Add(c.to)), TimeRangeType: c.by,
			})
			require.NoError(t, err)
			var got []string
			for _, s := range out.TraceSummaries {
				got = append(got, *s.Id)
				assert.Equal(t, c.by == types.TimeRangeTypeEvent, s.MatchedEventTime != nil)
			}
			assert.ElementsMatch(t, c.want, got)
		})
	}
}

// TestSummariesPages has more traces than a page, several with the same start, and some with several segments.
func TestSummariesPages(t *testing.T) {
	c := startCollector(t, options{})
	client := xray.NewFromConfig(c.aws())
	at := minuteAgo()
	const n = 350
	var docs []string
	for i := range n {
		start := at.Add(time.Duration(i/7) * 100 * time.Millisecond)
		id := traceID(start, i)
		docs = append(docs, segment(id, fmt.Sprintf("%016x", 3*i+1), "", start, time.Second))
		if i%3 == 0 {
			docs = append(docs,
				segment(id, fmt.Sprintf("%016x", 3*i+2), fmt.Sprintf("%016x", 3*i+1), start.Add(700*time.Millisecond), time.Second))
		}
	}
	for len(docs) > 0 {
		k := min(len(docs), 50)
		putSegments(t, client, docs[:k]...)
		docs = docs[k:]
	}
	for _, by := range types.TimeRangeType("").Values() {
		t.Run(string(by), func(t *testing.T) {
			seen := make(map[string]int)
			pages := 0
			var last time.Time
			p := xray.NewGetTraceSummariesPaginator(client, &xray.GetTraceSummariesInput{
				StartTime: &at, EndTime: aws.Time(at.Add(time.Minute)), TimeRangeType: by,
			})
			for p.HasMorePages() {
				out, err := p.NextPage(t.Context())
				require.NoError(t, err)
				pages++
				for _, s := range out.TraceSummaries {
					seen[*s.Id]++
					if !last.IsZero() {
						assert.False(t, s.StartTime.After(last), "newest first")
					}
					last = *s.StartTime
				}
			}
			assert.Equal(t, 4, pages)
			assert.Len(t, seen, n)
			for id, times := range seen {
				require.Equal(t, 1, times, id)
			}
		})
	}
	sampled := func() (ids []string) {
		p := xray.NewGetTraceSummariesPaginator(client, &xray.GetTraceSummariesInput{
			StartTime: &at, EndTime: aws.Time(at.Add(time.Minute)), Sampling: aws.Bool(true),
			SamplingStrategy: &types.SamplingStrategy{Name: types.SamplingStrategyNameFixedRate, Value: aws.Float64(0.5)},
		})
		for p.HasMorePages() {
			out, err := p.NextPage(t.Context())
			require.NoError(t, err)
			for _, s := range out.TraceSummaries {
				ids = append(ids, *s.Id)
			}
		}
		return ids
	}
	once := sampled()
	assert.InDelta(t, n/2, len(once), 60)
	assert.Equal(t, once, sampled())
}

// TestSummariesOfOneStart has so many traces of the same start that a token could not name all that were looked at.
func TestSummariesOfOneStart(t *testing.T) {
	c := startCollector(t, options{})
	client := xray.NewFromConfig(c.aws())
	at := minuteAgo()
	const n = 2150
	var docs []string
	for i := range n {
		docs = append(docs, segment(traceID(at, i), fmt.Sprintf("%016x", i+1), "", at, time.Second))
	}
	for len(docs) > 0 {
		k := min(len(docs), 1000)
		putSegments(t, client, docs[:k]...)
		docs = docs[k:]
	}
	p := xray.NewGetTraceSummariesPaginator(client, &xray.GetTraceSummariesInput{
		StartTime: &at, EndTime: aws.Time(at.Add(time.Minute)),
	})
	seen := make(map[string]bool)
	for p.HasMorePages() {
		out, err := p.NextPage(t.Context())
		require.NoError(t, err)
		if out.NextToken != nil {
			assert.Less(t, len(*out.NextToken), 200)
		}
		for _, s := range out.TraceSummaries {
			require.False(t, seen[*s.Id], *s.Id)
			seen[*s.Id] = true
		}
	}
	assert.Len(t, seen, n)
}

func TestTracesErrors(t *testing.T) {
	c := startCollector(t, options{})
	client := xray.NewFromConfig(c.aws())
	now := time.Now()
	summaries := func(change func(*xray.GetTraceSummariesInput)) error {
		in := &xray.GetTraceSummariesInput{StartTime: aws.Time(now.Add(-time.Hour)), EndTime: &now}
		change(in)
		_, err := client.GetTraceSummaries(t.Context(), in)
		return err
	}
	for want, err := range map[string]error{
		`FilterExpression is not supported: service("orders")`: summaries(func(in *xray.GetTraceSummariesInput) {
			in.FilterExpression = aws.String(`service("orders")`)
		}),
		"StartTime must be before EndTime.": summaries(func(in *xray.GetTraceSummariesInput) { in.EndTime = in.StartTime }),
		`TimeRangeType "Day" is none of TraceId, Event, Service.`: summaries(func(in *xray.GetTraceSummariesInput) {
			in.TimeRangeType = "Day"
		}),
		"NextToken is invalid.": summaries(func(in *xray.GetTraceSummariesInput) { in.NextToken = aws.String("x") }),
		"SamplingStrategy.Value must be greater than 0 and at most 1, got 2.": summaries(func(in *xray.GetTraceSummariesInput) {
			in.SamplingStrategy = &types.SamplingStrategy{Name: types.SamplingStrategyNameFixedRate, Value: aws.Float64(2)}
		}),
		"SamplingStrategy.Value must be greater than 0 and at most 1, got NaN.": summaries(func(in *xray.GetTraceSummariesInput) {
			in.Sampling = aws.Bool(false)
			in.SamplingStrategy = &types.SamplingStrategy{Name: types.SamplingStrategyNameFixedRate, Value: aws.Float64(math.NaN())}
		}),
		`SamplingStrategy.Name "Luck" is neither PartialScan nor FixedRate.`: summaries(func(in *xray.GetTraceSummariesInput) {
			in.SamplingStrategy = &types.SamplingStrategy{Name: "Luck"}
		}),
	} {
		message := requireAPIError(t, err, "InvalidRequestException", 400)
		assert.Equal(t, want, message)
	}
	_, err := client.BatchGetTraces(t.Context(), &xray.BatchGetTracesInput{TraceIds: []string{"1-x"}})
	requireAPIError(t, err, "InvalidRequestException", 400)
	_, err = client.BatchGetTraces(t.Context(), &xray.BatchGetTracesInput{TraceIds: []string{}})
	requireAPIError(t, err, "InvalidRequestException", 400)
	_, err = client.BatchGetTraces(t.Context(), &xray.BatchGetTracesInput{TraceIds: make([]string, 101)})
	requireAPIError(t, err, "InvalidRequestException", 400)
	_, err = client.BatchGetTraces(t.Context(), &xray.BatchGetTracesInput{TraceIds: []string{traceID(now, 1)}, NextToken: aws.String("x")})
	requireAPIError(t, err, "InvalidRequestException", 400)
	_, err = client.GetServiceGraph(t.Context(), &xray.GetServiceGraphInput{StartTime: &now, EndTime: &now})
	requireAPIError(t, err, "NotImplemented", 501)
}

func TestSampling(t *testing.T) {
	c := startCollector(t, options{})
	client := xray.NewFromConfig(c.aws())
	rules, err := client.GetSamplingRules(t.Context(), &xray.GetSamplingRulesInput{})
	require.NoError(t, err)
	require.Len(t, rules.SamplingRuleRecords, 1)
	assert.Equal(t, "Default", *rules.SamplingRuleRecords[0].SamplingRule.RuleName)
	now := time.Now()
	targets, err := client.GetSamplingTargets(t.Context(), &xray.GetSamplingTargetsInput{
		SamplingStatisticsDocuments: []types.SamplingStatisticsDocument{{
			RuleName: aws.String("Default"), ClientID: aws.String("0123456789abcdef01234567"), Timestamp: &now, RequestCount: 5, SampledCount: 1,
		}},
	})
	require.NoError(t, err)
	require.Len(t, targets.SamplingTargetDocuments, 1)
	stats, err := client.GetSamplingStatisticSummaries(t.Context(), &xray.GetSamplingStatisticSummariesInput{})
	require.NoError(t, err)
	require.Len(t, stats.SamplingStatisticSummaries, 1)
	assert.Equal(t, int32(5), stats.SamplingStatisticSummaries[0].RequestCount)
}

func TestTelemetryRecords(t *testing.T) {
	c := startCollector(t, options{})
	client := xray.NewFromConfig(c.aws())
	now := time.Now()
	_, err := client.PutTelemetryRecords(t.Context(), &xray.PutTelemetryRecordsInput{
		TelemetryRecords: []types.TelemetryRecord{{Timestamp: &now, SegmentsReceivedCount: aws.Int32(1)}}, Hostname: aws.String(""),
	})
	require.NoError(t, err)
	_, err = client.PutTelemetryRecords(t.Context(), &xray.PutTelemetryRecordsInput{TelemetryRecords: make([]types.TelemetryRecord, 101)})
	require.Error(t, err)
}
