// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsapitest

import (
	"context"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
)

// fanout gives logs to both consumers, which do not change them.
type fanout struct{ first, second consumer.Logs }

func (fanout) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (f fanout) ConsumeLogs(ctx context.Context, ld plog.Logs) error {
	if err := f.first.ConsumeLogs(ctx, ld); err != nil {
		return err
	}
	return f.second.ConsumeLogs(ctx, ld)
}
