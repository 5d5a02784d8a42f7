// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package storeextension

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/nephoscope/nephoscope/extension/storeextension/internal/metadata"
	"github.com/nephoscope/nephoscope/internal/store/duckdb"
)

// telemetry turns what the engine tells into the extension's metrics.
type telemetry struct {
	builder *metadata.TelemetryBuilder
	signals map[string]signalAttributes
}

// signalAttributes are made once, for commits are many.
type signalAttributes struct {
	signal, kept, failed metric.MeasurementOption
}

var _ duckdb.Observer = (*telemetry)(nil)

func newTelemetry(builder *metadata.TelemetryBuilder) *telemetry {
	t := &telemetry{builder: builder, signals: map[string]signalAttributes{}}
	for _, name := range []string{"logs", "metrics", "traces"} {
		signal := attribute.String("signal", name)
		t.signals[name] = signalAttributes{
			signal: metric.WithAttributeSet(attribute.NewSet(signal)),
			kept:   metric.WithAttributeSet(attribute.NewSet(signal, attribute.String("outcome", "kept"))),
			failed: metric.WithAttributeSet(attribute.NewSet(signal, attribute.String("outcome", "failed"))),
		}
	}
	return t
}

// observe registers what is read when metrics are collected.
func (t *telemetry) observe(engine *duckdb.Engine) error {
	for _, register := range []func() error{
		func() error {
			return t.builder.RegisterExtensionStoreDiskSizeCallback(func(_ context.Context, o metric.Int64Observer) error {
				n, err := engine.DiskBytes()
				if err == nil {
					o.Observe(n)
				}
				return err
			})
		},
		func() error {
			return t.builder.RegisterExtensionStoreQueueRowsCallback(func(_ context.Context, o metric.Int64Observer) error {
				rows, _ := engine.Queued()
				o.Observe(rows)
				return nil
			})
		},
		func() error {
			return t.builder.RegisterExtensionStoreQueueSizeCallback(func(_ context.Context, o metric.Int64Observer) error {
				_, bytes := engine.Queued()
				o.Observe(bytes)
				return nil
			})
		},
	} {
		if err := register(); err != nil {
			return err
		}
	}
	return nil
}

func (t *telemetry) shutdown() { t.builder.Shutdown() }

// Committed implements [duckdb.Observer].
func (t *telemetry) Committed(signal string, rows int, took time.Duration, err error) {
	ctx := context.Background()
	a := t.signals[signal]
	if err != nil {
		t.builder.ExtensionStoreCommitDuration.Record(ctx, took.Seconds(), a.failed)
		return
	}
	t.builder.ExtensionStoreCommitDuration.Record(ctx, took.Seconds(), a.kept)
	t.builder.ExtensionStoreRowsWritten.Add(ctx, int64(rows), a.signal)
}

// Refused implements [duckdb.Observer].
func (t *telemetry) Refused(signal string, rows int) {
	t.builder.ExtensionStoreRowsRefused.Add(context.Background(), int64(rows), t.signals[signal].signal)
}
