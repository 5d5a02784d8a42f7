// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package metricstreams

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/nephoscope/nephoscope/extension/awsapiextension/internal/objects"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
	"github.com/nephoscope/nephoscope/pkg/metricstream"
)

const (
	minute = int64(60)
	// maxBehind is how many minutes a stream is delivered late; older ones are given up.
	maxBehind = 60
	// metricsAtOnce bounds the metrics that are read and delivered together.
	metricsAtOnce = 500
	// delivering is how many streams are delivered at the same time.
	delivering = 4
	// tick is how often is looked for what is due.
	tick = 5 * time.Second

	firstBackoff, longestBackoff = 10 * time.Second, 5 * time.Minute
)

// cursor is how far a stream was delivered. It moves when a minute has been taken by the destination, so that a restart
// goes on behind it.
type cursor struct {
	Key  string `json:"key"`
	Next int64  `json:"next"` // the minute that is delivered next, Unix seconds
}

// backoff is since when, and for how long, a stream could not be delivered.
type backoff struct {
	until time.Time
	wait  time.Duration
}

// beginNow makes streams begin with this minute.
func (s *Service) beginNow(ctx context.Context, keys ...string) error {
	now := s.set.Now().Unix()
	return s.cursors.Change(ctx, func(c *objects.Change[cursor]) error {
		for _, key := range keys {
			c.Put(&cursor{Key: key, Next: now - now%minute})
		}
		return nil
	})
}

// forget drops what is known of a stream that is gone.
func (s *Service) forget(ctx context.Context, key string) error {
	s.mu.Lock()
	delete(s.failing, key)
	s.mu.Unlock()
	return s.cursors.Change(ctx, func(c *objects.Change[cursor]) error {
		if s.cursors.Get(key) != nil {
			c.Delete(key)
		}
		return nil
	})
}

// Start begins to deliver.
func (s *Service) Start() {
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	s.work.Go(func() {
		ticker := time.NewTicker(tick)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				s.Deliver(ctx)
			case <-ctx.Done():
				return
			}
		}
	})
}

// Shutdown ends the delivery and waits for it.
func (s *Service) Shutdown() {
	if s.cancel != nil {
		s.cancel()
	}
	s.work.Wait()
}

// Deliver delivers all that is due.
func (s *Service) Deliver(ctx context.Context) {
	if s.set.Metrics == nil {
		return
	}
	slots := make(chan struct{}, delivering)
	var all sync.WaitGroup
	for _, r := range s.rows.Select(func(r *row) bool { return !r.Stopped }) {
		if !s.due(r) {
			continue
		}
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			s.deliver(ctx, r)
		})
	}
	all.Wait()
}

// next is the minute that a stream is to deliver; ok is false when it is not over.
func (s *Service) next(key string) (at int64, ok bool) {
	if c := s.cursors.Get(key); c != nil {
		at = c.Next
	} else if r := s.rows.Get(key); r != nil { // it was created, and then the collector ended
		at = r.Created / 1000 / minute * minute
	} else {
		return 0, false
	}
	return at, at+minute+int64(s.set.Delay/time.Second) <= s.set.Now().Unix()
}

func (s *Service) due(r *row) bool {
	s.mu.Lock()
	failing := s.failing[r.key()]
	s.mu.Unlock()
	if failing != nil && s.set.Now().Before(failing.until) {
		return false
	}
	_, ok := s.next(r.key())
	return ok
}

// deliver delivers the minutes of a stream that are over.
func (s *Service) deliver(ctx context.Context, r *row) {
	key := r.key()
	for ctx.Err() == nil {
		at, ok := s.next(key)
		if !ok {
			return
		}
		if oldest := s.set.Now().Unix() - maxBehind*minute; at < oldest {
			given := oldest - oldest%minute
			s.set.Logger.Warn("metric stream is too far behind: minutes are given up",
				zap.String("stream", r.Name), zap.Int64("minutes", (given-at)/minute))
			at = given
		}
		err := s.deliverMinute(ctx, r, at)
		if err == nil {
			err = s.advance(ctx, key, at+minute)
		}
		if err != nil {
			s.failed(ctx, r, err)
			return
		}
		s.mu.Lock()
		delete(s.failing, key)
		s.mu.Unlock()
	}
}

