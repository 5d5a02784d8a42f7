// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsapiextension

import (
	"context"

	"go.opentelemetry.io/collector/component"

	"github.com/nephoscope/nephoscope/extension/awsapiextension/internal/monitoring"
	"github.com/nephoscope/nephoscope/pkg/anomaly"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// detectorsState is the name of the storage client that keeps anomaly detectors.
const detectorsState = "anomaly_detectors"

// openDetectors returns nil when no storage is configured.
func (e *awsAPI) openDetectors(ctx context.Context, host component.Host, s *services) (*monitoring.Detectors, error) {
	client, err := e.openState(ctx, host, s, detectorsState)
	if err != nil || client == nil {
		return nil, err
	}
	d, err := monitoring.OpenDetectors(ctx, client)
	if err == nil {
		e.detectors.Store(d)
	}
	return d, err
}

var _ anomaly.Configurations = (*awsAPI)(nil)

// MetricConfig implements [anomaly.Configurations], by which the alarms' bands follow the detectors that clients put.
func (e *awsAPI) MetricConfig(t cloudwatch.Tenant, m *cloudwatch.Metric, stat string) anomaly.Config {
	if d := e.detectors.Load(); d != nil {
		return d.MetricConfig(t, m, stat)
	}
	return anomaly.Config{}
}

// ExpressionConfig implements [anomaly.Configurations].
func (e *awsAPI) ExpressionConfig(t cloudwatch.Tenant, x *anomaly.Expression) anomaly.Config {
	if d := e.detectors.Load(); d != nil {
		return d.ExpressionConfig(t, x)
	}
	return anomaly.Config{}
}
