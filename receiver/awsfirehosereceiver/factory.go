// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsfirehosereceiver

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"

	"github.com/nephoscope/nephoscope/receiver/awsfirehosereceiver/internal/metadata"
)

// NewFactory returns the factory of the Firehose receiver.
func NewFactory() receiver.Factory {
	return receiver.NewFactory(metadata.Type, createDefaultConfig, receiver.WithMetrics(createMetrics, metadata.MetricsStability))
}

func createDefaultConfig() component.Config {
	cfg := &Config{HTTP: confighttp.NewDefaultServerConfig()}
	cfg.HTTP.NetAddr.Endpoint = "localhost:4433"
	return cfg
}

func createMetrics(_ context.Context, set receiver.Settings, cfg component.Config, next consumer.Metrics) (receiver.Metrics, error) {
	return newReceiver(set, cfg.(*Config), next)
}
