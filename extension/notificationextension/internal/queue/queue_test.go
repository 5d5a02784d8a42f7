// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package queue

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/goleak"
	"go.uber.org/zap"

	"github.com/nephoscope/nephoscope/extension/notificationextension/internal/records"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 30 * time.Second

// memory is a storage client.
type memory struct {
	mu     sync.Mutex
	values map[string][]byte
	// fails refuses changes.
	fails bool
}

var errDown = errors.New("down")

func (m *memory) refuse(fails bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fails = fails
}

func (m *memory) Get(ctx context.Context, key string) ([]byte, error) {
	op := storage.GetOperation(key)
	err := m.Batch(ctx, op)
	return op.Value, err
}

func (m *memory) Set(ctx context.Context, key string, value []byte) error {
	return m.Batch(ctx, storage.SetOperation(key, value))
}

func (m *memory) Delete(ctx context.Context, key string) error {
	return m.Batch(ctx, storage.DeleteOperation(key))
}

func (m *memory) Batch(_ context.Context, ops ...*storage.Operation) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, op := range ops {
		if m.fails {
			return errDown
		}
		switch op.Type {
		case storage.Get:
			op.Value = m.values[op.Key]
		case storage.Set:
			m.values[op.Key] = op.Value
		case storage.Delete:
			delete(m.values, op.Key)
		}
	}
	return nil
}

func (*memory) Close(context.Context) error { return nil }

// bench is a queue with what it needs.
type bench struct {
	*Queue
	t     testing.TB
	store *records.Store
	stop  func()

	mu       sync.Mutex
	observed map[string]int
	dead     []*Item
	deadErr  error
}

func newBench(tb testing.TB, m *memory, deliver func(context.Context, *Item) Outcome, change func(*Settings)) *bench {
	tb.Helper()
	b := &bench{t: tb, store: records.New(m), observed: map[string]int{}}
	set := Settings{
		Store: b.store, Deliver: deliver, Logger: zap.NewNop(), Now: time.Now,
		MaxItems: 100_000, MaxSize: 1 << 30, MaxConcurrent: 64, MaxConcurrentPerTarget: 4, Remember: 100,
		Backoff: Backoff{Initial: time.Millisecond, Max: 5 * time.Millisecond, Multiplier: 2, MaxAge: time.Hour},
		Observe: func(_, outcome string, _ time.Duration) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.observed[outcome]++
		},
		DeadLetter: func(it *Item, _ time.Time) error {
			b.mu.Lock()
			defer b.mu.Unlock()
			if b.deadErr == nil {
				b.dead = append(b.dead, it)
			}
			return b.deadErr
		},
		DeadLetterFailed: func() {},
	}
	if change != nil {
		change(&set)
	}
	var err error
	b.Queue, err = Open(tb.Context(), set)
	require.NoError(tb, err)
	b.stop = sync.OnceFunc(func() {
		b.Stop()
		require.NoError(tb, b.store.Close(context.Background()))
	})
	tb.Cleanup(b.stop)
	return b
}

func newMemory() *memory { return &memory{values: map[string][]byte{}} }

func item(id, target, lane string) *Item {
	now := time.Now()
	return &Item{ID: id, Kind: "k", Target: target, Lane: lane, Enqueued: now, Next: now, Body: json.RawMessage(`{}`)}
}

func (b *bench) drained() {
	b.t.Helper()
	require.Eventually(b.t, func() bool {
		items, size := b.Depth()
		return items == 0 && size == 0
	}, patience, time.Millisecond)
}

