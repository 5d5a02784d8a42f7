// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package metricstreams

import (
	"bytes"
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

// cursor is how far a stream was delivered. It moves with each request that the destination has taken, so that a failure or a
// restart goes on behind it.
type cursor struct {
	Key  string `json:"key"`
	Next int64  `json:"next"` // the minute that is delivered next, Unix seconds
	// Of a minute that was delivered in part: up to this metric of this namespace. Namespaces are delivered in order.
	Namespace string `json:"namespace,omitempty"`
	After     []byte `json:"after,omitempty"` // key of the metric; nil says that nothing was delivered
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
			s.deliver(ctx, r.key())
		})
	}
	all.Wait()
}

// next is where a stream goes on; ok is false when that minute is not over.
func (s *Service) next(key string) (c cursor, ok bool) {
	if kept := s.cursors.Get(key); kept != nil {
		c = *kept
	} else if r := s.rows.Get(key); r != nil { // it was created, and then the collector ended
		c = cursor{Key: key, Next: r.Created / 1000 / minute * minute}
	} else {
		return c, false
	}
	return c, c.Next+minute+int64(s.set.Delay/time.Second) <= s.set.Now().Unix()
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
func (s *Service) deliver(ctx context.Context, key string) {
	for ctx.Err() == nil {
		r := s.rows.Get(key) // it may have been changed meanwhile
		if r == nil || r.Stopped {
			return
		}
		at, ok := s.next(key)
		if !ok {
			return
		}
		if oldest := s.set.Now().Unix() - maxBehind*minute; at.Next < oldest {
			given := cursor{Key: key, Next: oldest - oldest%minute}
			s.set.Logger.Warn("metric stream is too far behind: minutes are given up",
				zap.String("stream", r.Name), zap.Int64("minutes", (given.Next-at.Next)/minute))
			if err := s.advance(ctx, r, &at, given); err != nil {
				s.failed(ctx, r, err)
				return
			}
			at = given
		}
		if err := s.deliverMinute(ctx, r, &at); err != nil {
			s.failed(ctx, r, err)
			return
		}
		s.mu.Lock()
		delete(s.failing, key)
		s.mu.Unlock()
	}
}

// advance moves a stream's cursor on, unless the stream was deleted, stopped or started anew meanwhile.
func (s *Service) advance(ctx context.Context, r *row, at *cursor, to cursor) error {
	err := s.cursors.Change(ctx, func(c *objects.Change[cursor]) error {
		now, _ := s.next(to.Key)
		if row := s.rows.Get(to.Key); row == nil || row.Stopped || row.Created != r.Created ||
			now.Next != at.Next || now.Namespace != at.Namespace || !bytes.Equal(now.After, at.After) {
			return errStopped
		}
		c.Put(&to)
		return nil
	})
	if err == nil {
		*at = to
	}
	return err
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

// deliverMinute reads a minute of all that a stream selects, hands it to the destination and moves the cursor.
func (s *Service) deliverMinute(ctx context.Context, r *row, at *cursor) error {
	destination, ok := s.set.Destinations[r.Firehose]
	if !ok {
		return fmt.Errorf("no destination is configured for %s", r.Firehose)
	}
	namespaces := r.namespaces()
	for i, namespace := range namespaces {
		var after *cloudwatch.Metric
		if at.After != nil {
			if namespace < at.Namespace {
				continue
			}
			if namespace == at.Namespace {
				m, err := cloudwatch.ParseKey(at.After)
				if err != nil {
					return fmt.Errorf("cursor: %w", err)
				}
				after = &m
			}
		}
		f := cloudwatch.MetricFilter{Tenant: r.tenant(), Namespace: namespace, Since: at.Next}
		for {
			metrics, err := s.set.Metrics.ListMetrics(ctx, f, after, metricsAtOnce)
			if err != nil {
				return fmt.Errorf("list metrics: %w", err)
			}
			sent, err := s.deliverSome(ctx, r, destination, metrics, at.Next)
			if err != nil {
				return err
			}
			if len(metrics) == 0 {
				break
			}
			after = &metrics[len(metrics)-1]
			if last := i == len(namespaces)-1 && len(metrics) < metricsAtOnce; sent && !last {
				if err := s.advance(ctx, r, at, cursor{Key: at.Key, Next: at.Next, Namespace: namespace, After: after.AppendKey(nil)}); err != nil {
					return err
				}
			}
			if len(metrics) < metricsAtOnce {
				break
			}
		}
	}
	return s.advance(ctx, r, at, cursor{Key: at.Key, Next: at.Next + minute})
}

// deliverSome delivers a minute of the metrics that are selected, and reports whether there was anything to send.
func (s *Service) deliverSome(ctx context.Context, r *row, d Destination, metrics []cloudwatch.Metric, at int64) (sent bool, err error) {
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
		return false, nil
	}
	answers, err := s.set.Metrics.QueryMetrics(ctx, queries)
	if err != nil {
		return false, fmt.Errorf("query metrics: %w", err)
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
