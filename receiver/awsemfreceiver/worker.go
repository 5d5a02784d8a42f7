// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsemfreceiver

import (
	"context"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
	"github.com/nephoscope/nephoscope/pkg/cloudwatchlogs"
	"github.com/nephoscope/nephoscope/pkg/emf"
)

// chunk is lines that came from one peer.
type chunk struct {
	text, peer string
	weight     int64 // in the queue
}

// worker makes batches of what was read and delivers them. While a delivery takes its time more is read, which makes
// the next batch larger: no document waits for a batch to fill.
type worker struct {
	r   *emfReceiver
	obs *receiverhelper.ObsReport
	in  chan chunk
	batch
}

// waiting bounds the chunks that wait for a worker; their bytes are bounded by queue_bytes.
const waiting = 1024

func (r *emfReceiver) startWorker(ctx context.Context, obs *receiverhelper.ObsReport) *worker {
	w := &worker{r: r, obs: obs, in: make(chan chunk, waiting), batch: newBatch(r)}
	r.working.Go(func() { w.run(ctx) })
	return w
}

func (w *worker) run(ctx context.Context) {
	for c := range w.in {
		w.start()
		w.addChunk(c)
		weight := c.weight
	more:
		for w.documents < w.r.cfg.MaxBatchDocuments {
			select {
			case c, ok := <-w.in:
				if !ok {
					break more
				}
				w.addChunk(c)
				weight += c.weight
			default:
				break more
			}
		}
		w.countErrors(ctx)
		w.deliver(ctx)
		w.r.queue.Release(weight)
	}
}

func (w *worker) deliver(ctx context.Context) {
	if w.r.logs != nil {
		if ld := w.takeLogs(); ld.ResourceLogs().Len() > 0 {
			w.r.deliverLogs(ctx, w.obs, ld)
		}
	}
	if w.r.metrics == nil {
		return
	}
	w.addErrorCounters()
	if len(w.data) > 0 {
		w.r.deliverMetrics(ctx, w.obs, w.takeMetrics())
	}
}

// place is where a document goes.
type place struct {
	group, stream string
}

// batch collects documents.
type batch struct {
	r         *emfReceiver
	nowMs     int64
	documents int
	events    map[place][]cloudwatchlogs.InputEvent
	places    []place // in order of appearance
	data      []cloudwatch.Datum
	rejected  map[string]int
	invalid   map[emf.Reason]int64
	// faults are validation errors by log group, when they are emitted as metrics.
	faults map[string]int64
}

func newBatch(r *emfReceiver) batch {
	return batch{
		r: r, events: make(map[place][]cloudwatchlogs.InputEvent),
		rejected: make(map[string]int), invalid: make(map[emf.Reason]int64), faults: make(map[string]int64),
	}
}

func (b *batch) start() {
	b.nowMs = b.r.now().UnixMilli()
	b.documents = 0
}

func (b *batch) addChunk(c chunk) {
	for line := range strings.Lines(c.text) {
		if line = strings.TrimSpace(line); line != "" {
			b.add(line, c.peer)
		}
	}
}

func (b *batch) add(doc, peer string) {
	switch {
	case len(doc) > b.r.cfg.MaxLineBytes:
		b.rejected[reasonTooLong]++
		return
	case !utf8.ValidString(doc):
		b.rejected[reasonUTF8]++
		return
	}
	meta, ok := b.extract(doc)
	if !ok {
		b.rejected[reasonJSON]++
		return
	}
	b.documents++
	if b.r.logs == nil {
		return
	}
	p := place{meta.LogGroupName, meta.LogStreamName}
	if p.group == "" {
		p.group = b.r.cfg.LogGroupName
	}
	if p.stream == "" {
		if p.stream = b.r.cfg.LogStreamName; p.stream == "" {
			p.stream = strings.ReplaceAll(peer, ":", "_") // which a stream's name may not have, but an IPv6 address does
		}
	}
	events, known := b.events[p]
	if !known {
		b.places = append(b.places, p)
	}
	ts := b.nowMs
	if meta.HasTimestamp {
		ts = meta.TimestampMs
	}
	b.events[p] = append(events, cloudwatchlogs.InputEvent{Timestamp: ts, Message: doc})
}

// extract reads where a document goes and, when somebody wants them, its metrics.
func (b *batch) extract(doc string) (emf.Meta, bool) {
	if b.r.metrics == nil {
		return emf.Inspect(doc)
	}
	res := emf.Extract(b.data, doc, b.nowMs, emf.Options{NowMs: b.nowMs, Declared: true})
	b.data = res.Data
	for _, p := range res.Report.Problems {
		if p.Reason.Parsing() {
			return emf.Meta{}, false
		}
		b.invalid[p.Reason] += p.Count
	}
	if n := res.Report.ValidationErrors(); n > 0 && b.r.cfg.ErrorMetrics {
		group := res.Meta.LogGroupName
		if group == "" {
			group = b.r.cfg.LogGroupName
		}
		b.faults[group] += n
	}
	return res.Meta, true
}

// addErrorCounters adds what CloudWatch Logs would publish of the faulty documents of each log group. There are no parsing
// errors in them: a line that is not JSON goes to no log group.
func (b *batch) addErrorCounters() {
	for _, group := range slices.Sorted(maps.Keys(b.faults)) {
		b.data = emf.AppendErrorCounters(b.data, group, 0, b.faults[group], b.nowMs)
	}
	clear(b.faults)
}

// takeLogs makes log records of the documents, those of each stream in their order.
func (b *batch) takeLogs() plog.Logs {
	ld := plog.NewLogs()
	for i, p := range b.places {
		one := cloudwatchlogs.ToLogs(b.r.cfg.AccountID, b.r.cfg.Region, p.group, p.stream, b.events[p], b.nowMs)
		if i == 0 {
			ld = one
			continue
		}
		one.ResourceLogs().MoveAndAppendTo(ld.ResourceLogs())
	}
	clear(b.events)
	b.places = b.places[:0]
	return ld
}

func (b *batch) takeMetrics() pmetric.Metrics {
	md := cloudwatch.ToMetrics(b.r.cfg.AccountID, b.r.cfg.Region, b.data)
	clear(b.data)
	b.data = b.data[:0]
	return md
}

func (b *batch) countErrors(ctx context.Context) {
	for reason, n := range b.rejected {
		b.r.reject(ctx, reason, n)
	}
	for reason, n := range b.invalid {
		b.r.telemetry.ReceiverAwsemfValidationErrors.Add(ctx, n,
			metric.WithAttributes(attribute.String("reason", string(reason))))
	}
	clear(b.rejected)
	clear(b.invalid)
}

func countLines(text string) int {
	n := 0
	for line := range strings.Lines(text) {
		if strings.TrimSpace(line) != "" {
			n++
		}
	}
	return n
}