func TestLanesKeepOrder(t *testing.T) {
	var mu sync.Mutex
	got := map[string][]string{}
	tries := map[string]int{}
	b := newBench(t, newMemory(), func(_ context.Context, it *Item) Outcome {
		mu.Lock()
		defer mu.Unlock()
		if tries[it.ID]++; tries[it.ID] < 3 && len(it.ID)%2 == 0 {
			return Outcome{Err: errors.New("not yet")}
		}
		got[it.Lane] = append(got[it.Lane], it.ID)
		return Outcome{}
	}, nil)
	b.Start()
	want := map[string][]string{}
	for i := range 50 {
		for _, lane := range []string{"a", "b", "c"} {
			id := lane + strconv.Itoa(i)
			want[lane] = append(want[lane], id)
			require.NoError(t, b.Enqueue([]*Item{item(id, "t", lane)}, nil, nil))
		}
	}
	b.drained()
	assert.Equal(t, want, got)
	assert.Empty(t, b.targets)
	assert.Empty(t, b.lanes)
	assert.Empty(t, b.actions)
}

func TestTargetsAreBounded(t *testing.T) {
	var mu sync.Mutex
	now, most := 0, 0
	gate := make(chan struct{})
	b := newBench(t, newMemory(), func(ctx context.Context, _ *Item) Outcome {
		mu.Lock()
		now++
		most = max(most, now)
		mu.Unlock()
		select {
		case <-gate:
		case <-ctx.Done():
		}
		mu.Lock()
		now--
		mu.Unlock()
		return Outcome{}
	}, nil)
	b.Start()
	for i := range 20 {
		require.NoError(t, b.Enqueue([]*Item{item(strconv.Itoa(i), "t", "")}, nil, nil))
	}
	for range 20 {
		gate <- struct{}{}
	}
	b.drained()
	assert.Equal(t, 4, most)
}

func TestOutcomes(t *testing.T) {
	b := newBench(t, newMemory(), func(_ context.Context, it *Item) Outcome {
		switch it.ID {
		case "panics":
			panic("oh")
		case "permanent":
			return Outcome{Err: errors.New("no"), Permanent: true}
		case "policy":
			return Outcome{Err: errors.New("no"), Retry: func(attempts int) (time.Duration, bool) { return 0, attempts < 4 }}
		case "withheld":
			return Outcome{Withheld: "silenced"}
		case "more":
			return Outcome{Add: []*Item{item("more/1", "t", ""), item("more/2", "t", "")}}
		}
		return Outcome{}
	}, nil)
	b.Start()
	for _, id := range []string{"panics", "permanent", "policy", "withheld", "more", "fine"} {
		require.NoError(t, b.Enqueue([]*Item{item(id, "t", "")}, nil, nil))
	}
	b.drained()
	b.mu.Lock()
	defer b.mu.Unlock()
	assert.Equal(t, map[string]int{OutcomeDelivered: 4, OutcomeWithheld: 1, OutcomeDead: 3, OutcomeRetried: 3}, b.observed)
	attempts := map[string]int{}
	for _, it := range b.dead {
		attempts[it.ID] = it.Attempts
	}
	assert.Equal(t, map[string]int{"panics": 1, "permanent": 1, "policy": 4}, attempts)
}

func TestDeadLetterThatCannotBeWritten(t *testing.T) {
	b := newBench(t, newMemory(), func(context.Context, *Item) Outcome { return Outcome{Err: errors.New("no"), Permanent: true} }, nil)
	b.deadErr = errors.New("disk full")
	b.Start()
	require.NoError(t, b.Enqueue([]*Item{item("1", "t", "")}, nil, nil))
	require.Eventually(t, func() bool {
		b.Queue.mu.Lock()
		defer b.Queue.mu.Unlock()
		return len(b.later) == 1
	}, patience, time.Millisecond)
	items, _ := b.Depth()
	assert.Equal(t, 1, items, "it stays")
}

