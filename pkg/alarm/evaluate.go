// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// Point is a period in which a metric has a value of the alarm's statistic.
type Point struct {
	Start       int64 // Unix seconds
	Value       float64
	SampleCount float64
}

// Env is what some alarms need beside the data of their metrics. An alarm that needs what is not there ends in
// EVALUATION_ERROR.
type Env struct {
	Tenant   cloudwatch.Tenant
	Bands    BandSource
	Insights InsightsSource
	// Contributors are those that were in ALARM after the last evaluation, of an alarm over many time series.
	Contributors []Contributor
}

// Evaluation states.
const (
	PartialData       = "PARTIAL_DATA"
	EvaluationError   = "EVALUATION_ERROR"
	EvaluationFailure = "EVALUATION_FAILURE"
)

// Result is what an evaluation came to.
type Result struct {
	// Decided is false when the alarm keeps its state, and its reason with it.
	Decided bool
	State   State
	// Reason and ReasonData are those to write: of a state that differs from the last one, of an error, and of an alarm over
	// many time series also when the state is the same and the reason another. An empty Reason keeps both as they are.
	Reason     string
	ReasonData string
	// EvaluationState is "", PARTIAL_DATA, EVALUATION_ERROR or EVALUATION_FAILURE.
	EvaluationState string
	// Contributors are the time series of an alarm over many, with those of Env.Contributors that are gone. Those that are
	// not among the ones in Env.Contributors were OK.
	Contributors []ContributorResult
}

// Changes is whether something of a status is to be written.
func (r *Result) Changes(last *Status) bool {
	return r.EvaluationState != last.EvaluationState || r.Decided && (r.State != last.State || r.Reason != "")
}

// ContributorResult is what the evaluation of one of many time series came to.
type ContributorResult struct {
	ID         string
	Attributes map[string]string
	// State is OK or ALARM.
	State  State
	Reason string
}

// Evaluate decides the state of the alarm at a time. w is the rule's window at that time, data the points of each of its
// inputs, oldest first. Points that are not at the start of one of the window's periods, and values that are not finite, do
// not count. env may be nil when the alarm needs none of it.
func (r *Rule) Evaluate(ctx context.Context, now time.Time, w Window, data [][]Point, last Status, env *Env) Result {
	if r.expression == nil && r.band == nil && r.insights == nil {
		var points []Point
		if r.input < len(data) {
			points = data[r.input]
		}
		return r.evaluateSeries(now, &w, points, nil, &last)
	}
	// What follows keeps the window: a copy leaves w to the stack of the path above.
	window := w
	if r.insights != nil {
		return r.evaluateMany(ctx, now, &window, &last, env)
	}
	points, partial, err := r.watched(ctx, now, &window, data, env)
	if err != nil {
		return evaluationFault(now, err, &last)
	}
	var b *bounds
	if r.band != nil {
		if b, err = r.band.bounds(ctx, &window, env); err != nil {
			return evaluationFault(now, err, &last)
		}
	}
	result := r.evaluateSeries(now, &window, points, b, &last)
	if partial {
		result.EvaluationState = PartialData
	}
	return result
}

// watched is the series that is compared.
func (r *Rule) watched(ctx context.Context, now time.Time, w *Window, data [][]Point, env *Env) ([]Point, bool, error) {
	switch {
	case r.expression != nil:
		return r.expression.points(ctx, now, w, data, env)
	case r.input < len(data):
		return data[r.input], false, nil
	}
	return nil, false, nil
}

// evaluationFault is an evaluation that could not be made. What is wrong with the alarm is its new reason; a failure of the
// moment leaves the alarm as it is.
func evaluationFault(now time.Time, err error, last *Status) Result {
	var wrong *Error
	if !errors.As(err, &wrong) {
		return Result{EvaluationState: EvaluationFailure}
	}
	result := Result{Decided: true, State: StateInsufficientData, EvaluationState: EvaluationError}
	if reason := truncate(wrong.Message, longestReason); last.State != result.State || last.Reason != reason {
		result.Reason, result.ReasonData = reason, queryDateData(now)
	}
	return result
}

// bounds are the band of each period of a window, NaN where there is none.
type bounds struct{ lower, upper []float64 }

// breaching compares a value.
func (r *Rule) breaching(v float64, slot int, b *bounds) bool {
	switch r.comparison {
	case greaterOrEqual:
		return v >= r.threshold
	case greater:
		return v > r.threshold
	case less:
		return v < r.threshold
	case lessOrEqual:
		return v <= r.threshold
	case outside:
		return v < b.lower[slot] || v > b.upper[slot]
	case below:
		return v < b.lower[slot]
	case above:
		return v > b.upper[slot]
	}
	return false
}

func finite(v float64) bool { return v-v == 0 }

// has is whether the period has a band.
func (b *bounds) has(slot int) bool {
	return !math.IsNaN(b.lower[slot]) && !math.IsNaN(b.upper[slot])
}
