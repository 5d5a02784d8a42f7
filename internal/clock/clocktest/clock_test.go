// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package clocktest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestAfter(t *testing.T) {
	start := time.Date(2026, 1, 15, 10, 0, 0, 0, time.UTC)
	c := New(start)

	at, stopAt := c.After(time.Minute)
	defer stopAt()
	later, stopLater := c.After(time.Hour)
	never, stopNever := c.After(30 * time.Second)
	stopNever()
	c.Add(59 * time.Second)
	assert.Empty(t, at)
	c.Add(time.Second)
	assert.Equal(t, start.Add(time.Minute), <-at)
	assert.Empty(t, later)
	assert.Empty(t, never)
	stopLater()
	c.Add(2 * time.Hour)
	assert.Empty(t, later)

	now, stopNow := c.After(0)
	defer stopNow()
	assert.Equal(t, c.Now(), <-now)
}

func TestUntil(t *testing.T) {
	start := time.Date(2026, 1, 15, 10, 0, 0, 0, time.UTC)
	c := New(start)
	var woken []time.Time
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			wake, end := c.After(20 * time.Second)
			select {
			case at := <-wake:
				woken = append(woken, at)
			case <-stop:
				end()
				return
			}
		}
	}()
	require.NoError(t, c.Until(t.Context(), start.Add(70*time.Second)))
	assert.Equal(t, start.Add(70*time.Second), c.Now())
	close(stop)
	<-done
	assert.Equal(t, []time.Time{start.Add(20 * time.Second), start.Add(40 * time.Second), start.Add(time.Minute)}, woken)

	ctx, cancel := context.WithCancelCause(t.Context())
	gone := errors.New("gone")
	cancel(gone)
	require.ErrorIs(t, c.Until(ctx, start.Add(time.Hour)), gone, "nobody waits")
}
