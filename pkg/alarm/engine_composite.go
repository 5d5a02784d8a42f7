// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"slices"
	"strings"
	"time"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// maxEvaluations bounds the evaluations of composite alarms that follow from one transition: a graph of composite alarms
// has more paths than alarms.
const maxEvaluations = 100_000

// compositeState is what a composite alarm has.
type compositeState struct {
	rule *CompositeRule
	// children are the names in the rule, each once; suppressor is a name, "" for none.
	children   []string
	suppressor string
	// wait and extension are nanoseconds.
	wait, extension int64

	suppressionState
	triggering []TriggeringAlarm
}

func newComposite(t cloudwatch.Tenant, d *Definition) (*compositeState, error) {
	rule, err := ParseCompositeRule(d.Composite.Rule, t)
	if err != nil {
		return nil, err
	}
	c := &compositeState{rule: rule, suppressionState: suppressionState{until: noTime}}
	for _, child := range rule.Children() {
		if child.Name == d.Name {
			return nil, invalid("A composite alarm cannot have a child relation with itself via its AlarmRule, " +
				"as it would introduce a circular dependency")
		}
		c.children = append(c.children, child.Name)
	}
	if d.Composite.ActionsSuppressor == "" {
		return c, nil
	}
	c.wait, c.extension = seconds(d.Composite.WaitPeriod), seconds(d.Composite.ExtensionPeriod)
	c.suppressor, err = suppressorName(t, d.Composite.ActionsSuppressor)
	if err == nil && c.suppressor == d.Name {
		err = invalid("A composite alarm cannot be its own actions suppressor")
	}
	return c, err
}

func seconds(n *int32) int64 {
	if n == nil {
		return 0
	}
	return int64(*n) * int64(time.Second)
}

// suppressorName is the name of an alarm that is given by its name or ARN.
func suppressorName(t cloudwatch.Tenant, ref string) (string, error) {
	of, name, ok := ParseARN(ref)
	switch {
	case !ok:
		return ref, nil
	case of.Account != t.Account:
		return "", invalid("The actions suppressor %s is an alarm of another AWS account", ref)
	case of.Region != t.Region:
		return "", invalid("Wrong ARN region, it was %s but %s was expected instead", of.Region, t.Region)
	}
	return name, nil
}

func (c *compositeState) hasChild(name string) bool { return slices.Contains(c.children, name) }

// related are the children and the suppressor, each once.
func (c *compositeState) related(yield func(name string) bool) {
	for _, name := range c.children {
		if !yield(name) {
			return
		}
	}
	if c.suppressor != "" && !c.hasChild(c.suppressor) {
		yield(c.suppressor)
	}
}

func (c *compositeState) link(a *alarmState) {
	for name := range c.related {
		parents := a.of.parents[name]
		if i, there := slices.BinarySearchFunc(parents, a, byName); !there {
			a.of.parents[name] = slices.Insert(parents, i, a)
		}
	}
}

func (c *compositeState) unlink(a *alarmState) {
	for name := range c.related {
		parents := slices.DeleteFunc(a.of.parents[name], func(p *alarmState) bool { return p == a })
		if a.of.parents[name] = parents; len(parents) == 0 {
			delete(a.of.parents, name)
		}
	}
}

// checkComposite checks that the alarms are there that a composite alarm names.
func (e *Engine) checkComposite(p *prepared) error {
	var missing []string
	for _, name := range p.composite.children {
		if e.find(p.tenant, name) == nil {
			missing = append(missing, ARN(p.tenant, name))
		}
	}
	if len(missing) > 0 {
		return invalid("Could not save the composite alarm as alarms [%s] in the alarm rule do not exist", strings.Join(missing, ", "))
	}
	if s := p.composite.suppressor; s != "" && e.find(p.tenant, s) == nil {
		return invalid("Could not save the composite alarm as its actions suppressor [%s] does not exist", ARN(p.tenant, s))
	}
	old := e.find(p.tenant, p.def.Name)
	for name := range p.composite.related {
		parents := e.tenants[p.tenant].parents[name]
		if len(parents) >= maxParents && !slices.Contains(parents, old) {
			return invalid("Could not save the composite alarm as the alarm %s is in %d composite alarms already", name, maxParents)
		}
	}
	return nil
}

