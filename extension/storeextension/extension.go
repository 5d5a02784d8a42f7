// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package storeextension

import (
	"context"
	"fmt"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"
	"go.uber.org/zap"

	"github.com/nephoscope/nephoscope/extension/storeextension/internal/metadata"
	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/internal/store/duckdb"
)

type storeExtension struct {
	cfg       *Config
	settings  extension.Settings
	engine    *duckdb.Engine
	telemetry *telemetry
}

var (
	_ extension.Extension = (*storeExtension)(nil)
	_ store.Provider      = (*storeExtension)(nil)
)

func newStoreExtension(set extension.Settings, cfg *Config) *storeExtension {
	return &storeExtension{cfg: cfg, settings: set}
}

// Store returns the open store, nil before Start.
func (x *storeExtension) Store() store.Store {
	if x.engine == nil {
		return nil
	}
	return x.engine
}

// Start opens the store. Extensions are started before the components that use them.
func (x *storeExtension) Start(ctx context.Context, _ component.Host) error {
	builder, err := metadata.NewTelemetryBuilder(x.settings.TelemetrySettings)
	if err != nil {
		return err
	}
	x.telemetry = newTelemetry(builder)
	engine, err := duckdb.Open(ctx, x.engineConfig())
	if err != nil {
		builder.Shutdown()
		return fmt.Errorf("open the store: %w", err)
	}
	x.engine = engine
	if err := x.telemetry.observe(engine); err != nil {
		return fmt.Errorf("observe the store: %w", err)
	}
	x.settings.Logger.Info("store is open", zap.String("directory", x.cfg.Directory))
	return nil
}

func (x *storeExtension) engineConfig() duckdb.Config {
	c := x.cfg
	cfg := duckdb.Config{
		Directory:       c.Directory,
		MemoryLimit:     c.MemoryLimitMiB << 20,
		Threads:         c.Threads,
		Retention:       duckdb.Retention{Logs: c.Retention.Logs, Metrics: c.Retention.Metrics, Traces: c.Retention.Traces},
		QueueRows:       c.Queue.Rows,
		QueueBytes:      c.Queue.SizeMiB << 20,
		MinFreeDisk:     c.MinFreeDiskMiB << 20,
		MaxOpenDays:     c.MaxOpenDays,
		MaxReads:        c.MaxConcurrentReads,
		MaxSeriesPerDay: c.MaxSeriesPerDay,
		IdleClose:       c.IdleClose,
		Logger:          x.settings.Logger,
		Observer:        x.telemetry,
	}
	if c.MinFreeDiskMiB == 0 {
		cfg.MinFreeDisk = -1
	}
	return cfg
}

// Shutdown commits what waits and closes the files.
func (x *storeExtension) Shutdown(context.Context) error {
	if x.engine == nil {
		return nil
	}
	x.telemetry.shutdown()
	return x.engine.Close()
}
