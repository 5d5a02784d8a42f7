// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package storeexporter

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/nephoscope/nephoscope/exporter/storeexporter/internal/metadata"
	"github.com/nephoscope/nephoscope/internal/store"
)

// storeExporter is what the exporters of the signals share.
type storeExporter struct {
	cfg *Config
	// rejected logs what cannot be kept, at most once a minute: the counters have the numbers.
	rejected  *zap.Logger
	telemetry *metadata.TelemetryBuilder
	now       func() time.Time
	store     store.Store
}

func newExporter(set exporter.Settings, cfg *Config) (*storeExporter, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	once := zap.WrapCore(func(c zapcore.Core) zapcore.Core {
		return zapcore.NewSamplerWithOptions(c, time.Minute, 1, 0)
	})
	return &storeExporter{cfg: cfg, rejected: set.Logger.WithOptions(once), telemetry: telemetry, now: time.Now}, nil
}

func (e *storeExporter) start(_ context.Context, host component.Host) (err error) {
	e.store, err = store.Find(host, e.cfg.Store)
	return err
}

func (e *storeExporter) shutdown(context.Context) error {
	e.telemetry.Shutdown()
	return nil
}

// passing is whether a write that failed may succeed later.
func passing(err error) bool {
	return errors.Is(err, store.ErrUnavailable) || errors.Is(err, store.ErrClosed) ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// writeError tells the pipeline what became of a write: errors that pass are to be tried again, with what partial
// makes of the rows that were not kept when some were; all others are permanent.
func writeError(err error, partial func(err error, kept []bool) error) error {
	if !passing(err) {
		return consumererror.NewPermanent(err)
	}
	var some *store.PartialWriteError
	if errors.As(err, &some) {
		return partial(err, some.Kept)
	}
	return err
}
