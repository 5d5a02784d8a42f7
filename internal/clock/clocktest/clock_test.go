// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package clocktest

import (
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
	_, ok := c.Next()
	assert.False(t, ok)

	at, stopAt := c.After(time.Minute)
	defer stopAt()
	later, stopLater := c.After(time.Hour)
	never, stopNever := c.After(30 * time.Second)
	stopNever()
	due, ok := c.Next()
	require.True(t, ok)
	assert.Equal(t, start.Add(time.Minute), due)

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
