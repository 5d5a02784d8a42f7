// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package monitoring

import (
	"context"
	"crypto/sha256"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/nephoscope/nephoscope/extension/awsapiextension/internal/objects"
	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/pkg/anomaly"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// maxDetectors bounds what is kept, over all accounts.
const maxDetectors = 10_000

// Detectors are the anomaly detectors that clients put: how the models of their metrics are to be trained. They outlive
// the process.
type Detectors struct {
	table *objects.Table[detector]
	zones sync.Map // of names that were found, which the database of time zones bounds
}

// OpenDetectors loads the detectors.
func OpenDetectors(ctx context.Context, client storage.Client) (*Detectors, error) {
	table, err := objects.Open(ctx, client, "anomaly-detectors", (*detector).key)
	if err != nil {
		return nil, fmt.Errorf("open anomaly detectors: %w", err)
	}
	return &Detectors{table: table}, nil
}

// detector is one anomaly detector. It is of a metric or of the expression of a request.
type detector struct {
	Account, Region string
	// Of tells the detectors of a tenant apart.
	Of string
	ID string
	// Put is when it was put last, in Unix milliseconds.
	Put int64

	Metric     *cloudwatch.Metric `json:",omitempty"`
	Stat       string             `json:",omitempty"`
	Expression *expressionQueries `json:",omitempty"`

	Excluded       []anomaly.Range `json:",omitempty"`
	Timezone       *string         `json:",omitempty"`
	Adaptation     string          `json:",omitempty"`
	Filtering      string          `json:",omitempty"`
	PeriodicSpikes *bool           `json:",omitempty"`
}

// expressionQueries are the queries of a detector as they were put.
type expressionQueries struct {
	Queries []types.MetricDataQuery
}

func detectorKey(t store.Tenant, of string) string { return t.Account + "|" + t.Region + "|" + of }

func (d *detector) tenant() store.Tenant { return store.Tenant{Account: d.Account, Region: d.Region} }
func (d *detector) key() string          { return detectorKey(d.tenant(), d.Of) }

// detectorOfMetric and detectorOfExpression are the parts of a key behind the tenant.
func detectorOfMetric(m *cloudwatch.Metric, stat string) string {
	return "metric|" + stat + "|" + string(m.AppendKey(nil))
}

func detectorOfExpression(x *anomaly.Expression) string { return "expression|" + x.String() }

// detectorID has the form of a UUID. A detector that is put again keeps it.
func detectorID(key string) string {
	sum := sha256.Sum256([]byte(key))
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

var _ anomaly.Configurations = (*Detectors)(nil)

// MetricConfig implements [anomaly.Configurations].
func (d *Detectors) MetricConfig(t cloudwatch.Tenant, m *cloudwatch.Metric, stat string) anomaly.Config {
	return d.config(d.table.Get(detectorKey(t, detectorOfMetric(m, stat))))
}

// ExpressionConfig implements [anomaly.Configurations].
func (d *Detectors) ExpressionConfig(t cloudwatch.Tenant, x *anomaly.Expression) anomaly.Config {
	return d.config(d.table.Get(detectorKey(t, detectorOfExpression(x))))
}

func (d *Detectors) config(of *detector) anomaly.Config {
	if of == nil {
		return anomaly.Config{}
	}
	c := anomaly.Config{Excluded: of.Excluded, PeriodicSpikes: deref(of.PeriodicSpikes)}
	if of.Timezone != nil {
		c.Location = d.zone(*of.Timezone)
	}
	return c
}

// zone is nil for a name that was known when the detector was put and is not any more.
func (d *Detectors) zone(name string) *time.Location {
	if l, ok := d.zones.Load(name); ok {
		return l.(*time.Location)
	}
	l, err := anomaly.LoadLocation(name)
	if err != nil {
		return nil
	}
	d.zones.Store(name, l)
	return l
}
