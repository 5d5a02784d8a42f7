// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsemfreceiver

import (
	"context"
	"errors"
	"net"
	"os"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/nephoscope/nephoscope/internal/udpsocket"
)

// maxDatagram is more than any datagram has.
const maxDatagram = 64 << 10

func (r *emfReceiver) prepareUDP() error {
	if r.cfg.UDPReadBufferBytes > 0 {
		if got := udpsocket.SetReadBuffer(r.packets, r.cfg.UDPReadBufferBytes); got > 0 && got < r.cfg.UDPReadBufferBytes {
			r.logger.Info("the kernel gives the UDP socket a smaller buffer than asked for: raise net.core.rmem_max if datagrams are dropped",
				zap.Int("asked", r.cfg.UDPReadBufferBytes), zap.Int("given", got))
		}
	}
	drops, err := udpsocket.NewDrops(r.packets)
	if err != nil {
		r.logger.Warn("datagrams that the kernel drops are not counted", zap.Error(err))
		return nil
	}
	return r.telemetry.RegisterReceiverAwsemfUDPKernelDropsCallback(func(_ context.Context, o metric.Int64Observer) error {
		n, err := drops.Read()
		if err != nil {
			return err
		}
		o.Observe(int64(n))
		return nil
	})
}

// readPackets reads datagrams, of one or more lines each, until the socket is closed or drained.
func (r *emfReceiver) readPackets(ctx context.Context, host component.Host) {
	buf := make([]byte, maxDatagram)
	for {
		n, from, err := r.packets.ReadFromUDPAddrPort(buf)
		if err != nil {
			if !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, net.ErrClosed) {
				r.fail(host, err)
			}
			return
		}
		if n > 0 {
			r.enqueue(ctx, r.udp, string(buf[:n]), from.Addr().Unmap().String())
		}
	}
}
