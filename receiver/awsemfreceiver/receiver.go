// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsemfreceiver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"
	"golang.org/x/sync/semaphore"

	"github.com/nephoscope/nephoscope/receiver/awsemfreceiver/internal/metadata"
)

// Reasons for which documents are rejected.
const (
	reasonJSON       = "json"       // not a JSON object
	reasonUTF8       = "utf8"       // not valid UTF-8
	reasonTooLong    = "too_long"   // longer than max_line_bytes
	reasonIncomplete = "incomplete" // the connection ended in the middle
	reasonRefused    = "refused"    // by the pipeline, for good
	reasonShutdown   = "shutdown"   // the pipeline did not take it before the end
)

// drainTime is how long sockets are read on after Shutdown, for what clients sent before.
const drainTime = 250 * time.Millisecond

// registry finds the receiver that was made of a configuration for another signal.
type registry struct {
	mu       sync.Mutex
	byConfig map[*Config]*emfReceiver
}

func (g *registry) get(set receiver.Settings, cfg *Config) (*emfReceiver, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	r, ok := g.byConfig[cfg]
	if !ok {
		var err error
		if r, err = newReceiver(set, cfg); err != nil {
			return nil, err
		}
		r.forget = func() {
			g.mu.Lock()
			defer g.mu.Unlock()
			delete(g.byConfig, cfg)
		}
		if g.byConfig == nil {
			g.byConfig = make(map[*Config]*emfReceiver)
		}
		g.byConfig[cfg] = r
	}
	r.signals++
	return r, nil
}

// emfReceiver serves the pipelines of both signals.
type emfReceiver struct {
	cfg       *Config
	logger    *zap.Logger
	telemetry *metadata.TelemetryBuilder
	obsTCP    *receiverhelper.ObsReport
	obsUDP    *receiverhelper.ObsReport
	now       func() time.Time
	forget    func()

	// logs and metrics are where documents go; nil when there is no such pipeline.
	logs    consumer.Logs
	metrics consumer.Metrics
	signals int // how often Start will be called

	mu      sync.Mutex
	starts  int
	stopped bool

	listener *net.TCPListener
	packets  *net.UDPConn
	conns    map[net.Conn]struct{}
	draining bool
	deadline time.Time // of reads, when draining

	cancel  context.CancelFunc // gives up what is not delivered
	queue   *semaphore.Weighted
	workers []*worker // of TCP
	udp     *worker
	readers sync.WaitGroup
	working sync.WaitGroup
}

func newReceiver(set receiver.Settings, cfg *Config) (*emfReceiver, error) {
	tb, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	r := &emfReceiver{
		cfg: cfg, logger: set.Logger, telemetry: tb, now: time.Now, forget: func() {},
		queue: semaphore.NewWeighted(int64(cfg.QueueBytes)), conns: make(map[net.Conn]struct{}),
	}
	for transport, obs := range map[string]**receiverhelper.ObsReport{transportTCP: &r.obsTCP, transportUDP: &r.obsUDP} {
		*obs, err = receiverhelper.NewObsReport(receiverhelper.ObsReportSettings{
			ReceiverID: set.ID, Transport: transport, LongLivedCtx: true, ReceiverCreateSettings: set,
		})
		if err != nil {
			return nil, err
		}
	}
	return r, nil
}

// Start opens the sockets when it was called for every signal: only then are all pipelines ready.
func (r *emfReceiver) Start(ctx context.Context, host component.Host) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.starts++; r.starts != r.signals {
		return nil
	}
	if err := r.listen(ctx); err != nil {
		r.close()
		return err
	}
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	r.cancel = cancel
	if r.listener != nil {
		for range r.cfg.Workers {
			r.workers = append(r.workers, r.startWorker(work, r.obsTCP))
		}
		r.readers.Go(func() { r.accept(work, host) })
	}
	if r.packets != nil {
		r.udp = r.startWorker(work, r.obsUDP)
		r.readers.Go(func() { r.readPackets(work, host) })
	}
	return nil
}

