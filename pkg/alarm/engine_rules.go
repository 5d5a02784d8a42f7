// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import "math"

// Alarms on one metric each are often alike but for the metric: one for every machine of a fleet. They share one rule, and
// find their metric in their definition.

// ruleKey is what the rule of such an alarm is made of.
type ruleKey struct {
	period, evaluationPeriods, datapoints int32
	wallClock, dynamo                     bool
	threshold                             uint64
	statistic, extended, unit, lowSamples string
	comparison                            ComparisonOperator
	missing                               TreatMissingData
	timezone                              string
}

type sharedRule struct {
	rule      *Rule
	threshold *float64
	users     int
}

// keyOf is the key of an alarm; ok is false when it shares its rule with none.
func keyOf(m *MetricAlarm) (k ruleKey, ok bool) {
	if len(m.Metrics) > 0 || m.Threshold == nil {
		return k, false
	}
	k = ruleKey{
		period: m.Period, evaluationPeriods: m.EvaluationPeriods, datapoints: m.DatapointsToAlarm,
		dynamo: m.Namespace == "AWS/DynamoDB", threshold: math.Float64bits(*m.Threshold),
		statistic: m.Statistic, extended: m.ExtendedStatistic, unit: m.Unit, lowSamples: m.EvaluateLowSampleCountPercentile,
		comparison: m.ComparisonOperator, missing: m.TreatMissingData,
	}
	if m.WallClock != nil {
		k.wallClock, k.timezone = true, m.WallClock.Timezone
	}
	return k, true
}

// actionsKey is a list of actions. Alarms that run the same share one.
type actionsKey [5]string

// maxActionLists is how many lists are remembered. Then they are forgotten, and others remembered.
const maxActionLists = 10_000

func (e *Engine) shareActions(all *[]string) {
	var key actionsKey
	if len(*all) == 0 || copy(key[:], *all) < len(*all) {
		return
	}
	list, ok := e.actions[key]
	if !ok || len(list) != len(*all) {
		if len(e.actions) >= maxActionLists {
			clear(e.actions)
		}
		list = *all
		e.actions[key] = list
	}
	*all = list
}

// share replaces parts of a definition, and its rule, by those that are there already.
func (e *Engine) share(p *prepared) {
	e.shareActions(&p.def.AlarmActions)
	e.shareActions(&p.def.OKActions)
	e.shareActions(&p.def.InsufficientDataActions)
	if p.rule == nil {
		return
	}
	k, ok := keyOf(p.def.Metric)
	if !ok {
		return
	}
	s := e.rules[k]
	if s == nil {
		s = &sharedRule{rule: p.rule, threshold: p.def.Metric.Threshold}
		e.rules[k] = s
	}
	s.users++
	p.rule, p.def.Metric.Threshold = s.rule, s.threshold
}

func (e *Engine) unshare(m *MetricAlarm) {
	k, ok := keyOf(m)
	if !ok {
		return
	}
	s := e.rules[k]
	if s.users--; s.users == 0 {
		delete(e.rules, k)
	}
}
