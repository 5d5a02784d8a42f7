// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsapiextension

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"

	"github.com/nephoscope/nephoscope/extension/awsapiextension/internal/metadata"
)

// NewFactory returns the factory of the AWS API extension.
func NewFactory() extension.Factory {
	return extension.NewFactory(metadata.Type, createDefaultConfig, create, metadata.ExtensionStability)
}

func createDefaultConfig() component.Config {
	return &Config{
		Endpoint:  "127.0.0.1:4566",
		AccountID: "000000000000",
		Region:    "us-east-1",
		Auth:      AuthConfig{Mode: AuthModeOff},
		// A collector's metrics of a minute have come when the next one is over.
		MetricStreams: MetricStreamsConfig{Delay: time.Minute},
		// PutTraceSegments may carry 50 documents of 64 KB, PutLogEvents 1 MB of messages, which JSON may escape to
		// several times that.
		MaxRequestBodySize:    16 << 20,
		MaxConcurrentRequests: 256,
		ReadHeaderTimeout:     10 * time.Second,
		ReadTimeout:           time.Minute,
		WriteTimeout:          2 * time.Minute,
		IdleTimeout:           2 * time.Minute,
	}
}

func create(_ context.Context, set extension.Settings, cfg component.Config) (extension.Extension, error) {
	return newExtension(set, cfg.(*Config), time.Now)
}
