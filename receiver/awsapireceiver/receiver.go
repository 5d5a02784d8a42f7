// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsapireceiver

import (
	"context"
	"fmt"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"

	"github.com/nephoscope/nephoscope/receiver/awsapireceiver/internal/metadata"
)

// unregister ends a registration, and returns when the last call of the registered consumer has ended.
type unregister = func(ctx context.Context) error

// pipelines is what the AWS API extension does for its receivers.
type pipelines interface {
	RegisterLogs(consumer.Logs) (func(ctx context.Context) error, error)
	RegisterMetrics(consumer.Metrics) (func(ctx context.Context) error, error)
	RegisterTraces(consumer.Traces) (func(ctx context.Context) error, error)
}

const (
	transport = "http"
	format    = "aws"
)

// awsReceiver takes one signal. The signals have no state in common: what they share, the listener, is the
// extension's.
type awsReceiver struct {
	extension  component.ID
	obs        *receiverhelper.ObsReport
	register   func(pipelines) (unregister, error)
	unregister unregister
}

func newReceiver(set receiver.Settings, cfg *Config) (*awsReceiver, error) {
	obs, err := receiverhelper.NewObsReport(receiverhelper.ObsReportSettings{
		ReceiverID: set.ID, Transport: transport, ReceiverCreateSettings: set,
	})
	if err != nil {
		return nil, err
	}
	return &awsReceiver{extension: cfg.Extension, obs: obs}, nil
}

// Start registers the receiver with its extension.
func (r *awsReceiver) Start(_ context.Context, host component.Host) error {
	ext, ok := host.GetExtensions()[r.extension]
	if !ok {
		return fmt.Errorf("extension %q not found: list it under service::extensions", r.extension)
	}
	p, ok := ext.(pipelines)
	if !ok {
		return fmt.Errorf("extension %q is %T, not an extension of type %s", r.extension, ext, metadata.Type)
	}
	var err error
	r.unregister, err = r.register(p)
	return err
}

// Shutdown ends the registration. Requests that come later are told that nothing takes them.
func (r *awsReceiver) Shutdown(ctx context.Context) error {
	if r.unregister == nil {
		return nil
	}
	end := r.unregister
	r.unregister = nil
	return end(ctx)
}

// The consumers that are registered count what passes, as every receiver does.

type logs struct {
	receiver *awsReceiver
	next     consumer.Logs
}

func (*logs) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (l *logs) ConsumeLogs(ctx context.Context, ld plog.Logs) error {
	n := ld.LogRecordCount()
	ctx = l.receiver.obs.StartLogsOp(ctx)
	err := l.next.ConsumeLogs(ctx, ld)
	l.receiver.obs.EndLogsOp(ctx, format, n, err)
	return err
}

type metrics struct {
	receiver *awsReceiver
	next     consumer.Metrics
}

func (*metrics) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (m *metrics) ConsumeMetrics(ctx context.Context, md pmetric.Metrics) error {
	n := md.DataPointCount()
	ctx = m.receiver.obs.StartMetricsOp(ctx)
	err := m.next.ConsumeMetrics(ctx, md)
	m.receiver.obs.EndMetricsOp(ctx, format, n, err)
	return err
}

type traces struct {
	receiver *awsReceiver
	next     consumer.Traces
}

func (*traces) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (t *traces) ConsumeTraces(ctx context.Context, td ptrace.Traces) error {
	n := td.SpanCount()
	ctx = t.receiver.obs.StartTracesOp(ctx)
	err := t.next.ConsumeTraces(ctx, td)
	t.receiver.obs.EndTracesOp(ctx, format, n, err)
	return err
}
