// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package awsxrayreceiver

import (
	"context"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// benchSegment is what an SDK sends for a traced request.
const benchSegment = `{"name":"orders","id":"00000000000000ff","trace_id":"1-65535c00-0123456789abcdef00000001","start_time":1700000000.1234567,"end_time":1700000000.2234567,"in_progress":false,` +
	`"http":{"request":{"method":"GET","url":"https://orders.example.com/orders/7","user_agent":"python-requests/2.31","client_ip":"10.0.0.7"},"response":{"status":200,"content_length":512}},` +
	`"aws":{"xray":{"sdk":"X-Ray for Python","sdk_version":"2.14.0"}},"service":{"runtime":"CPython","runtime_version":"3.12.1"},"annotations":{"customer":"c-42"}}`

func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkUDP sends segments over loopback, no more than the socket's buffer can hold ahead of the receiver, and
// counts what reaches the pipeline: all of it. The rate per core counts the sender's time as well.
func BenchmarkUDP(b *testing.B) {
	var received atomic.Int64
	next, err := consumer.NewTraces(func(_ context.Context, td ptrace.Traces) error {
		received.Add(int64(td.SpanCount()))
		return nil
	})
	require.NoError(b, err)
	h := start(b, testConfig(), next)
	conn := h.dial(b)
	datagram := []byte(header + benchSegment)
	const window = 1000
	sent := int64(0)
	b.SetBytes(int64(len(datagram)))
	b.ReportAllocs()
	cpu := cpuTime()
	for b.Loop() {
		if _, err := conn.Write(datagram); err != nil {
			b.Fatal(err)
		}
		sent++
		for sent-received.Load() > window {
			time.Sleep(20 * time.Microsecond)
		}
	}
	for deadline := time.Now().Add(10 * time.Second); received.Load() < sent && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	cpu = cpuTime() - cpu
	if received.Load() != sent {
		b.Fatalf("sent %d, received %d", sent, received.Load())
	}
	b.ReportMetric(float64(sent)/b.Elapsed().Seconds(), "segments/s")
	b.ReportMetric(float64(sent)/cpu.Seconds(), "segments/s/core")
}