// childState is the state of a child by its ARN. One that is not there has none yet.
func (a *alarmState) childState(arn string) State {
	if child := a.of.alarms[strings.TrimPrefix(arn, ARN(a.of.tenant, ""))]; child != nil {
		return child.stateValue()
	}
	return StateInsufficientData
}

func (a *alarmState) verdict() State {
	if a.composite.rule.Evaluate(a.childState) {
		return StateAlarm
	}
	return StateOK
}

// evaluateNew evaluates a composite alarm that is new or has a new rule.
func (r *run) evaluateNew(a *alarmState, now int64, reason func(arn string, s State) string) {
	s := a.verdict()
	if s == a.stateValue() {
		return
	}
	var triggering []TriggeringAlarm
	for _, ref := range a.composite.rule.Determining(a.childState) {
		if child := a.of.alarms[ref.Name]; child != nil {
			triggering = append(triggering, child.triggering())
		}
	}
	r.transition(a, s, reason(a.arn, s), compositeReasonData(triggering), triggering, now)
}

func (a *alarmState) triggering() TriggeringAlarm {
	return TriggeringAlarm{ARN: a.arn, State: a.stateValue(), Timestamp: toTime(a.updated)}
}

func (r *run) replaceComposite(a *alarmState, p *prepared, previous *Definition, before Status, now int64) {
	old := a.composite
	old.unlink(a)
	c := p.composite
	c.triggering, c.suppressionState = old.triggering, old.suppressionState
	a.def, a.composite = p.def, c
	c.link(a)
	r.e.touch(a)
	r.emit(a, Event{Kind: EventUpdated, Time: toTime(now), Previous: previous, Old: before, New: a.status()})
	if c.suppressor != old.suppressor && c.phase != phaseNone {
		// What the former suppressor withheld is not done any more.
		r.changePhase(a, phaseNone, "", noTime, now)
		a.more().before = nil
	}
	if previous.Composite.Rule != p.def.Composite.Rule {
		r.evaluateNew(a, now, compositeUpdatedReason)
	}
}

// change is a transition that the composite alarms above have not seen yet.
type change struct {
	a    *alarmState
	as   TriggeringAlarm
	path *path
}

// path is the transitions that led to one.
type path struct {
	a    *alarmState
	from *path
}

func (p *path) has(a *alarmState) bool {
	for ; p != nil; p = p.from {
		if p.a == a {
			return true
		}
	}
	return false
}

// propagate tells the composite alarms above an alarm that it changed, and those above them in turn. It stops where a
// path comes back to an alarm.
func (r *run) propagate(a *alarmState, now int64) {
	queue := []change{{a: a, as: a.triggering(), path: &path{a: a}}}
	r.evaluations = maxEvaluations
	for i := 0; i < len(queue); i++ {
		c := queue[i]
		queue[i] = change{}
		name := c.a.name()
		for _, p := range c.a.of.parents[name] {
			if p.composite.hasChild(name) && !c.path.has(p) && r.evaluations > 0 {
				r.evaluations--
				if r.evaluateParent(p, &c.as, now) {
					queue = append(queue, change{a: p, as: p.triggering(), path: &path{a: p, from: c.path}})
				}
			}
			if p.composite.suppressor == name {
				r.suppressorChanged(p, c.a, now)
			}
		}
	}
}

// evaluateParent evaluates a composite alarm after a child changed, and reports whether it changed, too.
func (r *run) evaluateParent(p *alarmState, child *TriggeringAlarm, now int64) bool {
	s := p.verdict()
	if s == p.stateValue() {
		return false
	}
	triggering := []TriggeringAlarm{*child}
	r.enter(p, s, compositeTransitionReason(child.ARN, child.State, child.Timestamp), compositeReasonData(triggering), triggering, now)
	return true
}
