// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsxrayreceiver

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"

	"github.com/nephoscope/nephoscope/receiver/awsxrayreceiver/internal/metadata"
)

// NewFactory returns the factory of the X-Ray receiver.
func NewFactory() receiver.Factory {
	return receiver.NewFactory(metadata.Type, createDefaultConfig, receiver.WithTraces(createTraces, metadata.TracesStability))
}

func createDefaultConfig() component.Config {
	return &Config{
		Endpoint:  "127.0.0.1:2000",
		Transport: "udp",
		ProxyServer: ProxyConfig{
			Endpoint:           "127.0.0.1:2000",
			MaxRequestBodySize: 8 << 20,
			MaxConnections:     1024,
		},
		AccountID:        "000000000000",
		Region:           "us-east-1",
		Readers:          2,
		SocketBufferSize: 8 << 20,
		QueueSize:        20_000,
		QueueBytes:       64 << 20,
		BatchSize:        512,
		FlushInterval:    100 * time.Millisecond,
		Consumers:        8,
	}
}

func createTraces(_ context.Context, set receiver.Settings, cfg component.Config, next consumer.Traces) (receiver.Traces, error) {
	return newReceiver(set, cfg.(*Config), next)
}
