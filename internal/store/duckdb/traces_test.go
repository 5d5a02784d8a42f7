// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package duckdb

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/internal/store"
)

func traceID(n int) (id [16]byte) {
	binary.BigEndian.PutUint32(id[:], uint32(noon.Unix()))
	binary.BigEndian.PutUint32(id[12:], uint32(n))
	return id
}

func segment(trace [16]byte, id byte, start, end int64) store.Segment {
	return store.Segment{
		Tenant: tenant, TraceID: trace, ID: [8]byte{0xff, 7: id}, Start: start, End: end, Name: "cart", InProgress: end == 0,
		Document: fmt.Sprintf("{\"id\":%d}", id), Ingested: noonMs,
	}
}

func TestTraces(t *testing.T) {
	e := openEngine(t, testConfig(t))
	at := noon.UnixNano()
	full := segment(traceID(1), 1, at+123456789, at+2e9)
	full.ParentID, full.Origin, full.HTTPStatus = [8]byte{1, 2, 3}, "AWS::Lambda::Function", 502
	full.Subsegment, full.Fault, full.Error, full.Throttle = true, true, true, true
	full.Annotations = `{"user":"größe"}`
	progress := segment(traceID(1), 2, at, 0)
	complete := segment(traceID(1), 2, at, at+1e9)
	late := segment(traceID(1), 3, at+nsPerDay, at+nsPerDay+1) // in the file of the next day
	first := segment(traceID(1), 4, at+5, at+6)
	second := first
	second.Document = "{\"second\":true}"
	other := segment(traceID(2), 1, at, at+1)
	foreign := segment(traceID(1), 9, at, at+1)
	foreign.Account = "000000000000"
	random := [16]byte{0xfe, 15: 1}
	for _, batch := range [][]store.Segment{
		{full, progress, late, first}, {complete, foreign}, {progress, second, other}, {segment(random, 1, at, at+1)},
	} {
		require.NoError(t, e.WriteSegments(t.Context(), batch))
	}
	got, err := e.Traces(t.Context(), tenant, [][16]byte{traceID(1), traceID(2), traceID(3), random, traceID(1)})
	require.NoError(t, err)
	assert.Equal(t, map[[16]byte]store.Trace{
		traceID(1): {Segments: []store.Segment{complete, second, full, late}},
		traceID(2): {Segments: []store.Segment{other}},
		random:     {Segments: []store.Segment{segment(random, 1, at, at+1)}},
	}, got)
	got, err = e.Traces(t.Context(), tenant, nil)
	require.NoError(t, err)
	assert.Empty(t, got)
}

// A trace that never ends, over two files, is cut off at its bound; its neighbour is not.
func TestTraceLimit(t *testing.T) {
	e := openEngine(t, testConfig(t))
	at := noon.UnixNano()
	const day = 24 * 3600 * 1_000_000_000
	var batch []store.Segment
	for i := range 100 {
		s := segment(traceID(1), byte(i+1), at+int64(i%2)*day, at+int64(i%2)*day+1)
		s.Document += strings.Repeat(" ", 64<<10)
		batch = append(batch, s)
	}
	batch = append(batch, segment(traceID(2), 1, at, at+1))
	require.NoError(t, e.WriteSegments(t.Context(), batch))
	got, err := e.Traces(t.Context(), tenant, [][16]byte{traceID(1), traceID(2)})
	require.NoError(t, err)
	assert.True(t, got[traceID(1)].LimitExceeded)
	assert.Len(t, got[traceID(1)].Segments, store.MaxTraceBytes/(64<<10)-1)
	assert.False(t, got[traceID(2)].LimitExceeded)
	assert.Len(t, got[traceID(2)].Segments, 1)
}

func TestScanTraceIDs(t *testing.T) {
	e := openEngine(t, testConfig(t))
	at := noon.UnixNano()
	const minute = 60_000_000_000
	var batch []store.Segment
	for i := range 2500 {
		batch = append(batch, segment(traceID(i), 1, at+int64(i)*minute, at+int64(i)*minute+minute/2),
			segment(traceID(i), 2, at+int64(i)*minute+1, at+int64(i)*minute+2))
	}
	long := segment(traceID(9999), 1, at-minute, at+2*nsPerDay)
	batch = append(batch, long, segment(traceID(9998), 1, at-minute, 0))
	require.NoError(t, e.WriteSegments(t.Context(), batch))

	scan := func(start, end int64, limit int) (ids []uint32, starts []int64) {
		t.Helper()
		err := e.ScanTraceIDs(t.Context(), store.TraceScan{Tenant: tenant, Start: start, End: end}, func(id [16]byte, start int64) bool {
			ids = append(ids, binary.BigEndian.Uint32(id[12:]))
			starts = append(starts, start)
			return len(ids) != limit
		})
		require.NoError(t, err)
		return ids, starts
	}
	ids, starts := scan(at, at+10*nsPerDay, 0)
	require.Len(t, ids, 2501)
	assert.EqualValues(t, 2499, ids[0])
	assert.EqualValues(t, 9999, ids[2500])
	assert.Equal(t, at+2499*minute, starts[0])
	ids, _ = scan(at, at+10*nsPerDay, 3)
	assert.Equal(t, []uint32{2499, 2498, 2497}, ids)
	ids, _ = scan(at+10*minute+minute/4, at+12*minute, 0)
	assert.Equal(t, []uint32{11, 10, 9999}, ids, "overlap, not start, decides")
	ids, _ = scan(at-2*minute, at, 0)
	assert.Equal(t, []uint32{9999, 9998}, ids)
	ids, _ = scan(at+3*nsPerDay, at+4*nsPerDay, 0)
	assert.Empty(t, ids)
}
