// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package duckdb

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/internal/store"
)

func TestLogsRoundTrip(t *testing.T) {
	e := openEngine(t, testConfig(t))
	duration, status := 12.5, int32(503)
	full := record("g", "s", noonMs, `{"level":"ERROR","msg":"größe"}`+"\x00\n")
	full.Level, full.Service, full.TraceID, full.SpanID = "ERROR", "shop", "5759e988bd862e3fe1be46a994272793", "53995c3f42cd8ad8"
	full.DurationMs, full.Status = &duration, &status
	bare := record("g", "s", noonMs+1, "")
	broken := record("g", "s", noonMs+2, "a\xffb")
	require.NoError(t, e.WriteLogs(t.Context(), []store.LogRecord{full, bare, broken}))

	got, stats := scanAll(t, e, store.LogScan{LogSelection: selection("g")})
	require.Len(t, got, 3)
	assert.Less(t, got[0].Seq, got[1].Seq)
	for i := range got {
		got[i].Seq = 0
	}
	broken.Message = "a\uFFFDb"
	assert.Equal(t, []store.LogRecord{full, bare, broken}, got)
	assert.Equal(t, store.ScanStats{RecordsScanned: 3, BytesScanned: int64(len(full.Message) + len(broken.Message)), RecordsMatched: 3}, stats)
}

// TestScanLogsAgainstModel compares scans with a sorted slice.
func TestScanLogsAgainstModel(t *testing.T) {
	cfg := testConfig(t)
	e := openEngine(t, cfg)
	rng := rand.New(rand.NewPCG(1, 2))
	var all []store.LogRecord
	for batch := range 60 {
		var records []store.LogRecord
		for range 50 {
			// Three days, many equal times, out of order.
			ts := noonMs + (rng.Int64N(300)-150)*1_000_000
			r := record(fmt.Sprintf("g%d", rng.IntN(3)), fmt.Sprintf("s%d", rng.IntN(4)), ts, "")
			r.Ingested = noonMs + int64(batch/7)
			r.Message = fmt.Sprintf("event %d of order-%d", len(all)+len(records), rng.IntN(20))
			records = append(records, r)
		}
		require.NoError(t, e.WriteLogs(t.Context(), records))
		all = append(all, records...)
	}
	everything, _ := scanAll(t, e, store.LogScan{LogSelection: selection("g0", "g1", "g2")})
	require.Len(t, everything, len(all))
	seqs := map[int64]bool{}
	byMessage := map[string]store.LogRecord{}
	for _, r := range everything {
		require.False(t, seqs[r.Seq], "sequence number twice")
		seqs[r.Seq] = true
		byMessage[r.Message] = r
	}
	require.True(t, slices.IsSortedFunc(everything, comparePositions))
	for _, r := range all {
		got := byMessage[r.Message]
		r.Seq = got.Seq
		require.Equal(t, r, got)
	}

	for name, tc := range map[string]struct {
		scan store.LogScan
		keep func(r *store.LogRecord) bool
	}{
		"one group": {store.LogScan{LogSelection: selection("g1")}, func(r *store.LogRecord) bool { return r.Group == "g1" }},
		"streams": {
			func() store.LogScan {
				s := store.LogScan{LogSelection: selection("g0", "g2")}
				s.Streams = []string{"s1", "s3", "nosuch"}
				return s
			}(),
			func(r *store.LogRecord) bool { return r.Group != "g1" && (r.Stream == "s1" || r.Stream == "s3") },
		},
		"prefix": {
			func() store.LogScan {
				s := store.LogScan{LogSelection: selection("g0")}
				s.StreamPrefix = "s2"
				return s
			}(),
			func(r *store.LogRecord) bool { return r.Group == "g0" && r.Stream == "s2" },
		},
		"time": {
			func() store.LogScan {
				s := store.LogScan{LogSelection: selection("g0", "g1", "g2")}
				s.Start, s.End = noonMs-30_000_000, noonMs+50_000_000
				return s
			}(),
			func(r *store.LogRecord) bool {
				return r.Timestamp >= noonMs-30_000_000 && r.Timestamp < noonMs+50_000_000
			},
		},
		"contains": {
			func() store.LogScan {
				s := store.LogScan{LogSelection: selection("g0", "g1", "g2")}
				s.Contains = []string{" of order", "-7"}
				return s
			}(),
			func(r *store.LogRecord) bool { return r.Message[len(r.Message)-2:] == "-7" },
		},
		"where": {
			store.LogScan{LogSelection: selection("g0", "g1", "g2"), Where: "stream = ? OR stream = ?", Args: []any{"s0", "s1"}},
			func(r *store.LogRecord) bool { return r.Stream == "s0" || r.Stream == "s1" },
		},
		"hidden": {
			func() store.LogScan {
				s := store.LogScan{LogSelection: selection("g0", "g1")}
				s.Groups[0].NotBefore = noonMs
				s.Groups[1].IngestedAfter = noonMs + 3
				s.Groups[1].DeletedStreams = map[string]int64{"s1": noonMs + 5, "s2": noonMs + 6}
				return s
			}(),
			func(r *store.LogRecord) bool {
				switch r.Group {
				case "g0":
					return r.Timestamp >= noonMs
				case "g1":
					return r.Ingested > noonMs+3 && (r.Stream != "s1" || r.Ingested > noonMs+5) && (r.Stream != "s2" || r.Ingested > noonMs+6)
				}
				return false
			},
		},
		"many groups": {
			func() store.LogScan {
				s := store.LogScan{LogSelection: selection()}
				for i := range 300 {
					s.Groups = append(s.Groups, store.LogGroupRange{Group: fmt.Sprint("g", 1+i)})
				}
				s.Streams = []string{"s0", "s1", "x", "y", "z", "a"}
				return s
			}(),
			func(r *store.LogRecord) bool { return r.Group != "g0" && (r.Stream == "s0" || r.Stream == "s1") },
		},
		"no group": {store.LogScan{LogSelection: selection()}, func(*store.LogRecord) bool { return false }},
		"no streams": {func() store.LogScan {
			s := store.LogScan{LogSelection: selection("g0")}
			s.Streams = []string{}
			return s
		}(), func(*store.LogRecord) bool { return false }},
		"other tenant": {
			func() store.LogScan {
				s := store.LogScan{LogSelection: selection("g0")}
				s.Tenant.Region = "us-east-1"
				return s
			}(),
			func(*store.LogRecord) bool { return false },
		},
	} {
		t.Run(name, func(t *testing.T) {
			var want []store.LogRecord
			for i := range everything {
				if tc.keep(&everything[i]) {
					want = append(want, everything[i])
				}
			}
			for _, descending := range []bool{false, true} {
				scan := tc.scan
				scan.Descending = descending
				want := slices.Clone(want)
				if descending {
					slices.Reverse(want)
				}
				got, stats := scanAll(t, e, scan)
				require.Equal(t, want, got)
				assert.EqualValues(t, len(want), stats.RecordsMatched)
				assert.GreaterOrEqual(t, stats.RecordsScanned, stats.RecordsMatched)
				// In pages of 61, each going on behind the last.
				var paged []store.LogRecord
				scan.Limit = 61
				for {
					page, _ := scanAll(t, e, scan)
					paged = append(paged, page...)
					if len(page) < 61 {
						break
					}
					last := page[len(page)-1]
					scan.After = &store.LogPosition{Timestamp: last.Timestamp, Ingested: last.Ingested, Seq: last.Seq}
				}
				require.Equal(t, want, paged)
			}
		})
	}
}

