// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarmextension

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensioncapabilities"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"

	"github.com/nephoscope/nephoscope/extension/alarmextension/internal/api"
	"github.com/nephoscope/nephoscope/extension/alarmextension/internal/metadata"
	"github.com/nephoscope/nephoscope/extension/alarmextension/internal/service"
	"github.com/nephoscope/nephoscope/internal/actions"
	"github.com/nephoscope/nephoscope/internal/awsservice"
	"github.com/nephoscope/nephoscope/internal/clock"
	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/pkg/alarm"
	"github.com/nephoscope/nephoscope/pkg/alarm/alarmdata"
	"github.com/nephoscope/nephoscope/pkg/alarm/definitions"
	"github.com/nephoscope/nephoscope/pkg/anomaly"
	"github.com/nephoscope/nephoscope/pkg/awswire"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// alarms is the extension. The endpoint of the AWS API, alarm processors and alarm receivers find it on the host.
type alarms struct {
	cfg       *Config
	set       extension.Settings
	clock     clock.Clock
	telemetry *metadata.TelemetryBuilder
	api       api.API

	client  storage.Client
	service atomic.Pointer[service.Service]
}

var (
	_ extension.Extension                   = (*alarms)(nil)
	_ extensioncapabilities.Dependent       = (*alarms)(nil)
	_ extensioncapabilities.PipelineWatcher = (*alarms)(nil)
	_ awsservice.Provider                   = (*alarms)(nil)
	_ awsservice.TagOwner                   = (*alarms)(nil)
)

func newExtension(set extension.Settings, cfg *Config, time clock.Clock) (*alarms, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	x := &alarms{cfg: cfg, set: set, clock: time, telemetry: telemetry}
	x.api.Service = x.service.Load
	return x, nil
}

// Dependencies are the extensions that have to be there before this one.
func (x *alarms) Dependencies() []component.ID {
	ids := []component.ID{x.cfg.Storage}
	for _, id := range []*component.ID{x.cfg.Store, x.cfg.Notifications} {
		if id != nil {
			ids = append(ids, *id)
		}
	}
	return ids
}

// Start opens what is stored and takes the definitions of files over. Nothing is evaluated before Ready. What it opened is
// closed by Shutdown, also when it fails.
func (x *alarms) Start(ctx context.Context, host component.Host) error {
	if c, ok := clock.Find(host); ok {
		x.clock = c
	}
	files := service.Files{Patterns: x.cfg.Definitions, Settings: definitions.Settings{
		Account: x.cfg.AccountID, Region: x.cfg.Region, StackName: x.cfg.CloudFormation.StackName,
		Parameters: x.cfg.CloudFormation.Parameters, Variables: x.cfg.Terraform.Variables,
		VariableFiles: x.cfg.Terraform.VariableFiles, Values: x.cfg.DeployedValues,
	}}
	wanted, err := files.Load()
	if err != nil {
		return fmt.Errorf("alarm definitions: %w", err)
	}
	s, err := x.open(ctx, host)
	if err != nil {
		return err
	}
	tenant := cloudwatch.Tenant{Account: x.cfg.AccountID, Region: x.cfg.Region}
	if err := s.Apply(ctx, tenant, wanted); err != nil {
		return fmt.Errorf("alarm definitions: %w", err)
	}
	if err := observe(x.telemetry, s); err != nil {
		return err
	}
	x.service.Store(s)
	x.set.Logger.Info("alarms are loaded", zap.Int("from_files", len(wanted.Alarms)))
	return nil
}

