// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awscloudwatchexporter

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.uber.org/zap"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// maxQueued bounds the data of one request of the queue, which bounds what is sent again when a part of it fails.
const maxQueued = 5000

// datumBytes is about what a large datum takes in the queue.
const datumBytes = 8 << 10

// queuedAtOnce is how many data one request of the queue has: no more than there is room for in an empty one, where it would
// never come in.
func (c *Config) queuedAtOnce() int {
	q := c.queue()
	if !q.HasValue() {
		return maxQueued
	}
	switch size := q.Get().QueueSize; q.Get().Sizer {
	case exporterhelper.RequestSizerTypeItems:
		return int(min(maxQueued, max(size, 1)))
	case exporterhelper.RequestSizerTypeBytes:
		return int(min(maxQueued, max(size/datumBytes, 1)))
	}
	return maxQueued
}

// run flushes whenever periods end.
func (e *cloudWatchExporter) run() {
	ctx := e.background
	for {
		now := e.now()
		timer := time.NewTimer(nextFlush(now, e.cfg.AggregationInterval, e.cfg.AggregationDelay).Sub(now))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-e.compact:
			timer.Stop()
		case <-timer.C:
		}
		if err := e.flush(ctx, false); err != nil {
			e.set.Logger.Warn("aggregated data wait: they are tried again when the next periods end", zap.Error(err))
		}
	}
}

// nextFlush is when the next periods are over and have been waited for.
func nextFlush(now time.Time, interval, delay time.Duration) time.Time {
	// Periods begin at multiples of the interval since 1970, which Time.Truncate does not count from.
	over := now.Add(-delay).UnixNano()
	return time.Unix(0, over-over%int64(interval)).Add(interval + delay).In(now.Location())
}

// flush hands on the periods that are over, or all, and makes the journal hold what remains.
func (e *cloudWatchExporter) flush(ctx context.Context, all bool) error {
	e.gate.Lock()
	closed := e.periods.take(e.now(), all)
	var open []cloudwatch.Datum
	var mark uint64
	if e.journal != nil {
		mark = e.journal.mark()
		open = e.periods.export()
	}
	e.gate.Unlock()

	data := append(e.unsent.take(), e.data(closed)...)
	var failed error
	for atOnce := e.cfg.queuedAtOnce(); len(data) > 0; {
		n := min(len(data), atOnce)
		err := e.next.ConsumeMetrics(ctx, toMetrics(nil, data[:n]))
		if consumererror.IsPermanent(err) {
			e.countRejected(ctx, reasonRefused, int64(n))
		} else if err != nil {
			failed = err
			e.unsent.add(data)
			break
		}
		data = data[n:]
	}
	if e.journal == nil {
		return failed
	}
	// What was handed on is durable in the queue. Should the process end before this, it is handed on twice. So there is no
	// giving up here because the time to hand it on is over.
	entries, err := journalEntries(open, data)
	if err == nil {
		err = e.journal.replace(context.WithoutCancel(ctx), mark, entries)
	}
	if err != nil {
		e.set.Logger.Error("the journal of what is being aggregated could not be written: after a crash, data would count twice",
			zap.Error(err))
	}
	return failed
}

// journalEntries are entries of open periods and of data that are final.
func journalEntries(open, final []cloudwatch.Datum) (entries [][]byte, err error) {
	for _, part := range []struct {
		data []cloudwatch.Datum
		mark string
	}{{open, ""}, {final, attributeFinal}} {
		for rest := part.data; len(rest) > 0; {
			n := min(len(rest), maxQueued)
			md := pmetric.NewMetrics()
			appendMarked(md, rest[:n], part.mark)
			entry, err := encode(md)
			if err != nil {
				return nil, err
			}
			entries = append(entries, entry)
			rest = rest[n:]
		}
	}
	return entries, nil
}
