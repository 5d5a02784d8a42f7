// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package durability checks the promise that what was acknowledged is never lost: the real collector is killed
// with SIGKILL while real clients write to it as fast as they can.
package durability

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	mrand "math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/xray"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/testbed/collector"
)

const (
	group      = "/durability"
	namespace  = "durability"
	logWriters = 6
	logBatch   = 200
	metWriters = 3
	metBatch   = 100
	segWriters = 3
	segBatch   = 25
)

// ledger is what the clients sent and what of it was acknowledged.
type ledger struct {
	mu sync.Mutex
	// Log batches by stream: the numbers of batches acknowledged and of those sent.
	ackedLogs map[string]map[int]bool
	// Metric requests by metric name.
	ackedPoints, sentPoints map[string]int
	// Trace ids.
	ackedTraces []string
}

// TestKill kills the collector ten times (NEPHOSCOPE_KILL_ROUNDS) under full load and checks after each restart
// that every acknowledged event, data point and segment can be read back.
func TestKill(t *testing.T) {
	rounds := 10
	if s := os.Getenv("NEPHOSCOPE_KILL_ROUNDS"); s != "" {
		n, err := strconv.Atoi(s)
		require.NoError(t, err)
		rounds = n
	}
	c := collector.Start(t, collector.Options{})
	l := &ledger{
		ackedLogs:   make(map[string]map[int]bool),
		ackedPoints: make(map[string]int),
		sentPoints:  make(map[string]int),
	}
	begin := time.Now().Add(-time.Minute)
	logs := cloudwatchlogs.NewFromConfig(c.AWSConfig())
	_, err := logs.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String(group)})
	require.NoError(t, err)

	for round := range rounds {
		acked := load(t, c, l, round)
		t.Logf("round %d: killed after %d acknowledged requests", round, acked)
		require.Positive(t, acked, "nothing was acknowledged before the kill")
		c.Start(t)
		verify(t, c, l, round, begin)
		if t.Failed() {
			t.Fatalf("round %d lost acknowledged data; the collector's log:\n%s", round, c.Log())
		}
	}
	c.Stop(t)
}

// load writes with all clients at once, kills the collector in the middle, and returns how many requests were
// acknowledged.
func load(t *testing.T, c *collector.Collector, l *ledger, round int) int64 {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var acked atomic.Int64
	var wg sync.WaitGroup
	run := func(f func(ctx context.Context, n int) error) {
		wg.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				if f(ctx, n) != nil {
					if ctx.Err() != nil || acked.Load() > 0 {
						return // the collector is gone
					}
					continue
				}
				acked.Add(1)
			}
		})
	}

	logs := cloudwatchlogs.NewFromConfig(c.AWSConfig(), func(o *cloudwatchlogs.Options) { o.RetryMaxAttempts = 1 })
	for w := range logWriters {
		stream := fmt.Sprintf("r%d-w%d", round, w)
		_, err := logs.CreateLogStream(ctx, &cloudwatchlogs.CreateLogStreamInput{
			LogGroupName: aws.String(group), LogStreamName: aws.String(stream),
		})
		require.NoError(t, err)
		l.ackedLogs[stream] = make(map[int]bool)
		run(func(ctx context.Context, n int) error { return putLogs(ctx, logs, l, stream, n) })
	}
	metrics := cloudwatch.NewFromConfig(c.AWSConfig(), func(o *cloudwatch.Options) { o.RetryMaxAttempts = 1 })
	for w := range metWriters {
		name := fmt.Sprintf("r%d-w%d", round, w)
		run(func(ctx context.Context, _ int) error { return putMetrics(ctx, metrics, l, name) })
	}
	traces := xray.NewFromConfig(c.AWSConfig(), func(o *xray.Options) { o.RetryMaxAttempts = 1 })
	for range segWriters {
		run(func(ctx context.Context, _ int) error { return putSegments(ctx, traces, l) })
	}

	// The kill comes at a random moment, so that rounds hit commits, checkpoints and the gaps between them.
	timer := time.NewTimer(time.Second + time.Duration(mrand.IntN(1500))*time.Millisecond)
	defer timer.Stop()
	<-timer.C
	c.Kill()
	cancel()
	wg.Wait()
	return acked.Load()
}

func putLogs(ctx context.Context, client *cloudwatchlogs.Client, l *ledger, stream string, n int) error {
	events := make([]logstypes.InputLogEvent, logBatch)
	now := time.Now().UnixMilli()
	for i := range events {
		events[i] = logstypes.InputLogEvent{
			Timestamp: aws.Int64(now),
			Message:   aws.String(fmt.Sprintf(`{"batch":%d,"i":%d,"level":"INFO","service":"durability"}`, n, i)),
		}
	}
	_, err := client.PutLogEvents(ctx, &cloudwatchlogs.PutLogEventsInput{
		LogGroupName: aws.String(group), LogStreamName: aws.String(stream), LogEvents: events,
	})
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ackedLogs[stream][n] = true
	return nil
}

