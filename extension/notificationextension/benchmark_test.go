// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package notificationextension

import (
	"context"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/internal/actions"
	"github.com/nephoscope/nephoscope/pkg/alarm"
)

// BenchmarkDispatch is what the caller waits for: 100 actions made durable. None of them can be delivered.
func BenchmarkDispatch(b *testing.B) {
	cfg := hookConfig(b, "http://127.0.0.1:1")
	cfg.Queue.MaxItems, cfg.Queue.MaxSize = 10_000_000, 1<<40
	c := start(b, cfg)
	n := 0
	list := make([]actions.Action, 100)
	b.ReportAllocs()
	for b.Loop() {
		for i := range list {
			n++
			list[i] = action(strconv.Itoa(n), pagerTopic, strconv.Itoa(n), alarm.StateAlarm)
		}
		if err := c.ext.Dispatch(context.Background(), list); err != nil {
			b.Fatal(err)
		}
	}
	items, _ := c.ext.running.Load().queue.Depth()
	require.Equal(b, n, items)
}
