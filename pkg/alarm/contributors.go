// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"context"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
	"github.com/nephoscope/nephoscope/pkg/metricmath"
	"github.com/nephoscope/nephoscope/pkg/metricsinsights"
)

// MaxContributors is how many contributors in ALARM are counted and listed.
const MaxContributors = 100

// ReasonContributorGone is the reason of a contributor whose series is not there any more.
const ReasonContributorGone = "No data was returned for this contributor"

// InsightsSource runs Metrics Insights queries.
type InsightsSource interface {
	// Insights answers with time series whose timestamps are the starts of the window's periods. An error is one of the
	// moment, unless it is an [Error]: then the query is wrong.
	Insights(ctx context.Context, q *InsightsQuery) (InsightsResult, error)
}

// InsightsQuery is a Metrics Insights query over a window.
type InsightsQuery struct {
	Tenant cloudwatch.Tenant
	Text   string
	Query  *metricsinsights.Query // the text, parsed
	Window Window
	Now    time.Time
}

// InsightsResult is what a query answered.
type InsightsResult struct {
	Series []InsightsSeries
	// Partial is true when more metrics or series matched than are looked at.
	Partial bool
}

// InsightsSeries is a time series with its labels of GROUP BY.
type InsightsSeries struct {
	metricmath.Series

	Attributes map[string]string
}

// ContributorID is the id of the contributor with these attributes, in whichever alarm: 16 hexadecimal digits.
func ContributorID(attributes map[string]string) string {
	h := fnv.New64a()
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		// Lengths keep apart what is concatenated.
		_, _ = h.Write(strconv.AppendInt(nil, int64(len(name)), 10))
		_, _ = h.Write([]byte(":" + name))
		value := attributes[name]
		_, _ = h.Write(strconv.AppendInt(nil, int64(len(value)), 10))
		_, _ = h.Write([]byte(":" + value))
	}
	return fmt.Sprintf("%016x", h.Sum64())
}

// evaluateMany decides an alarm over many time series: each is evaluated for itself, and one in ALARM is enough.
func (r *Rule) evaluateMany(ctx context.Context, now time.Time, w *Window, last *Status, env *Env) Result {
	answer, err := r.insights.run(ctx, now, w, env)
	if err != nil {
		return evaluationFault(now, err, last)
	}
	result := Result{Decided: true}
	if answer.Partial {
		result.EvaluationState = PartialData
	}
	gone := make(map[string]*Contributor, len(env.Contributors))
	for i := range env.Contributors {
		gone[env.Contributors[i].ID] = &env.Contributors[i]
	}
	alarms := 0
	result.Contributors = make([]ContributorResult, 0, len(answer.Series)+len(gone))
	for i := range answer.Series {
		s := &answer.Series[i]
		c := ContributorResult{ID: ContributorID(s.Attributes), Attributes: s.Attributes, State: StateOK}
		was, wasAlarm := gone[c.ID]
		delete(gone, c.ID)
		if wasAlarm {
			c.State, c.Reason = StateAlarm, was.New.Reason
		}
		r.evaluateContributor(w, pointsOf(&s.Series), &c)
		if c.State == StateAlarm {
			alarms++
		}
		result.Contributors = append(result.Contributors, c)
	}
	for i := range env.Contributors {
		if c := &env.Contributors[i]; gone[c.ID] == c {
			result.Contributors = append(result.Contributors, ContributorResult{
				ID: c.ID, Attributes: c.Attributes, State: StateOK, Reason: ReasonContributorGone,
			})
		}
	}
	var reason string
	if len(answer.Series) == 0 {
		result.State, reason = r.withoutSeries(last.State)
	} else {
		result.State, reason = contributorVerdict(alarms, len(result.Contributors))
	}
	if result.State != last.State || reason != last.Reason {
		result.Reason, result.ReasonData = reason, queryDateData(now)
	}
	return result
}

// evaluateContributor changes the state that a contributor had.
func (r *Rule) evaluateContributor(w *Window, points []Point, c *ContributorResult) {
	t := r.count(w, points, nil)
	state, ok := r.decide(&t)
	switch {
	case !ok:
	case state == StateInsufficientData:
		// A contributor is OK or in ALARM. Without data it is as one that is gone.
		c.State, c.Reason = StateOK, ReasonContributorGone
	case state == c.State && c.Reason != "":
		// As that of an alarm, the reason is the one with which the state began.
	default:
		e := r.explain(w, points, nil, state)
		e.contributor = true
		c.State, c.Reason = state, e.reason()
	}
}

func contributorVerdict(alarms, all int) (State, string) {
	switch {
	case alarms == 0:
		return StateOK, fmt.Sprintf("%d time series evaluated to OK", all)
	case alarms > MaxContributors:
		return StateAlarm, fmt.Sprintf("%d+ time series evaluated to ALARM", MaxContributors)
	}
	return StateAlarm, fmt.Sprintf("%d out of %d time series evaluated to ALARM", alarms, all)
}

// withoutSeries is the verdict on a query that gave nothing.
func (r *Rule) withoutSeries(last State) (State, string) {
	state, treated := StateInsufficientData, "Missing"
	switch r.missing {
	case Breaching:
		state, treated = StateAlarm, "Breaching"
	case NotBreaching:
		state, treated = StateOK, "NonBreaching"
	case Ignore:
		state, treated = last, "Ignore"
	}
	return state, "No time series were returned by the query. Treat missing data is configured as [" + treated + "]."
}
