// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package duckdb

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/internal/store"
)

func TestWholeTokens(t *testing.T) {
	for needle, want := range map[string][]string{
		"":                      nil,
		"abc":                   nil, // may go on at both ends
		"-abc":                  nil,
		"abc-":                  nil,
		"-abc-":                 {"abc"},
		"ab-cd-ef":              {"cd"},
		"\"order_id\":\"o-17\"": {"order_id", "o", "17"},
		",größe,":               {"größe"},
		"1-5759e988-bd862e3fe":  {"5759e988"},
		"...":                   nil,
	} {
		var hashes []uint64
		for _, token := range want {
			hashes = append(hashes, hashToken(token))
		}
		assert.Equal(t, hashes, wholeTokens(nil, needle), needle)
	}
}

func TestMergeRanges(t *testing.T) {
	var ranges []rowRange
	for i := range int64(200) {
		ranges = append(ranges, rowRange{i * 100, i*100 + 10 + i%7})
	}
	want := slices.Clone(ranges)
	got := mergeRanges(slices.Clone(ranges))
	assert.LessOrEqual(t, len(got), maxRanges)
	for _, r := range want {
		assert.True(t, slices.ContainsFunc(got, func(g rowRange) bool { return g.first <= r.first && g.last >= r.last }))
	}
	assert.Equal(t, ranges[:3], mergeRanges(slices.Clone(ranges[:3])))
}

// writeTokens writes n events of one day, of which those whose number is a multiple of 10,000 hold a rare token, and those divisible by
// 9,999 a trace id.
func writeTokens(t *testing.T, e *Engine, from, n int) {
	t.Helper()
	for n > 0 {
		batch := make([]store.LogRecord, min(n, 5000))
		for i := range batch {
			k := from + i
			r := record("g", "s", noonMs+int64(k), fmt.Sprintf("event %d of %s", k, rand.Text()))
			if k%10_000 == 0 {
				r.Message += fmt.Sprintf(" rare-%d-token", k)
			}
			if k%9999 == 0 {
				r.TraceID = fmt.Sprintf("%032x", k)
			}
			batch[i] = r
		}
		require.NoError(t, e.WriteLogs(t.Context(), batch))
		from, n = from+len(batch), n-len(batch)
	}
}

func findTokens(t *testing.T, e *Engine, total int) (skipped int64) {
	t.Helper()
	find := func(change func(sel *store.LogSelection)) []string {
		sel := selection("g")
		change(&sel)
		got, stats := scanAll(t, e, store.LogScan{LogSelection: sel, Descending: true})
		require.EqualValues(t, total, stats.RecordsScanned)
		skipped += stats.RecordsSkipped
		rows, aggStats, err := e.AggregateLogs(t.Context(), store.LogAggregate{LogSelection: sel, Select: "count(*)"})
		require.NoError(t, err)
		require.EqualValues(t, len(got), rows[0][0])
		require.Equal(t, stats.RecordsSkipped, aggStats.RecordsSkipped)
		require.Equal(t, stats.BytesScanned, aggStats.BytesScanned)
		return messages(got)
	}
	for k := 0; k < total; k += 10_000 {
		got := find(func(sel *store.LogSelection) { sel.Contains = []string{fmt.Sprintf("-%d-", k)} })
		require.Len(t, got, 1, "token of event %d", k)
		require.Contains(t, got[0], fmt.Sprintf("event %d of", k))
	}
	for k := 9999; k < total; k += 9999 {
		got := find(func(sel *store.LogSelection) { sel.TraceID = fmt.Sprintf("%032x", k) })
		require.Len(t, got, 1, "trace id of event %d", k)
	}
	require.Empty(t, find(func(sel *store.LogSelection) { sel.Contains = []string{" nosuch "} }))
	require.Len(t, find(func(sel *store.LogSelection) { sel.Tokens = []string{"10000"}; sel.Contains = []string{"10000-t"} }), 1)
	return skipped
}

