// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsapireceiver

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"

	"github.com/nephoscope/nephoscope/receiver/awsapireceiver/internal/metadata"
)

// NewFactory returns the factory of the AWS API receiver.
func NewFactory() receiver.Factory {
	return receiver.NewFactory(metadata.Type, createDefaultConfig,
		receiver.WithLogs(createLogs, metadata.LogsStability),
		receiver.WithMetrics(createMetrics, metadata.MetricsStability),
		receiver.WithTraces(createTraces, metadata.TracesStability),
	)
}

func createDefaultConfig() component.Config {
	return &Config{Extension: component.NewID(metadata.Type)}
}

func createLogs(
	_ context.Context, set receiver.Settings, cfg component.Config, next consumer.Logs,
) (receiver.Logs, error) {
	r, err := newReceiver(set, cfg.(*Config))
	if err != nil {
		return nil, err
	}
	r.register = func(p pipelines) (unregister, error) { return p.RegisterLogs(&logs{receiver: r, next: next}) }
	return r, nil
}

func createMetrics(
	_ context.Context, set receiver.Settings, cfg component.Config, next consumer.Metrics,
) (receiver.Metrics, error) {
	r, err := newReceiver(set, cfg.(*Config))
	if err != nil {
		return nil, err
	}
	r.register = func(p pipelines) (unregister, error) { return p.RegisterMetrics(&metrics{receiver: r, next: next}) }
	return r, nil
}

func createTraces(
	_ context.Context, set receiver.Settings, cfg component.Config, next consumer.Traces,
) (receiver.Traces, error) {
	r, err := newReceiver(set, cfg.(*Config))
	if err != nil {
		return nil, err
	}
	r.register = func(p pipelines) (unregister, error) { return p.RegisterTraces(&traces{receiver: r, next: next}) }
	return r, nil
}