// TestResultsSurvive has results wait for somebody who takes them, over a restart.
func TestResultsSurvive(t *testing.T) {
	m := newMemory()
	deliver := func(_ context.Context, it *Item) Outcome {
		if it.ID == "1/b" {
			return Outcome{Err: errors.New("refused"), Permanent: true}
		}
		return Outcome{Message: "published"}
	}
	part := func(id, action string) *Item {
		it := item(id, "t "+id, "")
		it.Action, it.AlarmARN, it.ARN = action, "alarm", "arn"
		return it
	}
	b := newBench(t, m, deliver, nil)
	b.Start()
	require.NoError(t, b.Enqueue([]*Item{part("1/a", "1"), part("1/b", "1"), part("2/a", "2")}, []string{"1", "2"}, nil))
	b.drained()
	b.stop()

	b = newBench(t, m, deliver, nil)
	got := make(chan Result, 10)
	b.OnResult(into(got))
	b.Start()
	results := map[string]Result{}
	for range 2 {
		select {
		case r := <-got:
			results[r.Action] = r
		case <-time.After(patience):
			require.FailNow(t, "no result")
		}
	}
	assert.Equal(t, []string{"refused"}, results["1"].Failed)
	assert.Equal(t, "published", results["1"].Message)
	assert.Empty(t, results["2"].Failed)
	assert.True(t, b.Known("1"))
	assert.False(t, b.Known("3"))
	require.NoError(t, b.Settle())
	b.stop()

	b = newBench(t, m, deliver, nil) // and nothing is handed over twice
	assert.Equal(t, 0, b.results.len())
}

// into has results sent to a channel.
func into(got chan<- Result) func(context.Context, []*Result) error {
	return func(_ context.Context, list []*Result) error {
		for _, r := range list {
			got <- *r
		}
		return nil
	}
}

// TestPartsSurvive stops after one part of an action has failed and before the other is delivered.
func TestPartsSurvive(t *testing.T) {
	m := newMemory()
	part := func(id string) *Item {
		it := item(id, "t "+id, "")
		it.Action = "1"
		return it
	}
	failed := make(chan struct{}, 1)
	b := newBench(t, m, func(ctx context.Context, it *Item) Outcome {
		if it.ID == "a" {
			return Outcome{Err: errors.New("refused"), Permanent: true}
		}
		failed <- struct{}{}
		<-ctx.Done()
		return Outcome{Err: ctx.Err()}
	}, nil)
	b.Start()
	require.NoError(t, b.Enqueue([]*Item{part("a"), part("b")}, nil, nil))
	<-failed
	require.Eventually(t, func() bool {
		items, _ := b.Depth()
		return items == 1
	}, patience, time.Millisecond)
	b.stop()

	b = newBench(t, m, func(context.Context, *Item) Outcome { return Outcome{} }, nil)
	got := make(chan Result, 1)
	b.OnResult(into(got))
	b.Start()
	select {
	case r := <-got:
		assert.Equal(t, []string{"refused"}, r.Failed)
	case <-time.After(patience):
		require.FailNow(t, "no result")
	}
}

// TestResultsComeAgain has results refused, and handed over until they are taken.
func TestResultsComeAgain(t *testing.T) {
	m := newMemory()
	deliver := func(context.Context, *Item) Outcome { return Outcome{Message: "published"} }
	b := newBench(t, m, deliver, nil)
	n := 0
	got := make(chan Result, 10)
	b.OnResult(func(ctx context.Context, list []*Result) error {
		if n++; n < 3 {
			return errors.New("not now")
		}
		return into(got)(ctx, list)
	})
	b.Start()
	it := item("a", "t", "")
	it.Action = "1"
	require.NoError(t, b.Enqueue([]*Item{it}, []string{"1"}, nil))
	select {
	case r := <-got:
		assert.Equal(t, "published", r.Message)
	case <-time.After(patience):
		require.FailNow(t, "no result")
	}
	require.Eventually(t, func() bool { return b.results.len() == 0 }, patience, time.Millisecond)
	b.stop()
	b = newBench(t, m, deliver, nil)
	assert.Equal(t, 0, b.results.len())
}

