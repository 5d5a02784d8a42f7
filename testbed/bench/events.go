//go:build bench

// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package bench measures the built collector end to end: the generator runs beside it on the same machine, and no
// number counts unless everything sent was read back. Run it with `make bench`; docs/benchmarks.md has the results.
package bench

import (
	"fmt"
	"math/rand/v2"
	"strconv"
)

// eventGenerator makes JSON log events of about 550 bytes, as a small fleet of services would write them. The same
// seed gives the same events.
type eventGenerator struct {
	r   *rand.Rand
	buf []byte
	n   int
}

func newEventGenerator(seed uint64) *eventGenerator {
	return &eventGenerator{r: rand.New(rand.NewPCG(seed, 7))}
}

var (
	services = []string{
		"orders", "payments", "inventory", "checkout", "shipping", "search", "catalog", "users", "auth", "email",
		"billing", "reports", "gateway", "images", "recommend", "reviews", "pricing", "tax", "fraud", "sessions",
	}
	operations = []string{"GetItem", "PutItem", "ListOrders", "CreateOrder", "Authorize", "Capture", "Reserve", "Release"}
	texts      = []string{
		"request finished without problems and the answer was sent to the caller",
		"connection to the upstream was reused from the pool of idle connections",
		"cache entry was refreshed in the background after its time to live ended",
		"retrying the call to the dependency after a timeout, second attempt of three",
		"item was reserved in the warehouse and the reservation will end in ten minutes",
		"the payment provider answered slowly, the circuit breaker is still closed",
	}
)

// groups and streams per group of the data set.
const (
	groupCount  = 20
	streamCount = 50
)

// rareToken is in very few events.
const rareToken = "8f14e45fceea167a5a36dedd4bea2543"

// next returns the message of the next event and the group and stream it belongs to. The message is valid until the
// next call.
func (g *eventGenerator) next(tsMs int64) (msg []byte, group, stream int, level, service string, durationMs float64, status int) {
	r := g.r
	group = r.IntN(groupCount)
	stream = r.IntN(streamCount)
	service = services[group]
	level = "INFO"
	status = 200
	switch p := r.IntN(100); {
	case p < 2:
		level, status = "ERROR", 500+r.IntN(4)
	case p < 7:
		level, status = "WARN", 404
	case p < 12:
		level = "DEBUG"
	}
	// Two decimals, heavy tail.
	durationMs = float64(r.IntN(2000)) / 100
	if r.IntN(20) == 0 {
		durationMs *= 40
	}
	durationMs = float64(int64(durationMs*100)) / 100
	trace := fmt.Sprintf("%016x%016x", r.Uint64(), r.Uint64())
	if g.n == 1000 || g.n == 500_000 || g.n == 1_900_000 {
		trace = rareToken
	}
	g.n++

	b := g.buf[:0]
	b = append(b, `{"time":`...)
	b = strconv.AppendInt(b, tsMs, 10)
	b = append(b, `,"level":"`...)
	b = append(b, level...)
	b = append(b, `","service":"`...)
	b = append(b, service...)
	b = append(b, `","operation":"`...)
	b = append(b, operations[r.IntN(len(operations))]...)
	b = append(b, `","trace_id":"`...)
	b = append(b, trace...)
	b = append(b, `","duration_ms":`...)
	b = strconv.AppendFloat(b, durationMs, 'f', -1, 64)
	b = append(b, `,"status":`...)
	b = strconv.AppendInt(b, int64(status), 10)
	b = append(b, `,"host":"ip-10-0-`...)
	b = strconv.AppendInt(b, int64(r.IntN(16)), 10)
	b = append(b, '-')
	b = strconv.AppendInt(b, int64(r.IntN(256)), 10)
	b = append(b, `","request":{"id":"req-`...)
	b = strconv.AppendUint(b, r.Uint64(), 36)
	b = append(b, `","path":"/v1/`...)
	b = append(b, service...)
	b = append(b, '/')
	b = strconv.AppendInt(b, int64(r.IntN(100_000)), 10)
	b = append(b, `","bytes":`...)
	b = strconv.AppendInt(b, int64(r.IntN(65536)), 10)
	b = append(b, `},"customer":"c-`...)
	b = strconv.AppendInt(b, int64(r.IntN(50_000)), 10)
	b = append(b, `","message":"`...)
	b = append(b, texts[r.IntN(len(texts))]...)
	b = append(b, "; took="...)
	b = strconv.AppendInt(b, int64(durationMs), 10)
	b = append(b, `ms","tags":["prod","eu-west-1","`...)
	b = append(b, service...)
	b = append(b, `"],"sdk":{"name":"shop","version":"1.14.`...)
	b = strconv.AppendInt(b, int64(r.IntN(10)), 10)
	b = append(b, `"},"user_agent":"shop-client/3.2 (linux; amd64) build/20261104-release","thread":"worker-`...)
	b = strconv.AppendInt(b, int64(r.IntN(64)), 10)
	b = append(b, `"}`...)
	g.buf = b
	return b, group, stream, level, service, durationMs, status
}