func (x *alarms) open(ctx context.Context, host component.Host) (*service.Service, error) {
	settings := service.Settings{
		MaxAlarms: x.cfg.Limits.Alarms, MaxMuteRules: x.cfg.Limits.MuteRules,
		MaxHistory: x.cfg.Limits.HistoryItems, MaxHistoryPerAlarm: x.cfg.Limits.HistoryItemsPerAlarm,
		MaxUndelivered: x.cfg.Limits.Undelivered, HistoryRetention: x.cfg.HistoryRetention,
		Clock: x.clock, Logger: x.set.Logger, Telemetry: x.telemetry,
	}
	var err error
	if x.cfg.Notifications != nil {
		if settings.Dispatcher, err = actions.Find(host, *x.cfg.Notifications); err != nil {
			return nil, err
		}
	}
	if x.cfg.Store != nil {
		reader, err := store.Find(host, *x.cfg.Store)
		if err != nil {
			return nil, err
		}
		settings.Reader = reader
		settings.Insights = &alarm.ReaderInsights{Reader: reader}
		settings.Bands = &alarmdata.Bands{Models: anomaly.NewModels(anomaly.Settings{Reader: reader, Configurations: detectors(host)})}
	}
	ext, ok := host.GetExtensions()[x.cfg.Storage]
	if !ok {
		return nil, fmt.Errorf("extension %q not found: list it under service::extensions", x.cfg.Storage)
	}
	provider, ok := ext.(storage.Extension)
	if !ok {
		return nil, fmt.Errorf("extension %q is %T, not a storage extension", x.cfg.Storage, ext)
	}
	if x.client, err = provider.GetClient(ctx, component.KindExtension, x.set.ID, ""); err != nil {
		return nil, fmt.Errorf("open the alarms in %q: %w", x.cfg.Storage, err)
	}
	settings.Client = x.client
	s, err := service.Open(ctx, settings)
	if err != nil {
		return nil, fmt.Errorf("open the alarms in %q: %w", x.cfg.Storage, err)
	}
	return s, nil
}

// detectors returns the extension that knows how anomaly detectors are configured, nil when none does.
func detectors(host component.Host) anomaly.Configurations {
	for _, ext := range host.GetExtensions() {
		if c, ok := ext.(anomaly.Configurations); ok {
			return c
		}
	}
	return nil
}

// Ready begins to evaluate and to deliver: every processor and receiver is there by now.
func (x *alarms) Ready() error {
	s := x.service.Load()
	if s == nil {
		return nil
	}
	if err := s.Settle(context.Background()); err != nil {
		return err
	}
	s.Start()
	return nil
}

// NotReady is called before the pipelines stop. Evaluation goes on until Shutdown.
func (*alarms) NotReady() error { return nil }

// Shutdown ends what runs and gives the storage back.
func (x *alarms) Shutdown(ctx context.Context) error {
	var errs []error
	if s := x.service.Swap(nil); s != nil {
		errs = append(errs, s.Stop(ctx))
	}
	if x.client != nil {
		errs = append(errs, x.client.Close(ctx))
		x.client = nil
	}
	x.telemetry.Shutdown()
	return errors.Join(errs...)
}

// AddOperations implements [awsservice.Provider].
func (x *alarms) AddOperations(find func(signingName string) *awswire.Service) error {
	x.api.Add(find("monitoring"))
	return nil
}

// Watches is whether some alarm reads a metric of this namespace and name.
func (x *alarms) Watches(namespace, metric string) bool {
	s := x.service.Load()
	return s != nil && s.Watches(namespace, metric)
}

// Observe shows data to the alarms.
func (x *alarms) Observe(t cloudwatch.Tenant, data []cloudwatch.Datum) {
	if s := x.service.Load(); s != nil {
		s.Observe(t, data)
	}
}

// Alarm returns the alarm of a name, for those that draw alarms.
func (x *alarms) Alarm(t cloudwatch.Tenant, name string) (alarm.View, bool) {
	s := x.service.Load()
	if s == nil {
		return alarm.View{}, false
	}
	return s.Engine().Alarm(t, name)
}

// errNotRunning is of a receiver that starts before the extension or after it has stopped.
var errNotRunning = errors.New("the alarm extension is not running")

// RegisterEvents makes c take what happens to alarms. The returned function ends that.
func (x *alarms) RegisterEvents(c consumer.Logs) (func(context.Context) error, error) {
	s := x.service.Load()
	if s == nil {
		return nil, errNotRunning
	}
	return s.RegisterEvents(c)
}

// ListTags implements [awsservice.TagOwner].
func (x *alarms) ListTags(ctx context.Context, arn string) ([]awsservice.Tag, error) {
	return x.api.ListTags(ctx, arn)
}

// AddTags implements [awsservice.TagOwner].
func (x *alarms) AddTags(ctx context.Context, arn string, tags []awsservice.Tag) error {
	return x.api.AddTags(ctx, arn, tags)
}

// RemoveTags implements [awsservice.TagOwner].
func (x *alarms) RemoveTags(ctx context.Context, arn string, keys []string) error {
	return x.api.RemoveTags(ctx, arn, keys)
}
