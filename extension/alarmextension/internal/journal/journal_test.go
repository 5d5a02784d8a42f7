// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/goleak"

	"github.com/nephoscope/nephoscope/pkg/alarm"
	"github.com/nephoscope/nephoscope/pkg/alarm/alarmevent"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	epoch  = time.Date(2026, 9, 14, 5, 0, 0, 0, time.UTC)
	tenant = cloudwatch.Tenant{Account: "111111111111", Region: "us-east-1"}

	errFull = errors.New("disk full")
)

// memory is a storage client.
type memory struct {
	values map[string][]byte
	fails  bool
}

func (m *memory) Get(_ context.Context, key string) ([]byte, error) { return m.values[key], nil }
func (m *memory) Set(ctx context.Context, key string, value []byte) error {
	return m.Batch(ctx, storage.SetOperation(key, value))
}

func (m *memory) Delete(ctx context.Context, key string) error {
	return m.Batch(ctx, storage.DeleteOperation(key))
}

func (m *memory) Batch(_ context.Context, ops ...*storage.Operation) error {
	for _, op := range ops {
		switch {
		case op.Type == storage.Get:
			op.Value = m.values[op.Key]
		case m.fails:
			return errFull
		case op.Type == storage.Set:
			m.values[op.Key] = op.Value
		default:
			delete(m.values, op.Key)
		}
	}
	return nil
}

func (*memory) Close(context.Context) error { return nil }

func (m *memory) count(prefix string) (n int) {
	for k := range m.values {
		if strings.HasPrefix(k, prefix) {
			n++
		}
	}
	return n
}

type opened struct {
	*Journal
	rows    map[RowKey]string
	givenUp map[Sink]int
}

func open(tb testing.TB, m *memory, change ...func(*Settings)) *opened {
	tb.Helper()
	o := &opened{rows: map[RowKey]string{}, givenUp: map[Sink]int{}}
	set := Settings{
		Client: m, Retention: time.Hour, MaxItems: 100, MaxItemsPerAlarm: 50, MaxPending: 100,
		GivenUp: func(s Sink, n int) { o.givenUp[s] += n },
	}
	for _, c := range change {
		c(&set)
	}
	var err error
	o.Journal, err = Open(tb.Context(), set, epoch, func(r Row) error {
		o.rows[r.RowKey] = string(r.Value)
		return nil
	})
	require.NoError(tb, err)
	return o
}

func key(name string) RowKey { return RowKey{RowAlarm, tenant, name} }

func row(name, value string) Row { return Row{key(name), []byte(value)} }

func entry(name string, at time.Duration, sinks ...Sink) *Entry {
	return &Entry{
		Header: Header{
			Time: epoch.Add(at), Tenant: tenant, Alarm: name, AlarmType: alarmevent.TypeMetricAlarm,
			History: alarmevent.HistoryStateUpdate, Sinks: Of(sinks...),
		},
		Event: &alarm.Event{Kind: alarm.EventStateChanged, Alarm: &alarm.Definition{Name: name}, New: alarm.Status{Reason: fmt.Sprint(at)}},
		Tags:  []alarm.Tag{{Key: "k", Value: "v"}},
	}
}

func (o *opened) commit(tb testing.TB, c *Change) {
	tb.Helper()
	if c.Now.IsZero() {
		c.Now = epoch
	}
	require.NoError(tb, o.Commit(tb.Context(), c))
}

// found are the names and reasons of a page of history.
func (o *opened) found(t *testing.T, change func(*Query)) (list []string, more bool) {
	t.Helper()
	q := &Query{
		Tenant: tenant, AlarmTypes: []string{alarmevent.TypeMetricAlarm}, Types: []alarmevent.HistoryType{alarmevent.HistoryStateUpdate}, Limit: 100,
	}
	change(q)
	entries, more, err := o.Find(t.Context(), q)
	require.NoError(t, err)
	for _, e := range entries {
		list = append(list, e.Alarm+" "+e.Event.New.Reason)
	}
	return list, more
}

