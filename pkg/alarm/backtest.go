// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"context"
	"time"
)

// Compared is the series that an alarm compares, and what with.
type Compared struct {
	Points []Point
	// Lower and Upper are the bounds of each period of the window, NaN where there are none; nil for an alarm with a
	// threshold.
	Lower, Upper []float64
	// Partial is true when queries left something out.
	Partial bool
}

// Compared is what [Rule.Evaluate] compares at a time. The window may be of any length: charts and backtests look at many
// periods at once. The series of an alarm over many is that of none: it has no points.
func (r *Rule) Compared(ctx context.Context, now time.Time, w Window, data [][]Point, env *Env) (Compared, error) {
	var c Compared
	if r.insights != nil {
		return c, nil
	}
	var err error
	if c.Points, c.Partial, err = r.watched(ctx, now, &w, data, env); err != nil || r.band == nil {
		return c, err
	}
	b, err := r.band.bounds(ctx, &w, env)
	if err != nil {
		return c, err
	}
	c.Lower, c.Upper = b.lower, b.upper
	return c, nil
}

// Judge is [Rule.Evaluate] with the series that the alarm compares in place of the data of its inputs, for those who have
// it already. It is not for alarms over many time series.
func (r *Rule) Judge(now time.Time, w Window, c Compared, last Status) Result {
	var b *bounds
	if c.Lower != nil {
		b = &bounds{lower: c.Lower, upper: c.Upper}
	}
	return r.evaluateSeries(now, &w, c.Points, b, &last)
}
