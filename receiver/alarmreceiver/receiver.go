// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarmreceiver

import (
	"context"
	"fmt"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"

	"github.com/nephoscope/nephoscope/receiver/alarmreceiver/internal/metadata"
)

// source is what the alarm extension does for its receivers.
type source interface {
	// RegisterEvents makes c take what happens to alarms. An error of c has the same events come again, but one that is
	// permanent. The returned function ends that, and returns when the last call of c has ended, or with its context.
	RegisterEvents(c consumer.Logs) (func(ctx context.Context) error, error)
}

const (
	transport = "internal"
	format    = "eventbridge"
)

type alarmReceiver struct {
	extension  component.ID
	obs        *receiverhelper.ObsReport
	next       consumer.Logs
	unregister func(ctx context.Context) error
}

func newReceiver(set receiver.Settings, cfg *Config, next consumer.Logs) (*alarmReceiver, error) {
	obs, err := receiverhelper.NewObsReport(receiverhelper.ObsReportSettings{
		ReceiverID: set.ID, Transport: transport, ReceiverCreateSettings: set,
	})
	if err != nil {
		return nil, err
	}
	return &alarmReceiver{extension: cfg.Alarm, obs: obs, next: next}, nil
}

// Start registers the receiver with its extension.
func (r *alarmReceiver) Start(_ context.Context, host component.Host) error {
	ext, ok := host.GetExtensions()[r.extension]
	if !ok {
		return fmt.Errorf("extension %q not found: list it under service::extensions", r.extension)
	}
	s, ok := ext.(source)
	if !ok {
		return fmt.Errorf("extension %q is %T, not an extension of type %s", r.extension, ext, metadata.Type)
	}
	var err error
	r.unregister, err = s.RegisterEvents(r)
	return err
}

// Shutdown ends the registration. Events that come later wait for the next start.
func (r *alarmReceiver) Shutdown(ctx context.Context) error {
	if r.unregister == nil {
		return nil
	}
	end := r.unregister
	r.unregister = nil
	return end(ctx)
}

// Capabilities implements [consumer.Logs].
func (*alarmReceiver) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

// ConsumeLogs counts what passes, as every receiver does.
func (r *alarmReceiver) ConsumeLogs(ctx context.Context, ld plog.Logs) error {
	n := ld.LogRecordCount()
	ctx = r.obs.StartLogsOp(ctx)
	err := r.next.ConsumeLogs(ctx, ld)
	r.obs.EndLogsOp(ctx, format, n, err)
	return err
}
