// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awscloudwatchexporter

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/resourcetotelemetry"

	"github.com/nephoscope/nephoscope/exporter/awscloudwatchexporter/internal/metadata"
	"github.com/nephoscope/nephoscope/internal/awssession"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// NewFactory returns the factory of the AWS CloudWatch exporter.
func NewFactory() exporter.Factory {
	return exporter.NewFactory(metadata.Type, createDefaultConfig,
		exporter.WithMetrics(createMetrics, metadata.MetricsStability))
}

func createDefaultConfig() component.Config {
	retry := configretry.NewDefaultBackOffConfig()
	retry.MaxElapsedTime = 0 // CloudWatch takes data of two weeks; the queue bounds what waits
	return &Config{
		AWS:                 awssession.NewDefaultConfig(),
		Namespace:           cloudwatch.DefaultNamespaceTemplate,
		StorageResolution:   60,
		AggregationInterval: time.Minute,
		AggregationDelay:    5 * time.Second,
		AggregateAs:         aggregateValues,
		MaxSeries:           cloudwatch.DefaultMaxSeries,
		MaxDatumsPerCall:    maxDataPerRequest,
		MaxValuesPerDatum:   maxValuesPerDatum,
		TimeoutConfig:       exporterhelper.TimeoutConfig{Timeout: time.Minute},
		RetryConfig:         retry,
		QueueConfig:         configoptional.Default(exporterhelper.NewDefaultQueueConfig()),
	}
}

func createMetrics(ctx context.Context, set exporter.Settings, cfg component.Config) (exporter.Metrics, error) {
	c := cfg.(*Config)
	e, err := newExporter(set, c)
	if err != nil {
		return nil, err
	}
	// What the queue holds is aggregated data.
	e.next, err = exporterhelper.NewMetrics(ctx, set, cfg, e.push,
		exporterhelper.WithTimeout(c.TimeoutConfig),
		exporterhelper.WithRetry(c.RetryConfig),
		exporterhelper.WithQueue(c.queue()),
	)
	if err != nil {
		return nil, err
	}
	return resourcetotelemetry.WrapMetricsExporter(c.ResourceToTelemetrySettings, e), nil
}

// queue is the queue that is configured, or, when there is an interval to aggregate, one that is durable as the interval's
// own data are.
func (c *Config) queue() configoptional.Optional[exporterhelper.QueueBatchConfig] {
	if c.AggregationInterval == 0 {
		return c.QueueConfig
	}
	q := exporterhelper.NewDefaultQueueConfig()
	if c.QueueConfig.HasValue() {
		q = *c.QueueConfig.Get()
	}
	if q.StorageID == nil {
		q.StorageID = c.Storage
	}
	return configoptional.Some(q)
}
