// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsemfexporter

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/resourcetotelemetry"

	"github.com/nephoscope/nephoscope/exporter/awsemfexporter/internal/metadata"
	"github.com/nephoscope/nephoscope/internal/awssession"
)

// NewFactory returns the factory of the AWS EMF exporter.
func NewFactory() exporter.Factory {
	return exporter.NewFactory(metadata.Type, createDefaultConfig,
		exporter.WithMetrics(createMetrics, metadata.MetricsStability))
}

func createDefaultConfig() component.Config {
	return &Config{
		AWS:                   awssession.NewDefaultConfig(),
		DimensionRollupOption: rollupZeroAndSingle,
		OutputDestination:     destinationCloudWatch,
		Version:               versionCurrent,
		HistogramFormat:       histogramStatistics,
		TimeoutConfig:         exporterhelper.TimeoutConfig{Timeout: time.Minute},
		RetryConfig:           configretry.NewDefaultBackOffConfig(),
		QueueConfig:           configoptional.Default(exporterhelper.NewDefaultQueueConfig()),
	}
}

func createMetrics(ctx context.Context, set exporter.Settings, cfg component.Config) (exporter.Metrics, error) {
	c := cfg.(*Config)
	e, err := newExporter(set, c)
	if err != nil {
		return nil, err
	}
	// Documents are log records, which is what the queue holds.
	e.Logs, err = exporterhelper.NewLogs(ctx, set, cfg, e.push,
		exporterhelper.WithStart(e.start),
		exporterhelper.WithShutdown(e.shutdown),
		exporterhelper.WithTimeout(c.TimeoutConfig),
		exporterhelper.WithRetry(c.RetryConfig),
		exporterhelper.WithQueue(c.QueueConfig),
	)
	if err != nil {
		return nil, err
	}
	return resourcetotelemetry.WrapMetricsExporter(c.ResourceToTelemetrySettings, e), nil
}
