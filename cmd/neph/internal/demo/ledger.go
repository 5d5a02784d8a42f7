// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"slices"
	"strings"
)

// ledger is what was sent, and acknowledged where the protocol has an answer. It is what is looked for afterwards.
type ledger struct {
	logs     map[logStream][]string
	metrics  map[metricKey]*statistics
	segments map[TraceID]map[string]bool // by document id; subsegments and child spans too
	// documents counts what was sent in one piece: X-Ray datagrams and OTLP server spans.
	documents, spans int
}

// logStream is a stream and how its events were sent.
type logStream struct {
	Group, Stream string
	How           string
	// OTLP events are whole log records as JSON, of which only what was sent is compared.
	OTLP bool
}

// metricKey is a metric and how it was sent.
type metricKey struct {
	Namespace, Name string
	// Dimensions are name=value, sorted, separated by commas.
	Dimensions string
	How        string
	Period     int32
}

// statistics of a metric over the run.
type statistics struct {
	Count, Sum, Min, Max float64
}

func newLedger() *ledger {
	return &ledger{
		logs:     map[logStream][]string{},
		metrics:  map[metricKey]*statistics{},
		segments: map[TraceID]map[string]bool{},
	}
}

func (l *ledger) log(s logStream, messages ...string) {
	l.logs[s] = append(l.logs[s], messages...)
}

func (l *ledger) metric(k metricKey, s statistics) {
	if s.Count == 0 {
		return
	}
	have, ok := l.metrics[k]
	if !ok {
		l.metrics[k] = &s
		return
	}
	have.Count += s.Count
	have.Sum += s.Sum
	have.Min = min(have.Min, s.Min)
	have.Max = max(have.Max, s.Max)
}

func (l *ledger) segment(trace TraceID, ids ...SpanID) {
	have := l.segments[trace]
	if have == nil {
		have = map[string]bool{}
		l.segments[trace] = have
	}
	for _, id := range ids {
		if (id != SpanID{}) {
			have[id.String()] = true
		}
	}
}

// single is the statistics of one value.
func single(v float64) statistics { return statistics{Count: 1, Sum: v, Min: v, Max: v} }

// dimensions writes name, value, name, value … as a key.
func dimensions(pairs ...string) string {
	var out []string
	for i := 0; i+1 < len(pairs); i += 2 {
		out = append(out, pairs[i]+"="+pairs[i+1])
	}
	slices.Sort(out)
	return strings.Join(out, ",")
}

// pairs is the inverse of dimensions.
func (k metricKey) pairs() [][2]string {
	var out [][2]string
	if k.Dimensions == "" {
		return nil
	}
	for d := range strings.SplitSeq(k.Dimensions, ",") {
		name, value, _ := strings.Cut(d, "=")
		out = append(out, [2]string{name, value})
	}
	return out
}
