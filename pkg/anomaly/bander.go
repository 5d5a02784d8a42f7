// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package anomaly

import (
	"context"
	"slices"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
	"github.com/nephoscope/nephoscope/pkg/metricmath"
)

// Bander answers the ANOMALY_DETECTION_BAND functions of one program of metric math.
type Bander struct {
	Models *Models
	Tenant cloudwatch.Tenant
	// Now is the time that the program is evaluated at, in Unix seconds.
	Now int64
	// Metrics and Queries are those of the program.
	Metrics []NamedMetric
	Queries []metricmath.Query
}

var _ metricmath.Bander = (*Bander)(nil)

// ofBand is the id of what a band is of. It is none that a request can have.
const ofBand = "(band)"

// Band implements [metricmath.Bander].
func (b *Bander) Band(ctx context.Context, call *metricmath.BandCall) (metricmath.BandFunc, error) {
	model, err := b.model(ctx, call)
	if err != nil || model.State() != StateTrained {
		return nil, err
	}
	return func(at int64) (lower, upper float64, ok bool) { return model.Band(at, call.Deviations) }, nil
}

func (b *Bander) model(ctx context.Context, call *metricmath.BandCall) (*Model, error) {
	if call.Metric != "" {
		i := slices.IndexFunc(b.Metrics, func(m NamedMetric) bool { return m.ID == call.Metric })
		if i < 0 {
			return nil, &metricmath.Error{Message: "Function 'ANOMALY_DETECTION_BAND' cannot be applied to '" + call.Metric + "' here"}
		}
		return b.Models.OfMetric(ctx, b.Tenant, &b.Metrics[i].Metric, b.Now)
	}
	x := &Expression{ID: ofBand, Metrics: b.Metrics, Queries: b.Queries}
	// A band of e1 is of what e1 is, under its own name.
	if text := call.Expr.String(); slices.ContainsFunc(b.Queries, func(q metricmath.Query) bool { return q.ID == text }) {
		x.ID = text
	} else {
		x.Queries = append(slices.Clone(x.Queries), metricmath.Query{ID: ofBand, Expr: call.Expr})
	}
	return b.Models.OfExpression(ctx, b.Tenant, x, b.Now)
}
