// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
	"github.com/nephoscope/nephoscope/pkg/metricmath"
)

// BandSource knows the band in which an anomaly detection model expects a metric.
type BandSource interface {
	// Band writes the bounds of each period of the window into lower and upper, which are as long as q.Window.Starts; NaN
	// where the model has none yet. An error is one of the moment, unless it is an [Error].
	Band(ctx context.Context, q *BandQuery, lower, upper []float64) error
}

// BandQuery asks for a band.
type BandQuery struct {
	Tenant cloudwatch.Tenant
	// Metric is the metric that the model is of, nil for an expression.
	Metric *Input
	// Queries are the alarm's queries without its band, and ID the one among them that the model is of.
	Queries []Query
	ID      string
	// Deviations is the number of standard deviations.
	Deviations float64
	Window     Window
}

// band is what an anomaly detection alarm compares with.
type band struct {
	metric     *Input
	queries    []Query
	id         string
	deviations float64
}

// newBand reads the query that ThresholdMetricId names.
func (p *queryPlan) newBand(m *MetricAlarm) (*band, error) {
	id, deviations, ok := parseBand(p.band.Expression)
	if !ok {
		return nil, bandError(p.band.ID)
	}
	b := &band{id: id, deviations: deviations}
	b.queries = slices.DeleteFunc(slices.Clone(m.Metrics), func(q Query) bool { return q.ID == p.band.ID })
	if place, ok := p.places[id]; ok {
		b.metric = &p.inputs[place]
		return b, nil
	}
	if p.insights != nil && p.insights.id == id {
		return nil, validationError("Error in expression '%s': '%s' is a MetricsInsights query", p.band.ID, id)
	}
	if !slices.ContainsFunc(p.math, func(q metricmath.Query) bool { return q.ID == id }) {
		return nil, validationError("Error in expression '%s': ID '%s' not found", p.band.ID, id)
	}
	// The model learns one series, too.
	if _, err := p.compile(id); err != nil {
		return nil, err
	}
	return b, nil
}

// errNoBands is of an anomaly detection alarm where there are no models.
var errNoBands = &Error{Code: codeValidation, Message: "Anomaly detection is not supported here."}

func (b *band) bounds(ctx context.Context, w *Window, env *Env) (*bounds, error) {
	if env == nil || env.Bands == nil {
		return nil, errNoBands
	}
	n := len(w.Starts)
	out := &bounds{lower: make([]float64, n), upper: make([]float64, n)}
	for i := range n {
		out.lower[i], out.upper[i] = math.NaN(), math.NaN()
	}
	q := BandQuery{
		Tenant: env.Tenant, Metric: b.metric, Queries: b.queries, ID: b.id, Deviations: b.deviations, Window: *w,
	}
	if err := env.Bands.Band(ctx, &q, out.lower, out.upper); err != nil {
		return nil, fmt.Errorf("band of %s: %w", b.id, err)
	}
	return out, nil
}
