// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

func invalid(format string, args ...any) *Error {
	return &Error{Code: "ValidationError", Message: fmt.Sprintf(format, args...)}
}

// checkNames bounds the names of one request.
func checkNames(names []string) error {
	var c constraints
	c.atMost("alarmNames", shownList(names), len(names), maxNamedAlarms)
	return c.err()
}

// prepared is a definition that was checked by itself.
type prepared struct {
	tenant    cloudwatch.Tenant
	arn       string
	def       *Definition
	rule      *Rule
	composite *compositeState
}

func prepare(t cloudwatch.Tenant, d *Definition) (*prepared, error) {
	if err := Validate(d); err != nil {
		return nil, err
	}
	p := &prepared{tenant: t, arn: ARN(t, d.Name)}
	p.def = intern(d, p.arn)
	var err error
	if d.Composite != nil {
		p.composite, err = newComposite(t, p.def)
	} else {
		p.rule, err = NewRule(p.def.Metric)
	}
	return p, err
}

func (r *run) put(p *prepared, now int64) error {
	e := r.e
	old := e.find(p.tenant, p.def.Name)
	if old != nil && (old.composite == nil) != (p.composite == nil) {
		return invalid("An alarm with the name %s exists already and is of another type.", p.def.Name)
	}
	if old == nil && e.count >= e.settings.MaxAlarms {
		return &Error{Code: "LimitExceeded", Message: fmt.Sprintf("The maximum number of alarms, %d, is reached.", e.settings.MaxAlarms)}
	}
	if p.composite != nil {
		if err := e.checkComposite(p); err != nil {
			return err
		}
	}
	if old != nil {
		r.replace(old, p, now)
		return nil
	}
	a := e.create(p, now)
	e.schedule(a, now, true)
	e.touch(a)
	r.emit(a, Event{Kind: EventCreated, Time: toTime(now), New: a.status()})
	if a.composite != nil {
		r.evaluateNew(a, now, compositeCreatedReason)
	}
	return nil
}

// create adds an alarm in its first state.
func (e *Engine) create(p *prepared, now int64) *alarmState {
	ta := e.tenant(p.tenant)
	e.share(p)
	a := &alarmState{
		of: ta, def: p.def, arn: p.arn, rule: p.rule, composite: p.composite,
		text: packedInitial, configured: now, updated: now, transitioned: now, due: noTime,
	}
	ta.alarms[a.name()] = a
	ta.sorted = nil
	ta.changes++
	e.count++
	e.connect(a, now)
	return a
}

// connect makes an alarm know what it depends on.
func (e *Engine) connect(a *alarmState, now int64) {
	if a.composite != nil {
		a.composite.link(a)
		return
	}
	a.external = needsSource(a.def.Metric)
	e.watch(a, now)
}

func (e *Engine) disconnect(a *alarmState) {
	if a.composite != nil {
		a.composite.unlink(a)
		return
	}
	delete(e.cold, a)
	e.unwatch(a)
	e.unshare(a.def.Metric)
}

// needsSource is whether an alarm asks a [BandSource] or an [InsightsSource], which may take its time.
func needsSource(m *MetricAlarm) bool {
	return slices.ContainsFunc(m.Metrics, func(q Query) bool {
		text := strings.ToUpper(q.Expression)
		return strings.Contains(text, "ANOMALY_DETECTION_BAND") || strings.Contains(text, "SELECT")
	})
}

func (r *run) replace(a *alarmState, p *prepared, now int64) {
	e, previous := r.e, a.def
	p.def.Tags = previous.Tags
	if equalDefinitions(previous, p.def) {
		return
	}
	before := a.status()
	a.configured = now
	if a.composite != nil {
		r.replaceComposite(a, p, previous, before, now)
		return
	}
	if !equalMetricAlarms(previous.Metric, p.def.Metric) {
		interval := a.rule.Interval()
		e.disconnect(a)
		e.share(p)
		a.def, a.rule = p.def, p.rule
		e.connect(a, now)
		if a.rule.Interval() != interval || interval > time.Minute {
			e.schedule(a, now, true)
		}
		if a.extra != nil && !slices.EqualFunc(previous.Metric.Metrics, p.def.Metric.Metrics, equalQueries) {
			a.extra.contributors = nil
		}
	}
	a.def = p.def
	if x := a.extra; x != nil && x.refireAt != noTime && len(scalingActions(a.actions(a.stateValue()))) == 0 {
		x.refireAt = noTime
	}
	e.touch(a)
	r.emit(a, Event{Kind: EventUpdated, Time: toTime(now), Previous: previous, Old: before, New: a.status()})
}

func (r *run) enableActions(a *alarmState, enabled bool, now int64) {
	previous, before := a.def, a.status()
	changed := *previous
	changed.ActionsEnabled = enabled
	a.def, a.configured = &changed, now
	r.e.touch(a)
	r.emit(a, Event{Kind: EventUpdated, Time: toTime(now), Previous: previous, Old: before, New: a.status()})
}

func (r *run) remove(t cloudwatch.Tenant, names []string, now int64) error {
	e := r.e
	if err := checkNames(names); err != nil {
		return err
	}
	var gone []*alarmState
	composites := 0
	for _, name := range names {
		a := e.find(t, name)
		if a == nil || slices.Contains(gone, a) {
			continue
		}
		gone = append(gone, a)
		if a.composite != nil {
			composites++
		}
	}
	if composites > 1 {
		return invalid("No more than one composite alarm can be deleted in one request.")
	}
	for _, a := range gone {
		needed := func(p *alarmState) bool { return !slices.Contains(gone, p) }
		if slices.ContainsFunc(a.of.parents[a.name()], needed) {
			return invalid("Cannot delete %s as there are composite alarm(s) depending on it.", a.name())
		}
	}
	for _, a := range gone {
		status := a.status()
		e.drop(a)
		e.touch(a)
		r.emit(a, Event{Kind: EventDeleted, Time: toTime(now), Old: status, New: status})
	}
	return nil
}

func (e *Engine) drop(a *alarmState) {
	e.disconnect(a)
	a.deleted = true
	delete(a.of.alarms, a.name())
	a.of.sorted = nil
	a.of.changes++
	e.count--
	e.forget(a.of)
}

func checkSetState(s State, reason string, reasonData *string) error {
	var c constraints
	c.enum("stateValue", string(s), settableStates)
	c.length("stateReason", reason, 0, maxStateReason)
	if reasonData != nil {
		c.length("stateReasonData", *reasonData, 0, maxReasonData)
	}
	if err := c.err(); err != nil {
		return err
	}
	if reasonData != nil && !json.Valid([]byte(*reasonData)) {
		return &Error{Code: "InvalidFormat"}
	}
	return nil
}

// settableStates are the states in the order in which CloudWatch lists them.
var settableStates = []string{string(StateInsufficientData), string(StateAlarm), string(StateOK)}
