// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package metricmath

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
)

// BandFunc is the band in which a value is expected, in the bucket that begins at a time (Unix seconds). ok is false where
// there is none. It is called for rising times.
type BandFunc func(at int64) (lower, upper float64, ok bool)

// BandCall is one ANOMALY_DETECTION_BAND function of a program.
type BandCall struct {
	// ID is the query that holds it. A query holds one at most.
	ID string
	// Expr is what the band is of. Metric is the metric that it simply names, "" when it is more than that.
	Expr   *Expr
	Metric string
	// Metrics are the ids of all metrics that it reads, itself and through other queries.
	Metrics []string
	// Period is that of its series, and of the metrics.
	Period int64
	// Deviations is how many standard deviations wide the band is on each side.
	Deviations float64
}

// Bander knows anomaly detection models.
type Bander interface {
	// Band finds the model of what the call is of. A nil function is one that has no band at any time, because there is no
	// model yet. An [Error] is a fault of the expression.
	Band(ctx context.Context, call *BandCall) (BandFunc, error)
}

// Limits of what a band is of, with the periods for which there are models, in seconds.
const (
	maxBandMetrics = 10
	leastBandTime  = 60
	mostBandTime   = 3600
	// defaultDeviations is the width of a band that sets none.
	defaultDeviations = 2
)

// traits are what keeps an expression from being the argument of ANOMALY_DETECTION_BAND.
type traits struct {
	band, metrics, search, given bool
}

func (t *traits) add(o traits) {
	t.band = t.band || o.band
	t.metrics = t.metrics || o.metrics
	t.search = t.search || o.search
	t.given = t.given || o.given
}

// traitsOf are those of a part of the current query, itself and through others.
func (p *Program) traitsOf(root node) (t traits) {
	walk(root, func(n node) {
		switch n := n.(type) {
		case *callNode:
			t.band = t.band || n.fn.name == "ANOMALY_DETECTION_BAND"
			t.metrics = t.metrics || n.fn.name == "METRICS"
			t.search = t.search || n.fn.name == "SEARCH"
		case *idNode:
			if i, ok := p.index[n.name]; ok {
				t.add(p.sources[i].traits)
			}
		}
	})
	return t
}

func (c *checker) bandCall(n *callNode) (*BandCall, error) {
	fail := func(format string, args ...any) (*BandCall, error) {
		return nil, typeError(n.pos(), "Function 'ANOMALY_DETECTION_BAND' "+format, args...)
	}
	switch t := c.program.traitsOf(n.args[0]); {
	case t.band:
		return fail("cannot be applied to another anomaly detection band")
	case t.metrics:
		return fail("cannot be applied to METRICS")
	case t.search:
		return fail("cannot be applied to SEARCH")
	case t.given:
		return fail("cannot be applied to a Metrics Insights query")
	}
	call := &BandCall{ID: c.query.ID, Expr: &Expr{root: n.args[0]}}
	if id, ok := n.args[0].(*idNode); ok && c.metrics[id.name] {
		call.Metric = id.name
	}
	s := c.program.sourcesOf(&Query{Expr: call.Expr}, c.places, len(c.program.searches))
	for i, id := range c.program.metrics {
		if s.metrics.has(i) {
			call.Metrics = append(call.Metrics, id)
		}
	}
	switch {
	case len(call.Metrics) == 0:
		return fail("needs a metric")
	case len(call.Metrics) > maxBandMetrics:
		return fail("cannot be applied to more than %d metrics", maxBandMetrics)
	}
	return call, nil
}

func checkBand(c *checker, n *callNode) (kind, error) {
	if _, err := c.arg(n, 0, kindSeries); err != nil {
		return "", err
	}
	if len(n.args) == 2 {
		if _, err := c.arg(n, 1, kindScalar); err != nil {
			return "", err
		}
	}
	if c.bands++; c.bands > 1 {
		return "", typeError(n.pos(), "An expression can have one function 'ANOMALY_DETECTION_BAND' only")
	}
	call, err := c.bandCall(n)
	if err != nil {
		return "", err
	}
	c.program.bands[n] = call
	return kindArray, nil
}

// evalBand is the upper bound, then the lower one. Both have a point in every slot for which the model has a band, whether
// the metric has one there or not.
func evalBand(e *evaluator, n *callNode) (value, error) {
	call := *e.program.bands[n]
	if e.env.Bander == nil {
		return value{}, errorAt(n.pos(), "Function 'ANOMALY_DETECTION_BAND' is not supported here")
	}
	call.Deviations = defaultDeviations
	if len(n.args) == 2 {
		v, err := e.eval(n.args[1])
		if err != nil {
			return value{}, err
		}
		if call.Deviations = v.number; math.IsNaN(v.number) || v.number <= 0 {
			return value{}, typeError(n.args[1].pos(), "Function 'ANOMALY_DETECTION_BAND' takes a number greater than 0 as argument 2")
		}
	}
	v, err := e.eval(n.args[0])
	if err != nil {
		return value{}, err
	}
	for _, id := range call.Metrics {
		switch period := e.periodOf(&e.values[id].series[0]); {
		case period < leastBandTime || period > mostBandTime:
			return value{}, typeError(n.pos(), "Function 'ANOMALY_DETECTION_BAND' takes metrics with a period of %d to %d seconds, not %d",
				leastBandTime, mostBandTime, period)
		case call.Period != 0 && call.Period != period:
			return value{}, typeError(n.pos(), "Function 'ANOMALY_DETECTION_BAND' takes metrics with one period, not with %d and %d seconds",
				call.Period, period)
		default:
			call.Period = period
		}
	}
	band, err := e.env.Bander.Band(e.ctx, &call)
	var own *Error
	switch {
	case errors.As(err, &own):
		return value{}, own
	case err != nil:
		return value{}, fmt.Errorf("anomaly detection band of %s: %w", e.current.ID, err)
	}
	return e.band(&v.series[0], call.Period, band)
}

func (e *evaluator) band(of *Series, period int64, band BandFunc) (value, error) {
	label := of.Label
	if label == "" {
		label = e.current.ID
	}
	out := value{kind: kindArray, owned: true, series: []Series{
		{Label: strings.TrimSpace(label + " (upper)"), Period: period, Of: of.Of},
		{Label: strings.TrimSpace(label + " (lower)"), Period: period, Of: of.Of},
	}}
	if band == nil {
		return out, nil
	}
	grid, err := e.grid(period)
	if err != nil {
		return value{}, err
	}
	if err := e.charge(2 * len(grid)); err != nil {
		return value{}, err
	}
	times := make([]int64, 0, len(grid))
	lower, upper := make([]float64, 0, len(grid)), make([]float64, 0, len(grid))
	for _, at := range grid {
		if l, u, ok := band(at); ok {
			times, lower, upper = append(times, at), append(lower, l), append(upper, u)
		}
	}
	out.series[0].Timestamps, out.series[0].Values = times, upper
	out.series[1].Timestamps, out.series[1].Values = times, lower
	return out, nil
}
