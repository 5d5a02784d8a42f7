// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsapiextension

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensioncapabilities"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"

	"github.com/nephoscope/nephoscope/extension/awsapiextension/internal/metadata"
	"github.com/nephoscope/nephoscope/extension/awsapiextension/internal/monitoring"
	"github.com/nephoscope/nephoscope/extension/awsapiextension/internal/pipelines"
	"github.com/nephoscope/nephoscope/internal/residency"
)

// awsAPI is the extension. Receivers find it on the host and register with it what takes each signal.
type awsAPI struct {
	cfg       *Config
	set       extension.Settings
	logger    *zap.Logger
	now       func() time.Time
	telemetry *metadata.TelemetryBuilder
	pipelines *pipelines.Registry
	services  *services
	// detectors are nil until the services are open.
	detectors atomic.Pointer[monitoring.Detectors]
	server    *server
	settle    *time.Timer
}

// settleTime is how long after everything is ready the components are done with what they do at first.
const settleTime = 2 * time.Second

var (
	_ extension.Extension                   = (*awsAPI)(nil)
	_ extensioncapabilities.Dependent       = (*awsAPI)(nil)
	_ extensioncapabilities.PipelineWatcher = (*awsAPI)(nil)
)

func newExtension(set extension.Settings, cfg *Config, now func() time.Time) (*awsAPI, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	e := &awsAPI{cfg: cfg, set: set, logger: set.Logger, now: now, telemetry: telemetry}
	e.pipelines = pipelines.NewRegistry(e.observeWrite)
	return e, nil
}

// Dependencies are the extensions that have to be there before this one.
func (e *awsAPI) Dependencies() []component.ID {
	var ids []component.ID
	for _, id := range []*component.ID{e.cfg.Store, e.cfg.Storage} {
		if id != nil {
			ids = append(ids, *id)
		}
	}
	return ids
}

// Start opens the services and the port; requests wait until Ready. What it opened is closed by Shutdown, also when it
// fails.
func (e *awsAPI) Start(ctx context.Context, host component.Host) error {
	services, err := e.openServices(ctx, host)
	if err != nil {
		return err
	}
	e.services = services
	handler, err := e.newHandler(services.wire)
	if err != nil {
		return err
	}
	srv := &server{cfg: e.cfg, logger: e.logger, handler: handler}
	if err := srv.listen(ctx, host); err != nil {
		return fmt.Errorf("listen on %s: %w", e.cfg.Endpoint, err)
	}
	e.server = srv
	return nil
}

// Ready begins to answer: every receiver has registered by now, so that no client meets a collector that is half there.
func (e *awsAPI) Ready() error {
	if e.server != nil {
		e.server.serve()
	}
	e.settle = time.AfterFunc(settleTime, func() {
		if err := residency.ReleaseText(); err != nil {
			e.logger.Debug("mapped code was not released", zap.Error(err))
		}
	})
	return nil
}

// NotReady is called before the receivers stop. Requests go on being answered: a write without a pipeline is refused.
func (*awsAPI) NotReady() error { return nil }

// Shutdown stops taking requests, lets those under way end, and closes the services.
func (e *awsAPI) Shutdown(ctx context.Context) error {
	var errs []error
	if e.settle != nil {
		e.settle.Stop()
	}
	if e.server != nil {
		errs = append(errs, e.server.shutdown(ctx))
		e.server = nil
	}
	if e.services != nil {
		errs = append(errs, e.services.close(ctx))
		e.services = nil
	}
	e.telemetry.Shutdown()
	return errors.Join(errs...)
}

// RegisterLogs makes c take the log events that clients put. The returned function ends that; it returns when the
// last write has ended, or when its context is done.
func (e *awsAPI) RegisterLogs(c consumer.Logs) (func(context.Context) error, error) {
	return e.pipelines.RegisterLogs(c)
}

// RegisterMetrics is RegisterLogs for metric data.
func (e *awsAPI) RegisterMetrics(c consumer.Metrics) (func(context.Context) error, error) {
	return e.pipelines.RegisterMetrics(c)
}

// RegisterTraces is RegisterLogs for segments.
func (e *awsAPI) RegisterTraces(c consumer.Traces) (func(context.Context) error, error) {
	return e.pipelines.RegisterTraces(c)
}

// consumeLogs hands log events to the pipelines; its errors are those that clients are told.
func (e *awsAPI) consumeLogs(ctx context.Context, ld plog.Logs) error {
	return pipelines.AWSError(e.pipelines.ConsumeLogs(ctx, ld))
}

// Endpoint is the address that is listened on, "" before Start.
func (e *awsAPI) Endpoint() string {
	if e.server == nil {
		return ""
	}
	return e.server.address()
}
