// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package notificationextension

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensioncapabilities"
	"go.uber.org/zap"

	"github.com/nephoscope/nephoscope/extension/notificationextension/internal/metadata"
	"github.com/nephoscope/nephoscope/extension/notificationextension/internal/topics"
	"github.com/nephoscope/nephoscope/internal/actions"
	"github.com/nephoscope/nephoscope/internal/awsservice"
	"github.com/nephoscope/nephoscope/pkg/awswire"
)

// notifications is the extension.
type notifications struct {
	cfg       *Config
	set       extension.Settings
	logger    *zap.Logger
	now       func() time.Time
	telemetry *metadata.TelemetryBuilder
	// running is what is there between Start and Shutdown.
	running atomic.Pointer[run]
}

var (
	_ extension.Extension             = (*notifications)(nil)
	_ extensioncapabilities.Dependent = (*notifications)(nil)
	_ awsservice.Provider             = (*notifications)(nil)
	_ actions.Provider                = (*notifications)(nil)
	_ actions.Dispatcher              = (*notifications)(nil)
)

func newExtension(set extension.Settings, cfg *Config, now func() time.Time) (*notifications, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	return &notifications{cfg: cfg, set: set, logger: set.Logger, now: now, telemetry: telemetry}, nil
}

// Dependencies are the extensions that have to be there before this one.
func (e *notifications) Dependencies() []component.ID {
	if e.cfg.Storage == nil {
		return nil
	}
	return []component.ID{*e.cfg.Storage}
}

// Start reads what is kept, opens the port and begins to deliver.
func (e *notifications) Start(ctx context.Context, host component.Host) error {
	r, err := e.open(ctx, host)
	if err != nil {
		return errors.Join(err, r.close(ctx))
	}
	if err := e.observeQueue(r.queue); err != nil {
		return errors.Join(err, r.close(ctx))
	}
	e.running.Store(r)
	if err := r.start(host); err != nil {
		e.running.Store(nil)
		return errors.Join(err, r.close(ctx))
	}
	e.logger.Info("notifications started", zap.String("endpoint", r.server.address()), zap.String("external_url", r.url("{region}")))
	return nil
}

// Shutdown ends what is under way. What was not delivered is kept.
func (e *notifications) Shutdown(ctx context.Context) error {
	defer e.telemetry.Shutdown()
	return e.running.Swap(nil).close(ctx)
}

// AddOperations adds the operations of SNS to the AWS endpoint.
func (e *notifications) AddOperations(find func(string) *awswire.Service) error {
	topics.AddOperations(find("sns"), e.topics)
	return nil
}

// topics is nil while the extension does not run.
func (e *notifications) topics() *topics.Service {
	if r := e.running.Load(); r != nil {
		return r.topics
	}
	return nil
}

// Dispatcher is what alarms hand their actions to.
func (e *notifications) Dispatcher() actions.Dispatcher { return e }

// Endpoint is the address that is listened on, "" while the extension does not run.
func (e *notifications) Endpoint() string {
	if r := e.running.Load(); r != nil {
		return r.server.address()
	}
	return ""
}
