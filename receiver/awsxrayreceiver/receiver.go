// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsxrayreceiver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.uber.org/zap"

	"github.com/nephoscope/nephoscope/internal/udpsocket"
	"github.com/nephoscope/nephoscope/receiver/awsxrayreceiver/internal/metadata"
)

// drainTime is how long Shutdown lets the readers empty the socket's buffer.
const drainTime = 50 * time.Millisecond

type xrayReceiver struct {
	cfg       *Config
	next      consumer.Traces
	logger    *zap.Logger
	telemetry component.TelemetrySettings
	metrics   *metadata.TelemetryBuilder
	udpReport *receiverhelper.ObsReport
	tcpReport *receiverhelper.ObsReport
	counts    counts
	queue     *queue

	conn      *net.UDPConn
	drops     *udpsocket.Drops
	server    *http.Server
	tcpAddr   net.Addr
	cancel    context.CancelFunc // ends the monitor, and what the pipeline does not finish in time
	stopping  chan struct{}      // closed when nothing is tried again any more
	readers   sync.WaitGroup
	consumers sync.WaitGroup
	others    sync.WaitGroup
	stopOnce  sync.Once
	stopErr   error
}

func newReceiver(set receiver.Settings, cfg *Config, next consumer.Traces) (*xrayReceiver, error) {
	r := &xrayReceiver{cfg: cfg, next: next, logger: set.Logger, telemetry: set.TelemetrySettings, queue: newQueue(cfg.QueueSize, cfg.QueueBytes), stopping: make(chan struct{})}
	var err error
	if r.udpReport, err = receiverhelper.NewObsReport(receiverhelper.ObsReportSettings{
		ReceiverID: set.ID, Transport: "udp", ReceiverCreateSettings: set,
	}); err != nil {
		return nil, err
	}
	if r.tcpReport, err = receiverhelper.NewObsReport(receiverhelper.ObsReportSettings{
		ReceiverID: set.ID, Transport: "http", ReceiverCreateSettings: set,
	}); err != nil {
		return nil, err
	}
	if r.metrics, err = metadata.NewTelemetryBuilder(set.TelemetrySettings); err != nil {
		return nil, err
	}
	return r, nil
}

// Start opens both ports and begins to read.
func (r *xrayReceiver) Start(ctx context.Context, host component.Host) error {
	if err := r.start(ctx, host); err != nil {
		return errors.Join(err, r.Shutdown(ctx))
	}
	return nil
}

func (r *xrayReceiver) start(ctx context.Context, host component.Host) error {
	background, cancel := context.WithCancel(context.WithoutCancel(ctx))
	r.cancel = cancel
	conn, err := new(net.ListenConfig).ListenPacket(ctx, "udp", r.cfg.Endpoint)
	if err != nil {
		return fmt.Errorf("listen on UDP endpoint: %w", err)
	}
	r.conn = conn.(*net.UDPConn)
	got := udpsocket.SetReadBuffer(r.conn, r.cfg.SocketBufferSize)
	if got > 0 && got < r.cfg.SocketBufferSize {
		r.logger.Info("the kernel gives the UDP socket a smaller buffer than asked for: raise net.core.rmem_max if datagrams are dropped",
			zap.Int("asked", r.cfg.SocketBufferSize), zap.Int("given", got))
	}
	if r.drops, err = udpsocket.NewDrops(r.conn); err != nil {
		r.logger.Debug("datagrams dropped by the kernel cannot be counted", zap.Error(err))
	}
	if err := r.observe(); err != nil {
		return err
	}
	if err := r.startServer(ctx, host); err != nil {
		return err
	}
	for range r.cfg.Readers {
		r.readers.Go(r.read)
	}
	for range r.cfg.Consumers {
		r.consumers.Go(func() { r.consume(background) })
	}
	r.others.Go(func() { r.monitor(background) })
	fields := []zap.Field{zap.Stringer("udp", r.conn.LocalAddr())}
	if r.tcpAddr != nil {
		fields = append(fields, zap.Stringer("tcp", r.tcpAddr))
	}
	r.logger.Info("X-Ray receiver started", fields...)
	return nil
}

// Shutdown stops reading, hands what was read to the pipeline and waits for it, as long as ctx allows.
func (r *xrayReceiver) Shutdown(ctx context.Context) error {
	r.stopOnce.Do(func() { r.stopErr = r.stop(ctx) })
	return r.stopErr
}

func (r *xrayReceiver) stop(ctx context.Context) error {
	var errs error
	if r.server != nil {
		if err := r.server.Shutdown(ctx); err != nil {
			errs = errors.Join(errs, err, r.server.Close())
		}
	}
	if r.conn != nil {
		// Until then the readers go on with what the socket holds.
		_ = r.conn.SetReadDeadline(time.Now().Add(drainTime))
	}
	r.readers.Wait()
	close(r.stopping)
	close(r.queue.docs)
	done := make(chan struct{})
	go func() {
		r.consumers.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
		errs = errors.Join(errs, fmt.Errorf("%d documents were not handed to the pipeline: %w", len(r.queue.docs), ctx.Err()))
	}
	if r.cancel != nil {
		r.cancel()
	}
	<-done
	r.others.Wait()
	if r.conn != nil {
		r.counts.report(r)
	}
	r.metrics.Shutdown()
	if r.conn != nil {
		errs = errors.Join(errs, r.conn.Close())
	}
	return errs
}
