// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package notificationextension

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/extension"

	"github.com/nephoscope/nephoscope/extension/notificationextension/internal/metadata"
	"github.com/nephoscope/nephoscope/internal/awssession"
)

// NewFactory returns the factory of the notifications extension.
func NewFactory() extension.Factory {
	return extension.NewFactory(metadata.Type, createDefaultConfig, create, metadata.ExtensionStability)
}

func createDefaultConfig() component.Config {
	return &Config{
		Endpoint: "localhost:4567",
		Queue: QueueConfig{
			MaxItems: 100_000, MaxSize: 64 << 20, MaxConcurrent: 256, MaxConcurrentPerTarget: 8, Remember: 65_536,
		},
		Retry: RetryConfig{
			InitialInterval: time.Second, MaxInterval: 5 * time.Minute, Multiplier: 2,
			MaxElapsedTime: 24 * time.Hour, Timeout: 30 * time.Second,
		},
		DeadLetter:               DeadLetterConfig{MaxSize: 10 << 20, MaxBackups: 5},
		SNS:                      SNSConfig{MaxTopics: 100_000, MaxSubscriptions: 100_000, RetryDelayScale: 1, RequestTimeout: 15 * time.Second},
		AlertmanagerAPI:          AlertmanagerAPIConfig{Enabled: true},
		InsufficientDataSeverity: "warning",
		Forward:                  configoptional.Default(ForwardConfig{Session: awssession.NewDefaultConfig()}),
	}
}

func create(_ context.Context, set extension.Settings, cfg component.Config) (extension.Extension, error) {
	return newExtension(set, cfg.(*Config), time.Now)
}
