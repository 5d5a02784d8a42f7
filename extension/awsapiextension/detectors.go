// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsapiextension

import (
	"context"

	"go.opentelemetry.io/collector/component"

	"github.com/nephoscope/nephoscope/extension/awsapiextension/internal/monitoring"
)

// detectorsState is the name of the storage client that keeps anomaly detectors.
const detectorsState = "anomaly_detectors"

// openDetectors returns nil when no storage is configured.
func (e *awsAPI) openDetectors(ctx context.Context, host component.Host, s *services) (*monitoring.Detectors, error) {
	client, err := e.openState(ctx, host, s, detectorsState)
	if err != nil || client == nil {
		return nil, err
	}
	return monitoring.OpenDetectors(ctx, client)
}
