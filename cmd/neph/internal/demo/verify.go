// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"
)

// check is one comparison of what was sent with what was read back.
type check struct {
	What string // logs, metrics, traces …
	How  string // how it was sent
	Read string // the operation that read it
	Sent string
	Got  string
	OK   bool
	// Why says what differs, when something does.
	Why string
}

// settle is how long telemetry may take from the last byte sent to being readable: UDP and EMF have no
// acknowledgement to wait for.
const (
	settle     = 15 * time.Second
	settlePoll = 100 * time.Millisecond
)

// verify reads everything back, again while something is missing and time is left.
func (e *emitter) verify(ctx context.Context, progress func(part float64, note string)) ([]check, error) {
	type reading struct {
		note string
		fn   func(context.Context) ([]check, error)
	}
	readings := []reading{
		{"log events", e.verifyLogs},
		{"error counts by Logs Insights", e.verifyErrors},
		{"metrics", e.verifyMetrics},
		{"p99 of OrderLatency", e.verifyPercentile},
		{"trace summaries", e.verifySummaries},
		{"traces", e.verifyTraces},
	}
	deadline := time.Now().Add(settle)
	var all []check
	for i, r := range readings {
		progress(float64(i)/float64(len(readings)), r.note)
		for {
			checks, err := r.fn(ctx)
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if err != nil {
				checks = []check{{What: r.note, Why: err.Error()}}
			}
			complete := !slices.ContainsFunc(checks, func(c check) bool { return !c.OK })
			if complete || time.Now().After(deadline) {
				all = append(all, checks...)
				break
			}
			if err := sleep(ctx, settlePoll); err != nil {
				return nil, err
			}
		}
	}
	progress(1, "")
	return all, nil
}

// window of the reads, with room for what ended behind the last minute.
func (e *emitter) window() (start, end time.Time) {
	return e.shop.Start, e.shop.End.Add(2 * time.Minute)
}

func count(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// sortedKeys gives an order to what is reported.
func sortedKeys[K comparable, V any](m map[K]V) []K {
	return slices.SortedFunc(maps.Keys(m), func(a, b K) int {
		switch x, y := fmt.Sprint(a), fmt.Sprint(b); {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	})
}