// advance moves a stream's cursor, unless the stream is not there any more.
func (s *Service) advance(ctx context.Context, key string, next int64) error {
	return s.cursors.Change(ctx, func(c *objects.Change[cursor]) error {
		if r := s.rows.Get(key); r == nil || r.Stopped {
			return errStopped
		}
		c.Put(&cursor{Key: key, Next: next})
		return nil
	})
}

// failed makes the next attempt wait.
func (s *Service) failed(ctx context.Context, r *row, err error) {
	if ctx.Err() != nil || errors.Is(err, errStopped) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.failing[r.key()]
	if b == nil {
		b = &backoff{wait: firstBackoff}
		s.failing[r.key()] = b
	}
	b.until = s.set.Now().Add(b.wait)
	s.set.Logger.Warn("metric stream is not delivered, it will be tried again",
		zap.String("stream", r.Name), zap.Duration("wait", b.wait), zap.Error(err))
	b.wait = min(2*b.wait, longestBackoff)
}

// deliverMinute reads a minute of all that a stream selects and hands it to the destination.
func (s *Service) deliverMinute(ctx context.Context, r *row, at int64) error {
	destination, ok := s.set.Destinations[r.Firehose]
	if !ok {
		return fmt.Errorf("no destination is configured for %s", r.Firehose)
	}
	for _, namespace := range r.namespaces() {
		f := cloudwatch.MetricFilter{Tenant: r.tenant(), Namespace: namespace, Since: at}
		var after *cloudwatch.Metric
		for {
			metrics, err := s.set.Metrics.ListMetrics(ctx, f, after, metricsAtOnce)
			if err != nil {
				return fmt.Errorf("list metrics: %w", err)
			}
			if err := s.deliverSome(ctx, r, destination, metrics, at); err != nil {
				return err
			}
			if len(metrics) < metricsAtOnce {
				break
			}
			after = &metrics[len(metrics)-1]
		}
	}
	return nil
}

func (s *Service) deliverSome(ctx context.Context, r *row, d Destination, metrics []cloudwatch.Metric, at int64) error {
	var queries []cloudwatch.MetricQuery
	var additional [][]string
	for i := range metrics {
		m := &metrics[i]
		if !r.selects(m) {
			continue
		}
		stats := r.additional(m)
		queries = append(queries, cloudwatch.MetricQuery{
			Tenant: r.tenant(), Metric: *m, Start: at, End: at + minute, Period: minute, Distribution: len(stats) > 0,
		})
		additional = append(additional, stats)
	}
	if len(queries) == 0 {
		return nil
	}
	answers, err := s.set.Metrics.QueryMetrics(ctx, queries)
	if err != nil {
		return fmt.Errorf("query metrics: %w", err)
	}
	var points []metricstream.Point
	for i := range answers {
		for k := range answers[i] {
			points = append(points, r.point(&queries[i].Metric, &answers[i][k], additional[i]))
		}
	}
	return s.send(ctx, d, r, points)
}

// point is a metric's minute as it is delivered.
func (r *row) point(m *cloudwatch.Metric, b *cloudwatch.Bucket, additional []string) metricstream.Point {
	p := metricstream.Point{
		Tenant: r.tenant(), Stream: r.Name, StreamARN: r.arn(), Metric: *m, Unit: b.Unit, TimestampMs: b.Start * 1000,
		StatisticSet: b.StatisticSet,
	}
	for _, name := range additional {
		stat, _ := cloudwatch.ParseStatistic(name) // checked when the stream was put
		if v, ok := stat.Of(&b.StatisticSet, b.Distribution); ok {
			p.Additional = append(p.Additional, metricstream.Statistic{Name: name, Value: v})
		}
	}
	return p
}