// TestWithheld has an action withheld only when nothing of it was sent, also when the parts end in different lives.
func TestWithheld(t *testing.T) {
	for _, sent := range []bool{true, false} {
		m := newMemory()
		part := func(id string) *Item {
			it := item(id, "t "+id, "")
			it.Action = "1"
			return it
		}
		waits := make(chan struct{}, 1)
		b := newBench(t, m, func(ctx context.Context, it *Item) Outcome {
			switch {
			case it.ID == "b":
				waits <- struct{}{}
				<-ctx.Done()
				return Outcome{Err: ctx.Err()}
			case sent:
				return Outcome{}
			}
			return Outcome{Withheld: "silenced"}
		}, nil)
		b.Start()
		require.NoError(t, b.Enqueue([]*Item{part("a"), part("b")}, nil, nil))
		<-waits
		require.Eventually(t, func() bool {
			items, _ := b.Depth()
			return items == 1
		}, patience, time.Millisecond)
		b.stop()

		b = newBench(t, m, func(context.Context, *Item) Outcome { return Outcome{Withheld: "inhibited"} }, nil)
		got := make(chan Result, 1)
		b.OnResult(into(got))
		b.Start()
		select {
		case r := <-got:
			assert.Equal(t, !sent, r.Withheld != "")
		case <-time.After(patience):
			require.FailNow(t, "no result")
		}
		b.stop()
	}
}

func TestRemembersSoMany(t *testing.T) {
	m := newMemory()
	deliver := func(context.Context, *Item) Outcome { return Outcome{} }
	b := newBench(t, m, deliver, nil)
	for i := range 350 {
		require.NoError(t, b.Enqueue(nil, []string{strconv.Itoa(i)}, nil))
	}
	assert.True(t, b.Known("349"))
	assert.True(t, b.Known("250"))
	assert.False(t, b.Known("249"))
	b.stop()
	b = newBench(t, m, deliver, nil)
	assert.True(t, b.Known("349"))
	assert.True(t, b.Known("250"))
	assert.False(t, b.Known("249"))
	require.NoError(t, b.Enqueue(nil, []string{"350"}, nil))
	assert.False(t, b.Known("250"))
}

// TestRefusedLeavesNothing has a storage refuse the same action many times.
func TestRefusedLeavesNothing(t *testing.T) {
	m := newMemory()
	b := newBench(t, m, func(context.Context, *Item) Outcome { return Outcome{} }, nil)
	require.NoError(t, b.Enqueue(nil, []string{"before"}, nil))
	m.refuse(true)
	for i := range 200 {
		require.ErrorIs(t, b.Enqueue([]*Item{item(strconv.Itoa(i), "t", "")}, []string{"new"}, nil), errDown)
		assert.False(t, b.Known("new"))
	}
	m.refuse(false)
	require.NoError(t, b.Enqueue([]*Item{item("1", "t", "")}, []string{"new"}, nil))
	assert.True(t, b.Known("before"), "it was not pushed out")
	assert.True(t, b.Known("new"))
	require.NoError(t, b.Settle())
	assert.Equal(t, "1", string(m.values["queue/slots"]), "its place was used again")
}

func TestStopped(t *testing.T) {
	b := newBench(t, newMemory(), func(context.Context, *Item) Outcome { return Outcome{} }, nil)
	b.stop()
	require.ErrorIs(t, b.Enqueue([]*Item{item("1", "t", "")}, nil, nil), errStopped)
	b.Start()
}

func TestBackoff(t *testing.T) {
	b := Backoff{Initial: time.Second, Max: time.Minute, Multiplier: 2}
	for attempts, want := range map[int]time.Duration{1: time.Second, 2: 2 * time.Second, 5: 16 * time.Second, 7: time.Minute, 10_000: time.Minute} {
		for range 100 {
			assert.InDelta(t, float64(want), float64(b.Delay(attempts)), float64(want)*jitter/2+1)
		}
	}
}

// BenchmarkQueue is one delivery, from being accepted to its end.
func BenchmarkQueue(b *testing.B) {
	done := make(chan struct{}, 1024)
	q := newBench(b, newMemory(), func(context.Context, *Item) Outcome {
		done <- struct{}{}
		return Outcome{}
	}, nil)
	q.Start()
	body := json.RawMessage(`"` + strings.Repeat("x", 1024) + `"`)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		i++
		it := item(strconv.Itoa(i), "t"+strconv.Itoa(i%100), "")
		it.Body = body
		if err := q.Enqueue([]*Item{it}, nil, nil); err != nil {
			b.Fatal(err)
		}
		<-done
	}
}
