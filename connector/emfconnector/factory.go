// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package emfconnector

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"

	"github.com/nephoscope/nephoscope/connector/emfconnector/internal/metadata"
)

// NewFactory returns the factory of the EMF connector.
func NewFactory() connector.Factory {
	return connector.NewFactory(metadata.Type, createDefaultConfig,
		connector.WithLogsToMetrics(createLogsToMetrics, metadata.LogsToMetricsStability))
}

func createDefaultConfig() component.Config {
	return &Config{ErrorMetrics: true, PrefixedLogGroups: []string{"/aws/lambda/"}}
}

func createLogsToMetrics(
	_ context.Context, set connector.Settings, cfg component.Config, next consumer.Metrics,
) (connector.Logs, error) {
	return newConnector(set, cfg.(*Config), next)
}
