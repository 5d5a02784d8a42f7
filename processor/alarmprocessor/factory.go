// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarmprocessor

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/processor"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
	"github.com/nephoscope/nephoscope/processor/alarmprocessor/internal/metadata"
)

// NewFactory makes the factory of the alarm processor.
func NewFactory() processor.Factory {
	return processor.NewFactory(metadata.Type, createDefaultConfig, processor.WithMetrics(createMetrics, metadata.MetricsStability))
}

func createDefaultConfig() component.Config {
	return &Config{
		Alarm:     component.NewID(metadata.Type),
		AccountID: "000000000000",
		Region:    "us-east-1",
		Metrics:   MetricsConfig{Namespace: cloudwatch.DefaultNamespaceTemplate},
	}
}

func createMetrics(
	_ context.Context, set processor.Settings, cfg component.Config, next consumer.Metrics,
) (processor.Metrics, error) {
	return newProcessor(set, cfg.(*Config), next)
}