func comparePositions(a, b store.LogRecord) int {
	for _, c := range []int64{a.Timestamp - b.Timestamp, a.Ingested - b.Ingested, a.Seq - b.Seq} {
		if c != 0 {
			return int(c)
		}
	}
	return 0
}

func TestAggregateLogs(t *testing.T) {
	e := openEngine(t, testConfig(t))
	var records []store.LogRecord
	for i := range 1000 {
		r := record("g", fmt.Sprintf("s%d", i%4), noonMs+int64(i-500)*200_000, fmt.Sprintf("message %d", i))
		d := float64(i)
		r.DurationMs = &d
		if i%10 == 0 {
			r.Level = "ERROR"
		}
		records = append(records, r)
	}
	require.NoError(t, e.WriteLogs(t.Context(), records))

	for name, tc := range map[string]struct {
		agg     store.LogAggregate
		want    [][]any
		matched int64
		err     error
	}{
		"group by": {
			store.LogAggregate{
				LogSelection: selection("g"), Select: "stream, count(*), sum(duration_ms), ?", Where: "level = ?",
				Tail: "GROUP BY stream ORDER BY stream LIMIT ?", Args: []any{"x", "ERROR", 10},
			},
			[][]any{{"s0", int64(50), 24500.0, "x"}, {"s2", int64(50), 25000.0, "x"}},
			100, nil,
		},
		"having": {
			store.LogAggregate{
				LogSelection: selection("g"), Select: "stream, count(*)", Where: "duration_ms >= 3",
				Tail: "GROUP BY stream HAVING count(*) = 249 ORDER BY stream",
			},
			[][]any{{"s0", int64(249)}, {"s1", int64(249)}, {"s2", int64(249)}},
			997, nil,
		},
		"one row": {
			store.LogAggregate{LogSelection: selection("g"), Select: "count(*), sum(status), max(ts) = ?::TIMESTAMP", Args: []any{"2026-11-22 15:43:20"}},
			[][]any{{int64(1000), nil, true}},
			1000, nil,
		},
		"rows": {
			store.LogAggregate{LogSelection: selection("g"), Select: "message", Where: "duration_ms < ?", Tail: "ORDER BY ts LIMIT 2", Args: []any{5}},
			[][]any{{"message 0"}, {"message 1"}},
			5, nil,
		},
		"nothing selected": {
			store.LogAggregate{LogSelection: selection(), Select: "count(*)"}, [][]any{{int64(0)}}, 0, nil,
		},
		"too many": {
			store.LogAggregate{LogSelection: selection("g"), Select: "message", MaxRows: 10}, nil, 0, store.ErrTooManyRows,
		},
	} {
		t.Run(name, func(t *testing.T) {
			rows, stats, err := e.AggregateLogs(t.Context(), tc.agg)
			require.ErrorIs(t, err, tc.err)
			assert.Equal(t, tc.want, rows)
			assert.Equal(t, tc.matched, stats.RecordsMatched)
		})
	}
}

