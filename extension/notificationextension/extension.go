// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package notificationextension

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"

	"github.com/nephoscope/nephoscope/internal/actions"
	"github.com/nephoscope/nephoscope/internal/awsservice"
	"github.com/nephoscope/nephoscope/pkg/awswire"
)

// notifications is the extension.
type notifications struct {
	cfg *Config
	set extension.Settings
	now func() time.Time
}

var (
	_ extension.Extension = (*notifications)(nil)
	_ awsservice.Provider = (*notifications)(nil)
	_ actions.Provider    = (*notifications)(nil)
)

func newExtension(set extension.Settings, cfg *Config, now func() time.Time) (*notifications, error) {
	return &notifications{cfg: cfg, set: set, now: now}, nil
}

func (*notifications) Start(context.Context, component.Host) error { return nil }

func (*notifications) Shutdown(context.Context) error { return nil }

func (*notifications) AddOperations(func(string) *awswire.Service) error { return nil }

func (*notifications) Dispatcher() actions.Dispatcher { return nil }
