//go:build bench

// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/nephoscope/nephoscope/testbed/collector"
)

func percentile(d []time.Duration, p int) time.Duration {
	slices.Sort(d)
	return d[min(len(d)-1, len(d)*p/100)].Round(100 * time.Microsecond)
}

// TestIdle starts each distribution with its example configuration and looks at it after five quiet seconds.
func TestIdle(t *testing.T) {
	for _, d := range []struct{ name, binary, config string }{
		{"full", "nephoscope", "local.yaml"},
		{"agent", "nephoscope-agent", "agent.yaml"},
	} {
		t.Run(d.name, func(t *testing.T) {
			var starts []time.Duration
			var c *collector.Collector
			for i := range 5 {
				if i > 0 {
					c.Kill()
				}
				c = collector.New(t, collector.Options{
					Binary: filepath.Join(collector.Root(), "bin", d.binary),
					Config: filepath.Join(collector.Root(), "examples", d.config),
				})
				begin := time.Now()
				c.Start(t)
				starts = append(starts, time.Since(begin))
			}
			cpu := c.CPUTime(t)
			time.Sleep(5 * time.Second)
			total, anonymous := c.ResidentBytes(t)
			report(t, "idle, "+d.name, "%.0f MB resident (%.0f MB of it not file-backed), answers after %s (median of 5), CPU in 5 s %s",
				float64(total)/1e6, float64(anonymous)/1e6, percentile(starts, 50), c.CPUTime(t)-cpu)
		})
	}
}