func TestLogStreams(t *testing.T) {
	e := openEngine(t, testConfig(t))
	var records []store.LogRecord
	for i := range 100 {
		r := record(fmt.Sprintf("g%d", i%2), fmt.Sprintf("s%d", i%3), noonMs+int64(i)*1_000_000, "12345")
		r.Ingested = noonMs + int64(i)
		records = append(records, r)
	}
	require.NoError(t, e.WriteLogs(t.Context(), records))
	list := func(g store.LogGroupRange) map[string]store.LogStream {
		t.Helper()
		streams, err := e.LogStreams(t.Context(), tenant, g)
		require.NoError(t, err)
		out := map[string]store.LogStream{}
		for _, s := range streams {
			out[s.Group+"/"+s.Stream] = s
		}
		return out
	}
	for range 2 { // the second time from the cache
		got := list(store.LogGroupRange{Group: "g0"})
		require.Len(t, got, 3)
		assert.Equal(t, store.LogStream{
			Group: "g0", Stream: "s0", FirstTimestamp: noonMs, LastTimestamp: noonMs + 96_000_000, LastIngested: noonMs + 96, Events: 17, Bytes: 85,
		}, got["g0/s0"])
	}
	assert.Len(t, list(store.LogGroupRange{}), 6)
	got := list(store.LogGroupRange{Group: "g0", NotBefore: noonMs + 50_000_000, DeletedStreams: map[string]int64{"s1": noonMs + 200}})
	assert.Len(t, got, 2)
	assert.EqualValues(t, 8, got["g0/s0"].Events)
	got = list(store.LogGroupRange{Group: "g0", IngestedAfter: noonMs + 95})
	assert.EqualValues(t, 1, got["g0/s0"].Events)
	assert.Len(t, got, 2)
}

// TestConcurrentWritesAndReads writes to several days at once while others read.
func TestConcurrentWritesAndReads(t *testing.T) {
	cfg := testConfig(t)
	cfg.MaxOpenDays = 2
	e := openEngine(t, cfg)
	const writers, batches, rows = 6, 20, 30
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for b := range batches {
				var records []store.LogRecord
				for i := range rows {
					records = append(records, record("g", fmt.Sprint("s", w), noonMs+int64((b+i)%5)*msPerDay+int64(i), "m"))
				}
				assert.NoError(t, e.WriteLogs(context.Background(), records))
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	last := 0
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		sel := selection("g")
		sel.End = noonMs + 10*msPerDay
		got, _ := scanAll(t, e, store.LogScan{LogSelection: sel, NoStats: true})
		require.GreaterOrEqual(t, len(got), last)
		last = len(got)
	}
	assert.Equal(t, writers*batches*rows, last)
	st, err := e.Stats(t.Context())
	require.NoError(t, err)
	assert.Len(t, st.Days, 5)
}

// TestHugeMessages scans messages of which a page would not fit into the database's memory.
func TestHugeMessages(t *testing.T) {
	cfg := testConfig(t)
	cfg.MemoryLimit = 64 << 20
	e := openEngine(t, cfg)
	huge := strings.Repeat("a long message of no compressible kind: ", 25_000)
	const n = 150
	for i := range n {
		require.NoError(t, e.WriteLogs(t.Context(), []store.LogRecord{
			record("g", "s", noonMs+int64(i), fmt.Sprint(i, huge)), record("g", "small", noonMs+int64(i), strconv.Itoa(i)),
		}))
	}
	for i := range 20_000 / 1000 {
		small := make([]store.LogRecord, 1000)
		for j := range small {
			small[j] = record("g", "other", noonMs+int64(i), "s")
		}
		require.NoError(t, e.WriteLogs(t.Context(), small))
	}
	i := n
	_, err := e.ScanLogs(t.Context(), store.LogScan{LogSelection: func() store.LogSelection {
		s := selection("g")
		s.Streams = []string{"s"}
		return s
	}(), Descending: true, Limit: 100_000}, func(r *store.LogRecord) bool {
		i--
		return assert.True(t, strings.HasPrefix(r.Message, fmt.Sprint(i, "a long")))
	})
	require.NoError(t, err)
	assert.Zero(t, i)
}
