// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsemfreceiver

import (
	"context"
	"runtime"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"

	"github.com/nephoscope/nephoscope/receiver/awsemfreceiver/internal/metadata"
)

// NewFactory returns the factory of the EMF receiver.
func NewFactory() receiver.Factory {
	var f factory
	return receiver.NewFactory(metadata.Type, createDefaultConfig,
		receiver.WithLogs(f.createLogs, metadata.LogsStability),
		receiver.WithMetrics(f.createMetrics, metadata.MetricsStability),
	)
}

func createDefaultConfig() component.Config {
	retry := configretry.NewDefaultBackOffConfig()
	retry.InitialInterval = 100 * time.Millisecond
	retry.MaxInterval = 5 * time.Second
	return &Config{
		Endpoint:           "127.0.0.1:25888",
		Transports:         []string{transportTCP, transportUDP},
		LogGroupName:       "/metrics/default",
		ErrorMetrics:       true,
		MaxLineBytes:       1 << 20,
		MaxConnections:     512,
		LineTimeout:        30 * time.Second,
		UDPReadBufferBytes: 4 << 20,
		Workers:            min(runtime.GOMAXPROCS(0), 4),
		MaxBatchDocuments:  1000,
		QueueBytes:         32 << 20,
		RetryConfig:        retry,
	}
}

// factory makes one receiver of a configuration for logs and metrics: they share the sockets.
type factory struct {
	shared registry
}

func (f *factory) createLogs(
	_ context.Context, set receiver.Settings, cfg component.Config, next consumer.Logs,
) (receiver.Logs, error) {
	r, err := f.shared.get(set, cfg.(*Config))
	if err != nil {
		return nil, err
	}
	r.logs = next
	return r, nil
}

func (f *factory) createMetrics(
	_ context.Context, set receiver.Settings, cfg component.Config, next consumer.Metrics,
) (receiver.Metrics, error) {
	r, err := f.shared.get(set, cfg.(*Config))
	if err != nil {
		return nil, err
	}
	r.metrics = next
	return r, nil
}
