// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarmprocessor

import (
	"go.opentelemetry.io/collector/component"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// testHost has extensions of the given names.
type testHost map[component.ID]component.Component

func (h testHost) GetExtensions() map[component.ID]component.Component { return h }

func newTestHost() component.Host {
	return testHost{component.MustNewID("alarm"): &testAlarms{}}
}

// testAlarms watches some metrics and keeps what it is shown.
type testAlarms struct {
	component.StartFunc
	component.ShutdownFunc

	watched map[[2]string]bool
	seen    []cloudwatch.Batch
}

func (a *testAlarms) Watches(namespace, metric string) bool {
	return a.watched[[2]string{namespace, metric}]
}

func (a *testAlarms) Observe(t cloudwatch.Tenant, data []cloudwatch.Datum) {
	a.seen = append(a.seen, cloudwatch.Batch{Account: t.Account, Region: t.Region, Data: data})
}

// discard keeps nothing of what it is shown.
type discard struct{ testAlarms }

func (*discard) Observe(cloudwatch.Tenant, []cloudwatch.Datum) {}
