// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package backtest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/nephoscope/nephoscope/cmd/neph/internal/alarms/simulation"
	"github.com/nephoscope/nephoscope/pkg/alarm"
	"github.com/nephoscope/nephoscope/pkg/alarm/definitions"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// MaxRange is how long the past may be: as long as CloudWatch keeps data.
const MaxRange = 455 * 24 * time.Hour

// Settings of a backtest.
type Settings struct {
	Tenant cloudwatch.Tenant
	Source Source
	// From and To are the range in which alarms are evaluated.
	From, To time.Time
	// Phase is when, after each minute (or hour) began, alarms are evaluated.
	Phase time.Duration
	// FlapWithin is how soon after the last one an ALARM is a flap.
	FlapWithin time.Duration
	// Variants are what else the metric alarms are tried with.
	Variants Variants
	// Only, when not nil, says which alarms are wanted. Others are run when wanted ones depend on them.
	Only func(name string) bool
}

// Report is what came of a backtest.
type Report struct {
	From, To time.Time
	Alarms   []*Outcome
}

// Outcome is one alarm over the past.
type Outcome struct {
	Definition  *definitions.Definition
	Transitions []Transition
	Summary     Summary
	// Variants are what other configurations would have done, the alarm's own among them; nil when none were asked for.
	Variants []VariantOutcome

	evaluator *evaluator
}

// Run runs alarms over the past. Alarms that cannot be run are in the error; those that can are in the report all the same.
func Run(ctx context.Context, s Settings, set *definitions.Set) (*Report, error) {
	if !s.From.Before(s.To) || s.To.Sub(s.From) > MaxRange {
		return nil, fmt.Errorf("the range from %s to %s must be longer than nothing and at most %d days",
			s.From.Format(time.RFC3339), s.To.Format(time.RFC3339), MaxRange/(24*time.Hour))
	}
	wanted := s.Wanted(set)
	bands, insights := simulation.Sources(s.Source)
	outcomes := make([]*Outcome, len(set.Alarms))
	errs := make([]error, len(set.Alarms))
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i := range set.Alarms {
		d := &set.Alarms[i]
		if !wanted[d.Alarm.Name] {
			continue
		}
		outcomes[i] = &Outcome{Definition: d}
		if d.Alarm.Metric == nil {
			continue
		}
		group.Go(func() error {
			v := &evaluator{
				tenant: s.Tenant, source: s.Source, from: s.From, to: s.To, phase: s.Phase,
				bands: bands, insights: insights, metric: d.Alarm.Metric,
			}
			if err := outcomes[i].run(groupCtx, v, &s); err != nil {
				errs[i] = fmt.Errorf("%s: %w", d.Alarm.Name, err)
				outcomes[i] = nil
			}
			return groupCtx.Err()
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	if err := s.runComposites(ctx, outcomes); err != nil {
		errs = append(errs, err)
	}
	report := &Report{From: s.From, To: s.To}
	for _, o := range outcomes {
		if o == nil || s.Only != nil && !s.Only(o.Definition.Alarm.Name) {
			continue
		}
		o.Summary = summarize(o.Transitions, s.From, s.To, s.FlapWithin)
		report.Alarms = append(report.Alarms, o)
	}
	return report, errors.Join(errs...)
}

func (o *Outcome) run(ctx context.Context, v *evaluator, s *Settings) error {
	m := o.Definition.Alarm.Metric
	o.evaluator = v
	if err := v.load(ctx, max(m.EvaluationPeriods, s.Variants.longest())); err != nil {
		return err
	}
	var err error
	if o.Transitions, err = v.run(ctx, m); err != nil {
		return err
	}
	if s.Variants.any() {
		o.Variants, err = v.runVariants(ctx, m, s)
	}
	return err
}

// Wanted is the names of the alarms that are run: those that are asked for, and those that they depend on.
func (s *Settings) Wanted(set *definitions.Set) map[string]bool {
	byName := map[string]*alarm.Definition{}
	for i := range set.Alarms {
		byName[set.Alarms[i].Alarm.Name] = set.Alarms[i].Alarm
	}
	wanted := map[string]bool{}
	var want func(name string)
	want = func(name string) {
		d := byName[name]
		if d == nil || wanted[name] {
			return
		}
		wanted[name] = true
		if d.Composite == nil {
			return
		}
		if rule, err := alarm.ParseCompositeRule(d.Composite.Rule, s.Tenant); err == nil {
			for _, child := range rule.Children() {
				want(child.Name)
			}
		}
		if d.Composite.ActionsSuppressor != "" {
			want(simulation.Name(d.Composite.ActionsSuppressor))
		}
	}
	for name := range byName {
		if s.Only == nil || s.Only(name) {
			want(name)
		}
	}
	return wanted
}
