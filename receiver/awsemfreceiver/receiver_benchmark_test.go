// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsemfreceiver

import (
	"context"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/nephoscope/nephoscope/receiver/awsemfreceiver/internal/metadata"
)

// counting counts what it is given and says when that is enough.
type counting struct {
	logs, points atomic.Int64
	want         int64
	done         chan struct{}
}

func (*counting) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (c *counting) ConsumeLogs(_ context.Context, ld plog.Logs) error {
	if n := int64(ld.LogRecordCount()); c.logs.Add(n) == c.want {
		close(c.done)
	}
	return nil
}

func (c *counting) ConsumeMetrics(_ context.Context, md pmetric.Metrics) error {
	c.points.Add(int64(md.DataPointCount()))
	return nil
}

// BenchmarkTCP includes the sender and the loopback interface.
func BenchmarkTCP(b *testing.B) {
	for _, tt := range []struct {
		name    string
		metrics bool
	}{{"logs", false}, {"logs and metrics", true}} {
		b.Run(tt.name, func(b *testing.B) {
			const perSend = 100
			c := &counting{want: int64(b.N) * perSend, done: make(chan struct{})}
			f := NewFactory()
			cfg := testConfig()
			cfg.Transports = []string{transportTCP}
			set := receivertest.NewNopSettings(metadata.Type)
			l, err := f.CreateLogs(b.Context(), set, cfg, c)
			require.NoError(b, err)
			if tt.metrics {
				_, err = f.CreateMetrics(b.Context(), set, cfg, c)
				require.NoError(b, err)
				require.NoError(b, l.Start(b.Context(), componenttest.NewNopHost()))
			}
			require.NoError(b, l.Start(b.Context(), componenttest.NewNopHost()))
			r := l.(*emfReceiver)
			r.now = func() time.Time { return testTime }
			conn, err := (&net.Dialer{}).DialContext(b.Context(), "tcp", r.listener.Addr().String())
			require.NoError(b, err)
			text := []byte(strings.Repeat(doc("g", 1)+"\n", perSend))
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				if _, err := conn.Write(text); err != nil {
					b.Fatal(err)
				}
			}
			<-c.done
			b.StopTimer()
			b.ReportMetric(float64(b.N)*perSend/b.Elapsed().Seconds(), "docs/s")
			require.NoError(b, l.Shutdown(b.Context()))
			require.NoError(b, conn.Close())
			if tt.metrics {
				require.Equal(b, c.want, c.points.Load())
			}
		})
	}
}
