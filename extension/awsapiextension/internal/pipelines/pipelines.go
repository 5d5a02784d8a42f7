// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package pipelines holds the consumers that receivers registered with the extension, and hands them what AWS
// clients write.
package pipelines

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// Signal names a kind of telemetry.
type Signal string

// The signals.
const (
	SignalLogs    Signal = "logs"
	SignalMetrics Signal = "metrics"
	SignalTraces  Signal = "traces"
)

// Outcome says how a pipeline took what it was given.
type Outcome string

// The outcomes.
const (
	OutcomeAccepted         Outcome = "accepted"
	OutcomeRefusedRetryable Outcome = "refused_retryable"
	OutcomeRefusedPermanent Outcome = "refused_permanent"
	OutcomeNoPipeline       Outcome = "no_pipeline"
)

// NoPipelineError says that no receiver takes a signal.
type NoPipelineError struct {
	Signal Signal
}

func (e *NoPipelineError) Error() string {
	return fmt.Sprintf("nothing takes %[1]s: add the receiver aws_api to a %[1]s pipeline of the collector", e.Signal)
}

// Registry holds at most one consumer per signal.
type Registry struct {
	logs    slot[consumer.Logs]
	metrics slot[consumer.Metrics]
	traces  slot[consumer.Traces]
	observe func(ctx context.Context, signal Signal, outcome Outcome, items int)
}

// NewRegistry returns an empty registry. observe is told of every write.
func NewRegistry(observe func(ctx context.Context, signal Signal, outcome Outcome, items int)) *Registry {
	return &Registry{observe: observe}
}

// Unregister takes a consumer out of the registry and returns when its last write has ended, or when ctx is done.
type Unregister = func(ctx context.Context) error

// RegisterLogs makes c take the log events that clients put.
func (r *Registry) RegisterLogs(c consumer.Logs) (Unregister, error) {
	return r.logs.register(SignalLogs, c)
}

// RegisterMetrics makes c take the metric data that clients put.
func (r *Registry) RegisterMetrics(c consumer.Metrics) (Unregister, error) {
	return r.metrics.register(SignalMetrics, c)
}

// RegisterTraces makes c take the segments that clients put.
func (r *Registry) RegisterTraces(c consumer.Traces) (Unregister, error) {
	return r.traces.register(SignalTraces, c)
}

// ConsumeLogs hands ld to the logs pipelines and waits for them.
func (r *Registry) ConsumeLogs(ctx context.Context, ld plog.Logs) error {
	n := ld.LogRecordCount() // before the pipeline owns it
	err := r.logs.with(SignalLogs, func(c consumer.Logs) error { return c.ConsumeLogs(ctx, ld) })
	r.observe(ctx, SignalLogs, outcome(err), n)
	return err
}

// ConsumeMetrics hands md to the metrics pipelines and waits for them.
func (r *Registry) ConsumeMetrics(ctx context.Context, md pmetric.Metrics) error {
	n := md.DataPointCount()
	err := r.metrics.with(SignalMetrics, func(c consumer.Metrics) error { return c.ConsumeMetrics(ctx, md) })
	r.observe(ctx, SignalMetrics, outcome(err), n)
	return err
}

// ConsumeTraces hands td to the traces pipelines and waits for them.
func (r *Registry) ConsumeTraces(ctx context.Context, td ptrace.Traces) error {
	n := td.SpanCount()
	err := r.traces.with(SignalTraces, func(c consumer.Traces) error { return c.ConsumeTraces(ctx, td) })
	r.observe(ctx, SignalTraces, outcome(err), n)
	return err
}

func outcome(err error) Outcome {
	var none *NoPipelineError
	switch {
	case err == nil:
		return OutcomeAccepted
	case errors.As(err, &none):
		return OutcomeNoPipeline
	case consumererror.IsPermanent(err):
		return OutcomeRefusedPermanent
	}
	return OutcomeRefusedRetryable
}

// slot is the place of one consumer. The receiver that registered it may not return from its Shutdown while a
// call is under way, hence the count.
type slot[C any] struct {
	mu       sync.Mutex
	consumer *C
	inflight *sync.WaitGroup
}

func (s *slot[C]) register(signal Signal, c C) (Unregister, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.consumer != nil {
		return nil, fmt.Errorf(
			"another aws_api receiver takes %s from this extension: use one receiver in all pipelines, or one extension each", signal)
	}
	s.consumer, s.inflight = &c, &sync.WaitGroup{}
	mine := s.consumer
	inflight := s.inflight
	return func(ctx context.Context) error {
		s.mu.Lock()
		if s.consumer == mine {
			s.consumer, s.inflight = nil, nil
		}
		s.mu.Unlock()
		done := make(chan struct{})
		go func() {
			inflight.Wait()
			close(done)
		}()
		select {
		case <-done:
			return nil
		case <-ctx.Done():
			return fmt.Errorf("wait for %s writes to end: %w", signal, ctx.Err())
		}
	}, nil
}

func (s *slot[C]) with(signal Signal, call func(C) error) error {
	s.mu.Lock()
	c, inflight := s.consumer, s.inflight
	if c == nil {
		s.mu.Unlock()
		return &NoPipelineError{Signal: signal}
	}
	inflight.Add(1)
	s.mu.Unlock()
	defer inflight.Done()
	return call(*c)
}
