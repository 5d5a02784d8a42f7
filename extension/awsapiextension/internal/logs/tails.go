// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logs

import (
	"sync"
	"time"

	"github.com/nephoscope/nephoscope/internal/store"
)

// tails counts the open sessions of live tail.
type tails struct {
	mu   sync.Mutex
	open map[store.Tenant]int
	// ticker tells when to send updates, until it is stopped.
	ticker func() (ticks <-chan time.Time, stop func())
}

func newTails() *tails {
	return &tails{
		open: map[store.Tenant]int{},
		ticker: func() (<-chan time.Time, func()) {
			t := time.NewTicker(tailInterval)
			return t.C, t.Stop
		},
	}
}

// enter reports whether a tenant may open one more session, and counts it.
func (l *tails) enter(t store.Tenant) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[t] >= maxTailSessions {
		return false
	}
	l.open[t]++
	return true
}

func (l *tails) leave(t store.Tenant) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[t]--; l.open[t] == 0 {
		delete(l.open, t)
	}
}