func TestRows(t *testing.T) {
	m := &memory{values: map[string][]byte{}}
	j := open(t, m)
	j.commit(t, &Change{Put: []Row{row("a", "1"), row("b", "1"), row("a", "2")}})
	j.commit(t, &Change{Put: []Row{row("c", "1")}, Delete: []RowKey{key("b"), key("none")}})
	j.commit(t, &Change{Put: []Row{row("d", "1"), row("a", "3"), {RowKey{RowMuteRule, tenant, "a"}, []byte("rule")}}})
	assert.Equal(t, 4, m.count("row/"))
	again := open(t, m)
	assert.Equal(t, map[RowKey]string{key("a"): "3", key("c"): "1", key("d"): "1", {RowMuteRule, tenant, "a"}: "rule"}, again.rows)
	assert.Equal(t, j.Instance(), again.Instance())
	again.commit(t, &Change{Delete: []RowKey{key("a"), key("c"), key("d")}, Put: []Row{row("e", "1")}})
	assert.Equal(t, 2, m.count("row/"))
	assert.Len(t, open(t, m).rows, 2)
}

func TestFailedCommitChangesNothing(t *testing.T) {
	m := &memory{values: map[string][]byte{}}
	j := open(t, m)
	c := &Change{Now: epoch, Put: []Row{row("a", "1")}, Entries: []*Entry{entry("a", 0, SinkActions)}}
	m.fails = true
	for range 3 {
		require.ErrorIs(t, j.Commit(t.Context(), c), errFull)
	}
	_, n := j.Pending(SinkActions, 1)
	assert.Zero(t, n)
	assert.Zero(t, j.HistoryItems())
	m.fails = false
	j.commit(t, c)
	seqs, n := j.Pending(SinkActions, 10)
	assert.Equal(t, 1, n)
	assert.Equal(t, []uint64{1}, seqs)
	assert.Equal(t, 1, m.count("entry/"))
	assert.Len(t, open(t, m).rows, 1)

	m.fails = true
	require.ErrorIs(t, j.Acknowledge(t.Context(), SinkActions, 1), errFull)
	_, n = j.Pending(SinkActions, 1)
	assert.Equal(t, 1, n, "it waits still")
}

func TestEntriesComeBack(t *testing.T) {
	m := &memory{values: map[string][]byte{}}
	j := open(t, m)
	e := entry("größe", time.Second, SinkEvents)
	e.Contributor, e.ContributorAttributes = "0123456789abcdef", map[string]string{"host": "a"}
	e.Result = &alarmevent.ActionResult{Resource: "arn", Error: "no"}
	j.commit(t, &Change{Entries: []*Entry{e}})
	got, err := j.Read(t.Context(), []uint64{1, 2})
	require.NoError(t, err)
	assert.Equal(t, []*Entry{e}, got)
	assert.Equal(t, "events", SinkEvents.String())
	assert.Equal(t, "actions", SinkActions.String())
}

func TestHistory(t *testing.T) {
	m := &memory{values: map[string][]byte{}}
	j := open(t, m)
	// Not in order of time: what is committed later may have happened before.
	j.commit(t, &Change{Entries: []*Entry{entry("a", 3*time.Second), entry("b", time.Second)}})
	j.commit(t, &Change{Entries: []*Entry{entry("a", 2*time.Second), entry("a", 2*time.Second), entry("c", 4*time.Second)}})
	other := entry("a", time.Second)
	other.Tenant.Region = "eu-west-1"
	composite := entry("a", time.Second)
	composite.AlarmType = alarmevent.TypeCompositeAlarm
	contributor := entry("a", time.Second)
	contributor.History, contributor.Contributor = alarmevent.HistoryContributorState, "id"
	actions := entry("a", time.Second)
	actions.History = ""
	j.commit(t, &Change{Entries: []*Entry{other, composite, contributor, actions}})

	for _, j := range []*opened{j, open(t, m)} {
		all, more := j.found(t, func(*Query) {})
		assert.Equal(t, []string{"b 1s", "a 2s", "a 2s", "a 3s", "c 4s"}, all)
		assert.False(t, more)
		all, _ = j.found(t, func(q *Query) { q.Descending, q.Alarm = true, "a" })
		assert.Equal(t, []string{"a 3s", "a 2s", "a 2s"}, all)
		all, _ = j.found(t, func(q *Query) { q.Start, q.End = epoch.Add(2*time.Second), epoch.Add(3*time.Second) })
		assert.Equal(t, []string{"a 2s", "a 2s", "a 3s"}, all)
		all, _ = j.found(t, func(q *Query) { q.Contributor = "id" })
		assert.Empty(t, all)
		all, _ = j.found(t, func(q *Query) {
			q.Contributor, q.Types = "id", []alarmevent.HistoryType{alarmevent.HistoryContributorState}
		})
		assert.Equal(t, []string{"a 1s"}, all)

		for _, descending := range []bool{false, true} {
			want, _ := j.found(t, func(q *Query) { q.Descending = descending })
			var pages []string
			var after *Position
			for {
				q := Query{
					Tenant: tenant, AlarmTypes: []string{alarmevent.TypeMetricAlarm}, Types: []alarmevent.HistoryType{alarmevent.HistoryStateUpdate},
					Limit: 2, Descending: descending, After: after,
				}
				entries, more, err := j.Find(t.Context(), &q)
				require.NoError(t, err)
				for _, e := range entries {
					pages = append(pages, e.Alarm+" "+e.Event.New.Reason)
				}
				if !more {
					break
				}
				after = new(entries[len(entries)-1].Position())
			}
			assert.Equal(t, want, pages)
		}
	}
}