func (r *emfReceiver) listen(ctx context.Context) error {
	var lc net.ListenConfig
	if slices.Contains(r.cfg.Transports, transportTCP) {
		l, err := lc.Listen(ctx, "tcp", r.cfg.Endpoint)
		if err != nil {
			return fmt.Errorf("listen for embedded metrics: %w", err)
		}
		r.listener = l.(*net.TCPListener)
		r.logger.Info("receiving embedded metrics", zap.String("transport", transportTCP), zap.Stringer("endpoint", l.Addr()))
	}
	if slices.Contains(r.cfg.Transports, transportUDP) {
		p, err := lc.ListenPacket(ctx, "udp", r.cfg.Endpoint)
		if err != nil {
			return fmt.Errorf("listen for embedded metrics: %w", err)
		}
		r.packets = p.(*net.UDPConn)
		r.logger.Info("receiving embedded metrics", zap.String("transport", transportUDP), zap.Stringer("endpoint", p.LocalAddr()))
		if err := r.prepareUDP(); err != nil {
			return err
		}
	}
	return nil
}

// Shutdown stops the intake, reads and delivers what clients had sent, and gives up when ctx ends.
func (r *emfReceiver) Shutdown(ctx context.Context) error {
	r.mu.Lock()
	if r.stopped {
		r.mu.Unlock()
		return nil
	}
	r.stopped = true
	r.forget()
	r.draining, r.deadline = true, time.Now().Add(drainTime)
	var errs error
	if r.listener != nil {
		errs = errors.Join(errs, r.listener.SetDeadline(r.deadline))
	}
	if r.packets != nil {
		errs = errors.Join(errs, r.packets.SetReadDeadline(r.deadline))
	}
	for c := range r.conns {
		_ = c.SetReadDeadline(r.deadline) // one that is closed already needs none
	}
	r.mu.Unlock()

	if r.cancel != nil {
		stop := context.AfterFunc(ctx, r.cancel)
		r.readers.Wait()
		for _, w := range r.workers {
			close(w.in)
		}
		if r.udp != nil {
			close(r.udp.in)
		}
		r.working.Wait()
		stop()
		r.cancel()
	}
	r.telemetry.Shutdown()
	if r.listener != nil {
		errs = errors.Join(errs, r.listener.Close())
	}
	if r.packets != nil {
		errs = errors.Join(errs, r.packets.Close())
	}
	return errs
}

// close closes the sockets of a failed start.
func (r *emfReceiver) close() {
	if r.listener != nil {
		_ = r.listener.Close()
		r.listener = nil
	}
	if r.packets != nil {
		_ = r.packets.Close()
		r.packets = nil
	}
}

func (r *emfReceiver) reject(ctx context.Context, reason string, documents int) {
	if documents == 0 {
		return
	}
	r.telemetry.ReceiverAwsemfRejectedDocuments.Add(ctx, int64(documents),
		metric.WithAttributes(attribute.String("reason", reason)))
	r.logger.Debug("documents rejected", zap.String("reason", reason), zap.Int("documents", documents))
}

// fail reports that a socket died.
func (r *emfReceiver) fail(host component.Host, err error) {
	r.logger.Error("embedded metrics are not received any more", zap.Error(err))
	componentstatus.ReportStatus(host, componentstatus.NewFatalErrorEvent(err))
}

// enqueue hands text that was read to a worker. It waits while the queue is full, so that nothing more is read.
func (r *emfReceiver) enqueue(ctx context.Context, w *worker, text, peer string) {
	weight := min(int64(len(text)), int64(r.cfg.QueueBytes))
	if r.queue.Acquire(ctx, weight) != nil {
		r.reject(context.WithoutCancel(ctx), reasonShutdown, countLines(text))
		return
	}
	select {
	case w.in <- chunk{text: text, peer: peer, weight: weight}:
	case <-ctx.Done():
		r.queue.Release(weight)
		r.reject(context.WithoutCancel(ctx), reasonShutdown, countLines(text))
	}
}
