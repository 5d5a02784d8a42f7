// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package receivers

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/alertmanager/nflog/nflogpb"
	"github.com/prometheus/alertmanager/silence/silencepb"
	"google.golang.org/protobuf/encoding/protodelim"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/nephoscope/nephoscope/extension/notificationextension/internal/records"
)

// keepResolved is how long an alert that has ended is kept, so that its end is still told after a restart.
const keepResolved = 24 * time.Hour

// alertBook is the alerts that are kept over restarts, by alarm.
type alertBook struct {
	table *records.Table

	mu      sync.Mutex
	byKey   map[string]*kept
	byAlarm map[string][]*kept
}

func openAlertBook(ctx context.Context, store *records.Store, now time.Time) (*alertBook, error) {
	b := &alertBook{byKey: map[string]*kept{}, byAlarm: map[string][]*kept{}}
	var err error
	b.table, err = records.Load(ctx, store, "alerts", func(value []byte) (string, error) {
		k := &kept{}
		if err := json.Unmarshal(value, k); err != nil {
			return "", err
		}
		if !k.firing() && now.Sub(k.EndsAt) > keepResolved {
			return "", nil
		}
		b.set(k)
		return k.key(), nil
	})
	return b, err
}

// set takes an alert. The lock is held, or nobody else is there yet.
func (b *alertBook) set(k *kept) {
	key := k.key()
	if old := b.byKey[key]; old != nil {
		b.unlist(old)
	}
	b.byKey[key] = k
	b.byAlarm[k.Alarm] = append(b.byAlarm[k.Alarm], k)
}

func (b *alertBook) unlist(k *kept) {
	list := slices.DeleteFunc(b.byAlarm[k.Alarm], func(e *kept) bool { return e == k })
	if len(list) == 0 {
		delete(b.byAlarm, k.Alarm)
		return
	}
	b.byAlarm[k.Alarm] = list
}

// of are the alerts of an alarm.
func (b *alertBook) of(alarm string) []*kept {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.byAlarm[alarm])
}

// take takes alerts, and returns the change that keeps them.
func (b *alertBook) take(list []*kept) (func(*records.Change), error) {
	texts := make([][]byte, len(list))
	for i, k := range list {
		var err error
		if texts[i], err = json.Marshal(k); err != nil {
			return nil, fmt.Errorf("encode an alert: %w", err)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, k := range list {
		b.set(k)
	}
	return func(c *records.Change) {
		for i, k := range list {
			b.table.Put(c, k.key(), texts[i])
		}
	}, nil
}

// filter returns the alerts that f is true for.
func (b *alertBook) filter(f func(*kept) bool) []*kept {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []*kept
	for _, k := range b.byKey {
		if f(k) {
			out = append(out, k)
		}
	}
	return out
}

// expire forgets what has ended long ago.
func (b *alertBook) expire(store *records.Store, now time.Time) error {
	gone := b.filter(func(k *kept) bool { return !k.firing() && now.Sub(k.EndsAt) > keepResolved })
	if len(gone) == 0 {
		return nil
	}
	return store.Commit(func(c *records.Change) {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, k := range gone {
			if b.byKey[k.key()] != k {
				continue // it fires again
			}
			delete(b.byKey, k.key())
			b.unlist(k)
			b.table.Delete(c, k.key())
		}
	})
}

// protoLog keeps the entries of Alertmanager's notification log, or its silences: each as it was last broadcast.
type protoLog[M any, P interface {
	*M
	proto.Message
	GetExpiresAt() *timestamppb.Timestamp
}] struct {
	store *records.Store
	table *records.Table
	key   func(P) string

	mu      sync.Mutex
	expires map[string]time.Time
}

// openProtoLog reads what is kept; snapshot is what Alertmanager loads.
func openProtoLog[M any, P interface {
	*M
	proto.Message
	GetExpiresAt() *timestamppb.Timestamp
}](
	ctx context.Context, store *records.Store, name string, now time.Time, key func(P) string,
) (l *protoLog[M, P], snapshot []byte, err error) {
	l = &protoLog[M, P]{store: store, key: key, expires: map[string]time.Time{}}
	l.table, err = records.Load(ctx, store, name, func(value []byte) (string, error) {
		k, expires, err := l.decode(value)
		if err != nil || expires.Before(now) {
			return "", err
		}
		l.expires[k] = expires
		snapshot = append(snapshot, value...)
		return k, nil
	})
	return l, snapshot, err
}

func (l *protoLog[M, P]) decode(value []byte) (key string, expires time.Time, err error) {
	m := P(new(M))
	if err := protodelim.UnmarshalFrom(bytes.NewReader(value), m); err != nil {
		return "", time.Time{}, err
	}
	return l.key(m), m.GetExpiresAt().AsTime(), nil
}

// put keeps an entry. It does not wait until it is durable: Alertmanager calls it with a lock held, and an entry that is
// lost means no more than that something is told twice.
func (l *protoLog[M, P]) put(value []byte) {
	value = bytes.Clone(value)
	key, expires, err := l.decode(value)
	if err != nil {
		return // Alertmanager has just encoded it
	}
	l.store.Begin(func(c *records.Change) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.expires[key] = expires
		l.table.Put(c, key, value)
	})
}

func (l *protoLog[M, P]) expire(now time.Time) error {
	return l.store.Commit(func(c *records.Change) {
		l.mu.Lock()
		defer l.mu.Unlock()
		for key, expires := range l.expires {
			if expires.Before(now) {
				delete(l.expires, key)
				l.table.Delete(c, key)
			}
		}
	})
}

type (
	notificationLog = protoLog[nflogpb.MeshEntry, *nflogpb.MeshEntry]
	silenceLog      = protoLog[silencepb.MeshSilence, *silencepb.MeshSilence]
)

func entryKey(e *nflogpb.MeshEntry) string {
	r := e.GetEntry().GetReceiver()
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%s\n%d", e.GetEntry().GetGroupKey(), r.GetGroupName(), r.GetIntegration(), r.GetIdx()))
	return string(sum[:16])
}

func silenceKey(s *silencepb.MeshSilence) string { return s.GetSilence().GetId() }
