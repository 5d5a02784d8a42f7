// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarmextension

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/nephoscope/nephoscope/extension/alarmextension/internal/journal"
	"github.com/nephoscope/nephoscope/extension/alarmextension/internal/metadata"
	"github.com/nephoscope/nephoscope/extension/alarmextension/internal/service"
)

// observe registers what is read when metrics are collected.
func observe(builder *metadata.TelemetryBuilder, s *service.Service) error {
	err := builder.RegisterExtensionAlarmAlarmsCallback(func(_ context.Context, o metric.Int64Observer) error {
		for state, n := range s.States() {
			o.Observe(n, metric.WithAttributes(attribute.String("state", string(state))))
		}
		return nil
	})
	if err != nil {
		return err
	}
	return builder.RegisterExtensionAlarmUndeliveredCallback(func(_ context.Context, o metric.Int64Observer) error {
		for _, sink := range []journal.Sink{journal.SinkActions, journal.SinkEvents} {
			o.Observe(s.Undelivered(sink), metric.WithAttributes(attribute.String("sink", sink.String())))
		}
		return nil
	})
}