func putMetrics(ctx context.Context, client *cloudwatch.Client, l *ledger, name string) error {
	data := make([]cwtypes.MetricDatum, metBatch)
	for i := range data {
		data[i] = cwtypes.MetricDatum{
			MetricName: aws.String(name), Value: aws.Float64(1), Unit: cwtypes.StandardUnitCount,
			Timestamp: aws.Time(time.Now()),
		}
	}
	l.mu.Lock()
	l.sentPoints[name] += metBatch
	l.mu.Unlock()
	_, err := client.PutMetricData(ctx, &cloudwatch.PutMetricDataInput{Namespace: aws.String(namespace), MetricData: data})
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ackedPoints[name] += metBatch
	return nil
}

func putSegments(ctx context.Context, client *xray.Client, l *ledger) error {
	docs := make([]string, segBatch)
	ids := make([]string, segBatch)
	now := time.Now()
	for i := range docs {
		var b [20]byte
		_, _ = rand.Read(b[:]) // never fails
		ids[i] = fmt.Sprintf("1-%08x-%s", now.Unix(), hex.EncodeToString(b[:12]))
		docs[i] = fmt.Sprintf(`{"name":"durability","id":"%s","trace_id":"%s","start_time":%d.25,"end_time":%d.5}`,
			hex.EncodeToString(b[12:]), ids[i], now.Unix(), now.Unix())
	}
	out, err := client.PutTraceSegments(ctx, &xray.PutTraceSegmentsInput{TraceSegmentDocuments: docs})
	if err != nil {
		return err
	}
	if n := len(out.UnprocessedTraceSegments); n != 0 {
		return fmt.Errorf("%d segments unprocessed", n)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ackedTraces = append(l.ackedTraces, ids...)
	return nil
}

// verify reads back what the round's clients had acknowledged.
func verify(t *testing.T, c *collector.Collector, l *ledger, round int, begin time.Time) {
	t.Helper()
	prefix := fmt.Sprintf("r%d-", round)

	logs := cloudwatchlogs.NewFromConfig(c.AWSConfig())
	found := make(map[string]map[int]int) // stream -> batch -> events
	p := cloudwatchlogs.NewFilterLogEventsPaginator(logs, &cloudwatchlogs.FilterLogEventsInput{
		LogGroupName: aws.String(group), LogStreamNamePrefix: aws.String(prefix),
	})
	for p.HasMorePages() {
		page, err := p.NextPage(t.Context())
		require.NoError(t, err)
		for _, e := range page.Events {
			var batch, i int
			_, err := fmt.Sscanf(*e.Message, `{"batch":%d,"i":%d,`, &batch, &i)
			require.NoError(t, err, *e.Message)
			m := found[*e.LogStreamName]
			if m == nil {
				m = make(map[int]int)
				found[*e.LogStreamName] = m
			}
			m[batch]++
		}
	}
	for stream, batches := range l.ackedLogs {
		if !strings.HasPrefix(stream, prefix) {
			continue
		}
		for batch := range batches {
			assert.Equal(t, logBatch, found[stream][batch], "events of the acknowledged batch %d of stream %s", batch, stream)
		}
	}

	metrics := cloudwatch.NewFromConfig(c.AWSConfig())
	for name, sent := range l.sentPoints {
		if !strings.HasPrefix(name, prefix) {
			continue
		}
		out, err := metrics.GetMetricStatistics(t.Context(), &cloudwatch.GetMetricStatisticsInput{
			Namespace: aws.String(namespace), MetricName: aws.String(name), Period: aws.Int32(60),
			StartTime: aws.Time(begin), EndTime: aws.Time(time.Now().Add(2 * time.Minute)),
			Statistics: []cwtypes.Statistic{cwtypes.StatisticSampleCount, cwtypes.StatisticSum},
		})
		require.NoError(t, err)
		var count, sum float64
		for _, d := range out.Datapoints {
			count += *d.SampleCount
			sum += *d.Sum
		}
		assert.GreaterOrEqual(t, count, float64(l.ackedPoints[name]), "samples of %s", name)
		assert.LessOrEqual(t, count, float64(sent), "samples of %s", name)
		assert.InDelta(t, count, sum, 0, "sum of %s", name)
	}

	traces := xray.NewFromConfig(c.AWSConfig())
	for ids := l.ackedTraces; len(ids) > 0; {
		n := min(5, len(ids))
		out, err := traces.BatchGetTraces(t.Context(), &xray.BatchGetTracesInput{TraceIds: ids[:n]})
		require.NoError(t, err)
		assert.Len(t, out.Traces, n, "of the acknowledged traces %v", ids[:n])
		ids = ids[n:]
	}
	l.ackedTraces = l.ackedTraces[:0]
}