func TestSinks(t *testing.T) {
	m := &memory{values: map[string][]byte{}}
	j := open(t, m)
	hidden := entry("a", 0, SinkActions, SinkEvents)
	hidden.History = ""
	j.commit(t, &Change{Entries: []*Entry{entry("a", 0, SinkActions), hidden, entry("a", 0), entry("a", 0, SinkEvents)}})
	pending := func(j *opened, s Sink) []uint64 {
		seqs, n := j.Pending(s, 100)
		assert.Len(t, seqs, n)
		return seqs
	}
	assert.Equal(t, []uint64{1, 2}, pending(j, SinkActions))
	assert.Equal(t, []uint64{2, 4}, pending(j, SinkEvents))
	require.NoError(t, j.Acknowledge(t.Context(), SinkActions, 1))
	j = open(t, m)
	assert.Equal(t, []uint64{2}, pending(j, SinkActions))
	assert.Equal(t, []uint64{2, 4}, pending(j, SinkEvents))
	require.NoError(t, j.Acknowledge(t.Context(), SinkActions, 2))
	assert.Equal(t, 4, m.count("entry/"), "the events need it still")
	require.NoError(t, j.Acknowledge(t.Context(), SinkEvents, 3))
	assert.Equal(t, 3, m.count("entry/"), "nothing needs it any more")
	require.NoError(t, j.Acknowledge(t.Context(), SinkEvents, 4))
	j = open(t, m)
	assert.Empty(t, pending(j, SinkActions))
	assert.Empty(t, pending(j, SinkEvents))
	assert.Equal(t, 3, j.HistoryItems())
	j.commit(t, &Change{Entries: []*Entry{entry("a", 0, SinkActions)}})
	assert.Equal(t, []uint64{5}, pending(j, SinkActions), "numbers are not used again")
}

func TestPendingIsBounded(t *testing.T) {
	m := &memory{values: map[string][]byte{}}
	j := open(t, m, func(s *Settings) { s.MaxPending = 3 })
	for range 5 {
		e := entry("a", 0, SinkActions)
		e.History = ""
		j.commit(t, &Change{Entries: []*Entry{e}})
	}
	seqs, _ := j.Pending(SinkActions, 10)
	assert.Equal(t, []uint64{3, 4, 5}, seqs)
	assert.Equal(t, map[Sink]int{SinkActions: 2}, j.givenUp)
	j.commit(t, &Change{})
	assert.Equal(t, 3, m.count("entry/"))
	seqs, _ = open(t, m).Pending(SinkActions, 10)
	assert.Equal(t, []uint64{3, 4, 5}, seqs)
}

