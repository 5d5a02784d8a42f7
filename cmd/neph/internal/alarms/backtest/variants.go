// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package backtest

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/nephoscope/nephoscope/pkg/alarm"
)

// Variants are values to try in place of those of a definition. Every combination is tried.
type Variants struct {
	Thresholds        []float64
	EvaluationPeriods []int32
	DatapointsToAlarm []int32
}

// MaxVariants is how many combinations are tried.
const MaxVariants = 10_000

func (v *Variants) any() bool {
	return len(v.Thresholds)+len(v.EvaluationPeriods)+len(v.DatapointsToAlarm) > 0
}

func (v *Variants) longest() int32 {
	if len(v.EvaluationPeriods) == 0 {
		return 0
	}
	return slices.Max(v.EvaluationPeriods)
}

// Validate bounds the combinations.
func (v *Variants) Validate() error {
	if n := max(1, len(v.Thresholds)) * max(1, len(v.EvaluationPeriods)) * max(1, len(v.DatapointsToAlarm)); n > MaxVariants {
		return fmt.Errorf("%d combinations are more than %d", n, MaxVariants)
	}
	return nil
}

// VariantOutcome is what a configuration would have done.
type VariantOutcome struct {
	// Threshold is nil for an alarm with a band.
	Threshold         *float64
	EvaluationPeriods int32
	DatapointsToAlarm int32
	// Own marks the configuration that the alarm has.
	Own     bool
	Summary Summary
}

// runVariants tries every combination that CloudWatch would take.
func (v *evaluator) runVariants(ctx context.Context, m *alarm.MetricAlarm, s *Settings) ([]VariantOutcome, error) {
	thresholds := []*float64{m.Threshold}
	if m.Threshold != nil && len(s.Variants.Thresholds) > 0 {
		thresholds = nil
		for _, t := range s.Variants.Thresholds {
			thresholds = append(thresholds, &t)
		}
	}
	periods, datapoints := s.Variants.EvaluationPeriods, s.Variants.DatapointsToAlarm
	if len(periods) == 0 {
		periods = []int32{m.EvaluationPeriods}
	}
	var out []VariantOutcome
	for _, threshold := range thresholds {
		for _, n := range periods {
			of := datapoints
			if len(of) == 0 {
				of = []int32{min(n, m.DatapointsToAlarm)} // 0 is all of them
			}
			for _, d := range of {
				if d > n {
					continue
				}
				changed := *m
				changed.Threshold, changed.EvaluationPeriods, changed.DatapointsToAlarm = threshold, n, d
				if err := alarm.Validate(&alarm.Definition{Name: "variant", Metric: &changed}); err != nil { //nolint:contextcheck // it reads nothing
					continue // such as a window of more than a day
				}
				transitions, err := v.run(ctx, &changed)
				if err != nil {
					return nil, err
				}
				if d == 0 {
					d = n
				}
				out = append(out, VariantOutcome{
					Threshold: threshold, EvaluationPeriods: n, DatapointsToAlarm: d, Own: same(m, threshold, n, d),
					Summary: summarize(transitions, s.From, s.To, s.FlapWithin),
				})
			}
		}
	}
	return out, nil
}

func same(m *alarm.MetricAlarm, threshold *float64, n, d int32) bool {
	own := m.DatapointsToAlarm
	if own == 0 {
		own = m.EvaluationPeriods
	}
	return n == m.EvaluationPeriods && d == own &&
		(threshold == m.Threshold || threshold != nil && m.Threshold != nil && *threshold == *m.Threshold)
}

// Numbers reads a list of numbers: 70,80,90 or from:to:step, which includes the end.
func Numbers(text string) ([]float64, error) {
	var out []float64
	for part := range strings.SplitSeq(text, ",") {
		bounds := strings.Split(strings.TrimSpace(part), ":")
		numbers := make([]float64, len(bounds))
		for i, b := range bounds {
			v, err := strconv.ParseFloat(b, 64)
			if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
				return nil, fmt.Errorf("%q is not a number, nor from:to:step", part)
			}
			numbers[i] = v
		}
		switch len(numbers) {
		case 1:
			out = append(out, numbers[0])
		case 3:
			from, to, step := numbers[0], numbers[1], numbers[2]
			if !(step > 0) || to < from || (to-from)/step > MaxVariants {
				return nil, fmt.Errorf("%q does not go from a number up to a greater one", part)
			}
			for i := 0; ; i++ {
				v := from + float64(i)*step
				if v > to+step*1e-9 {
					break
				}
				out = append(out, v)
			}
		default:
			return nil, fmt.Errorf("%q is not a number, nor from:to:step", part)
		}
	}
	return out, nil
}

// Integers is [Numbers] of whole numbers from 1 on.
func Integers(text string) ([]int32, error) {
	numbers, err := Numbers(text)
	if err != nil {
		return nil, err
	}
	out := make([]int32, len(numbers))
	for i, v := range numbers {
		if v != math.Trunc(v) || v < 1 || v > math.MaxInt32 {
			return nil, fmt.Errorf("%v is not a whole number from 1 on", v)
		}
		out[i] = int32(v)
	}
	return out, nil
}
