// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logs

import (
	"sync"

	"github.com/nephoscope/nephoscope/internal/store"
)

const (
	// missLifetime is how long it is remembered which streams a group has in the store, in ms.
	missLifetime = 2000
	// maxMisses and maxMissNames bound what is remembered.
	maxMisses    = 1000
	maxMissNames = 100_000
)

// misses remembers for two seconds which streams groups have in the store, so that clients that put events into
// streams that do not exist, before they create them, do not make it count its streams each time.
type misses struct {
	mu     sync.Mutex
	groups map[missKey]miss
	names  int
}

type missKey struct {
	store.Tenant
	group string
}

type miss struct {
	at      int64           // Unix ms
	streams map[string]bool // nil: there is no such group
}

// absent reports whether the group was seen a moment ago, without the stream.
func (m *misses) absent(t store.Tenant, group, stream string, now int64) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	seen, ok := m.groups[missKey{t, group}]
	return ok && now >= seen.at && now-seen.at < missLifetime && !seen.streams[stream]
}

// note remembers the streams of a group, or with nil that there is no group.
func (m *misses) note(t store.Tenant, group string, streams map[string]bool, now int64) {
	if len(streams) > maxMissNames/2 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.groups == nil || len(m.groups) >= maxMisses || m.names+len(streams) > maxMissNames {
		m.groups, m.names = map[missKey]miss{}, 0
	}
	k := missKey{t, group}
	m.names += len(streams) - len(m.groups[k].streams)
	m.groups[k] = miss{now, streams}
}