func TestHistoryIsPruned(t *testing.T) {
	m := &memory{values: map[string][]byte{}}
	j := open(t, m, func(s *Settings) { s.MaxItems, s.MaxItemsPerAlarm = 20, 8 })
	for i := range 100 {
		at := time.Duration(i) * time.Second
		j.commit(t, &Change{Now: epoch.Add(at), Entries: []*Entry{entry(fmt.Sprint("a", i%2), at)}})
		if i == 50 {
			j.commit(t, &Change{Now: epoch.Add(at), Entries: []*Entry{entry("b", at, SinkEvents)}})
		}
	}
	all, _ := j.found(t, func(q *Query) { q.Alarm = "a0" })
	assert.LessOrEqual(t, len(all), 10)
	assert.Equal(t, "a0 1m38s", all[len(all)-1])
	all, _ = j.found(t, func(q *Query) { q.Alarm = "b" })
	assert.Equal(t, []string{"b 50s"}, all)
	assert.LessOrEqual(t, m.count("entry/"), 21)

	// All is too old, but one waits for its sink.
	j.commit(t, &Change{Now: epoch.Add(3 * time.Hour)})
	assert.Zero(t, j.HistoryItems())
	assert.Equal(t, 1, m.count("entry/"))
	seqs, _ := j.Pending(SinkEvents, 1)
	entries, err := j.Read(t.Context(), seqs)
	require.NoError(t, err)
	assert.Equal(t, "b", entries[0].Alarm)
	require.NoError(t, j.Acknowledge(t.Context(), SinkEvents, seqs[0]))
	assert.Zero(t, m.count("entry/"))
	assert.Empty(t, j.history.names)
	assert.Empty(t, j.history.over)
}

// TestRestartsAtRandom compares a journal that is opened again and again with what it should have.
func TestRestartsAtRandom(t *testing.T) {
	m := &memory{values: map[string][]byte{}}
	j := open(t, m)
	random := rand.New(rand.NewPCG(1, 2))
	rows := map[RowKey]string{}
	var waiting []uint64
	var next uint64 = 1
	for step := range 500 {
		c := &Change{Now: epoch}
		for range random.IntN(4) {
			name := fmt.Sprint("n", random.IntN(10))
			if k := key(name); random.IntN(3) == 0 {
				c.Delete = append(c.Delete, k)
				c.Put = slices.DeleteFunc(c.Put, func(r Row) bool { return r.RowKey == k })
				delete(rows, k)
			} else if !slices.Contains(c.Delete, k) {
				c.Put = append(c.Put, row(name, strconv.Itoa(step)))
				rows[k] = strconv.Itoa(step)
			}
		}
		c.Delete = slices.DeleteFunc(c.Delete, func(k RowKey) bool { _, there := rows[k]; return there })
		for range random.IntN(3) {
			c.Entries = append(c.Entries, entry("a", time.Duration(step), SinkActions))
			waiting = append(waiting, next)
			next++
		}
		m.fails = random.IntN(5) == 0
		err := j.Commit(t.Context(), c)
		require.Equal(t, m.fails, err != nil)
		m.fails = false
		if err != nil {
			require.NoError(t, j.Commit(t.Context(), c))
		}
		if len(waiting) > 0 && random.IntN(2) == 0 {
			n := random.IntN(len(waiting))
			require.NoError(t, j.Acknowledge(t.Context(), SinkActions, waiting[n]))
			waiting = waiting[n+1:]
		}
		if random.IntN(10) == 0 {
			j = open(t, m)
			require.Equal(t, rows, maps.Clone(j.rows))
		}
		seqs, _ := j.Pending(SinkActions, 1000)
		require.ElementsMatch(t, waiting, seqs)
	}
}

func FuzzDecodeEntry(f *testing.F) {
	e := entry("a", 0, SinkActions)
	text, err := e.encode()
	require.NoError(f, err)
	f.Add(text)
	f.Add(text[:30])
	f.Add([]byte{entryVersion})
	f.Fuzz(func(t *testing.T, text []byte) {
		e, err := decodeEntry(text)
		if err != nil {
			return
		}
		again, err := e.encode()
		require.NoError(t, err)
		back, err := decodeEntry(again)
		require.NoError(t, err)
		assert.Equal(t, e.Alarm, back.Alarm)
	})
}

func BenchmarkCommit(b *testing.B) {
	m := &memory{values: map[string][]byte{}}
	j := open(b, m, func(s *Settings) { s.MaxItems, s.MaxItemsPerAlarm, s.MaxPending = 100_000, 1000, 1000 })
	c := &Change{Now: epoch}
	for i := range 100 {
		c.Put = append(c.Put, row(fmt.Sprint("n", i), strings.Repeat("x", 1000)))
		c.Entries = append(c.Entries, entry(fmt.Sprint("n", i), time.Duration(i)))
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, e := range c.Entries {
			e.Time = e.Time.Add(time.Millisecond)
		}
		require.NoError(b, j.Commit(b.Context(), c))
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*100), "ns/transition")
}