func TestTokenIndex(t *testing.T) {
	cfg := testConfig(t)
	now := noon
	cfg.Now = func() time.Time { return now }
	cfg.IdleClose = time.Hour
	sidecar := filepath.Join(cfg.Directory, "logs", "2026-11-21.bloom")
	e, err := Open(t.Context(), cfg)
	require.NoError(t, err)
	writeTokens(t, e, 0, 30_000)
	f := e.filesIn(signalLogs, minDay, maxDay)[0]
	waitUntil(t, func() bool { return f.bloom.complete(3 * bloomChunkRows) })
	assert.Positive(t, findTokens(t, e, 30_000), "chunks are skipped, the tail is searched")
	require.NoError(t, e.Close())

	reopen := func() {
		t.Helper()
		e, err = Open(t.Context(), cfg)
		require.NoError(t, err)
		f = e.filesIn(signalLogs, minDay, maxDay)[0]
	}
	reopen()
	assert.Positive(t, findTokens(t, e, 30_000), "an index from before")
	writeTokens(t, e, 30_000, 20_000)
	waitUntil(t, func() bool { return f.bloom.complete(6 * bloomChunkRows) })
	findTokens(t, e, 50_000)
	require.NoError(t, e.Close())

	reopen()
	require.NoError(t, e.completeBloom(t.Context(), f))
	require.True(t, f.bloom.complete(50_000), "the end of a day that is over is indexed")
	before := findTokens(t, e, 50_000)
	writeTokens(t, e, 50_000, 1) // late: the incomplete chunk is made anew
	findTokens(t, e, 50_001)
	writeTokens(t, e, 50_001, 9_999)
	waitUntil(t, func() bool { return f.bloom.complete(7 * bloomChunkRows) })
	findTokens(t, e, 60_000)
	require.NoError(t, e.Close())

	sound, err := os.ReadFile(sidecar)
	require.NoError(t, err)
	for name, damaged := range map[string][]byte{
		"missing":        nil,
		"empty":          {},
		"other database": append([]byte(bloomMagic+"SOMEOTHERDATABASE"), sound[25:]...),
		"torn":           sound[:len(sound)*2/3],
		"zeros":          append(slices.Clone(sound[:len(sound)/2]), make([]byte, len(sound)/2)...),
		"garbage behind": append(slices.Clone(sound), "some text"...),
		"twice":          append(slices.Clone(sound), sound[bloomHeaderSize:]...),
	} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, os.Remove(sidecar))
			if damaged != nil {
				require.NoError(t, os.WriteFile(sidecar, damaged, 0o600))
			}
			reopen()
			defer func() { require.NoError(t, e.Close()) }()
			findTokens(t, e, 60_000)
			require.NoError(t, e.completeBloom(t.Context(), f))
			require.True(t, f.bloom.complete(60_000))
			assert.Greater(t, findTokens(t, e, 60_000), before)
		})
	}

	// Time to tidy up does it without being asked.
	require.NoError(t, os.Remove(sidecar))
	now = noon.Add(24 * time.Hour)
	cfg.IdleClose = 100 * time.Millisecond
	reopen()
	waitUntil(t, func() bool { return f.bloom.complete(60_000) })
	require.NoError(t, e.Close())
}

// TestFeedOverflow checks that a builder that was not fed everything reads the rest back.
func TestFeedOverflow(t *testing.T) {
	cfg := testConfig(t)
	e := openEngine(t, cfg)
	writeTokens(t, e, 0, 5000)
	f := e.filesIn(signalLogs, minDay, maxDay)[0]
	waitUntil(t, func() bool { return f.bloom.building.TryLock() == false })
	e.mu.Lock()
	sink := f.writer.session.sink.(*logSink)
	e.mu.Unlock()
	sink.builder.queued.Add(maxBloomFeed + 1<<20) // as if it were busy
	writeTokens(t, e, 5000, 15_000)
	sink.builder.queued.Add(-maxBloomFeed - 1<<20)
	writeTokens(t, e, 20_000, 15_000)
	waitUntil(t, func() bool { return f.bloom.complete(4 * bloomChunkRows) })
	findTokens(t, e, 35_000)
}

func FuzzReadBloomFile(f *testing.F) {
	x := newBloomIndex(filepath.Join(f.TempDir(), "x.bloom"), nil)
	var set tokenSet
	for i := range 3 {
		set.reset()
		for j := range 20 {
			set.add(uint64(i*j) * 0x9e3779b97f4a7c15)
		}
		if err := x.append("id", int64(i)*bloomChunkRows, bloomChunk{rows: bloomChunkRows, oldest: int64(i), newest: int64(i)}, set.filter()); err != nil {
			f.Fatal(err)
		}
	}
	sound, err := os.ReadFile(x.path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sound)
	f.Add(sound[:100])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		chunks, size, err := readBloomFile(bytes.NewReader(data), "id")
		require.NoError(t, err)
		require.LessOrEqual(t, size, int64(len(data)))
		v := bloomView{chunks: chunks, data: data}
		for i := range chunks {
			c := &chunks[i]
			require.LessOrEqual(t, c.offset+int64(c.words)*8, size)
			v.mayHold(c, []uint64{0, 1, 1 << 63})
		}
	})
}

func BenchmarkTokens(b *testing.B) {
	g := newGenerator(1)
	var messages []string
	n := 0
	for range bloomChunkRows {
		m := g.event(noonMs).Message
		messages = append(messages, m)
		n += len(m)
	}
	b.SetBytes(int64(n))
	b.ReportAllocs()
	var set tokenSet
	for b.Loop() {
		set.reset()
		for _, m := range messages {
			eachToken(m, func(token string) { set.add(hashToken(token)) })
		}
		set.filter()
	}
}
