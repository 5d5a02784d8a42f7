// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// EngineSettings is what an [Engine] is made with.
type EngineSettings struct {
	// Reader has the data from before an alarm was put or restored; nil for none. When it fails, the alarms that wait for it
	// keep their state, in EVALUATION_FAILURE.
	Reader cloudwatch.MetricReader
	// Bands and Insights answer for the alarms that need them; nil makes those end in EVALUATION_ERROR.
	Bands    BandSource
	Insights InsightsSource

	// Phase is when, after each multiple of its interval, an alarm is evaluated. Nil spreads the alarms by their ARN.
	Phase func(arn string, interval time.Duration) time.Duration
	// TrackChanges makes the engine keep what [Engine.Dirty] answers.
	TrackChanges bool
	// MaxCatchUp skips evaluations that were due longer ago than this when [Engine.Advance] comes to them: after the machine
	// slept. 0 skips none.
	MaxCatchUp time.Duration
	// MaxAlarms and MaxMuteRules bound what is kept, over all tenants; 0 means 1,000,000 and 10,000.
	MaxAlarms, MaxMuteRules int
}

// Limits of an engine.
const (
	defaultMaxAlarms    = 1_000_000
	defaultMaxMuteRules = 10_000

	// maxNamedAlarms is how many alarms a request may name.
	maxNamedAlarms = 100
	maxStateReason = 1023
	maxReasonData  = 4000
	// maxParents is how many composite alarms may name the same alarm.
	maxParents = 150
	// maxListedContributors is how many contributors are listed; all of them are kept.
	maxListedContributors = 100
)

// Engine holds alarms and the data that they watch, evaluates them, and says what happened. It never reads a clock: every
// entry takes the time. With the same calls it does the same. All methods are safe for concurrent use.
//
// Data and time are given in turns: [Engine.Observe] what came, then [Engine.Advance] to the time at which it came. Data is
// kept for as long as an alarm may look back from the last Advance, so what is observed long before the time advances to
// it is not lost, but what is observed long after is.
type Engine struct {
	settings EngineSettings
	// names has the namespaces and names of all watched metrics, metrics their whole identities. Both are read without a lock.
	names, metrics watchSet

	// advancing is held by Advance alone, which lets go of mu now and then.
	advancing sync.Mutex
	scratch   scratch // of Advance

	mu      sync.Mutex
	tenants map[cloudwatch.Tenant]*tenantAlarms
	// tracks are chained by the hash of their metric.
	tracks map[uint64]*track
	// nameUsers is how many tracks have a name, by its hash.
	nameUsers map[uint64]int32
	rules     map[ruleKey]*sharedRule
	actions   map[actionsKey][]string
	line      timeline
	count     int // of alarms
	mutes     int // mute rules
	// advanced is the time of the last Advance.
	advanced int64
	changed  []*alarmState
	cold     map[*alarmState]struct{} // alarms that wait for history
}

// tenantAlarms is what the engine has of one tenant.
type tenantAlarms struct {
	tenant cloudwatch.Tenant
	alarms map[string]*alarmState
	// sorted is alarms in order of name, nil when it has to be made again. It does not change.
	sorted []*alarmState
	// changes counts alarms that came or went.
	changes uint64
	// parents are the composite alarms that name an alarm, as a child or as their suppressor, in order of name.
	parents map[string][]*alarmState
	rules   map[string]*muteEntry
	muting  map[string][]*muteEntry // by name of the alarm
}

// NewEngine returns an engine without alarms.
func NewEngine(s EngineSettings) *Engine {
	if s.MaxAlarms == 0 {
		s.MaxAlarms = defaultMaxAlarms
	}
	if s.MaxMuteRules == 0 {
		s.MaxMuteRules = defaultMaxMuteRules
	}
	return &Engine{
		settings:  s,
		tenants:   make(map[cloudwatch.Tenant]*tenantAlarms),
		tracks:    make(map[uint64]*track),
		nameUsers: make(map[uint64]int32),
		rules:     make(map[ruleKey]*sharedRule),
		actions:   make(map[actionsKey][]string),
		cold:      make(map[*alarmState]struct{}),
		advanced:  noTime,
	}
}

// View is an alarm as it stands.
type View struct {
	Tenant     cloudwatch.Tenant
	ARN        string
	Definition *Definition
	Status     Status
	// Triggering are the children that the state of a composite alarm comes from.
	Triggering []TriggeringAlarm
}

// Alarm returns the alarm of a name.
func (e *Engine) Alarm(t cloudwatch.Tenant, name string) (View, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	a := e.find(t, name)
	if a == nil {
		return View{}, false
	}
	return a.view(), true
}

// Alarms yields the alarms of a tenant in order of name. Alarms that come or go meanwhile may be yielded or not.
func (e *Engine) Alarms(t cloudwatch.Tenant, yield func(View) bool) { e.AlarmsAfter(t, "", yield) }

// AlarmsAfter yields the alarms of a tenant whose names are behind after, in order of name.
func (e *Engine) AlarmsAfter(t cloudwatch.Tenant, after string, yield func(View) bool) {
	const chunk = 64
	sorted := e.sorted(t)
	// By ARN, which is the order of the names: those belong to definitions, which change.
	from, _ := slices.BinarySearchFunc(sorted, ARN(t, after), func(a *alarmState, arn string) int {
		if c := strings.Compare(a.arn, arn); c != 0 {
			return c
		}
		return -1 // behind it
	})
	var views [chunk]View
	for part := range slices.Chunk(sorted[from:], chunk) {
		n := 0
		e.mu.Lock()
		for _, a := range part {
			if !a.deleted {
				views[n] = a.view()
				n++
			}
		}
		e.mu.Unlock()
		for i := range n {
			if !yield(views[i]) {
				return
			}
		}
	}
}

// sorted are the alarms of a tenant in order of name. Sorting many takes a while, and does not hold the lock.
func (e *Engine) sorted(t cloudwatch.Tenant) []*alarmState {
	e.mu.Lock()
	ta := e.tenants[t]
	if ta == nil || ta.sorted != nil {
		defer e.mu.Unlock()
		if ta == nil {
			return nil
		}
		return ta.sorted
	}
	changes := ta.changes
	all := make([]*alarmState, 0, len(ta.alarms))
	for _, a := range ta.alarms {
		all = append(all, a)
	}
	e.mu.Unlock()
	slices.SortFunc(all, byARN)
	e.mu.Lock()
	defer e.mu.Unlock()
	if ta.changes == changes {
		ta.sorted = all
	}
	return all
}

func byARN(a, b *alarmState) int { return strings.Compare(a.arn, b.arn) }

func byName(a, b *alarmState) int { return strings.Compare(a.name(), b.name()) }

// Tenants are those that have alarms or mute rules, in order of account and region.
func (e *Engine) Tenants() []cloudwatch.Tenant {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := make([]cloudwatch.Tenant, 0, len(e.tenants))
	for t := range e.tenants {
		all = append(all, t)
	}
	slices.SortFunc(all, func(a, b cloudwatch.Tenant) int {
		if c := strings.Compare(a.Account, b.Account); c != 0 {
			return c
		}
		return strings.Compare(a.Region, b.Region)
	})
	return all
}

// Children are the names of the alarms that the rule of a composite alarm names, in order of appearance.
func (e *Engine) Children(t cloudwatch.Tenant, name string) []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	a := e.find(t, name)
	if a == nil || a.composite == nil {
		return nil
	}
	return slices.Clone(a.composite.children)
}

// Parents are the names of the composite alarms whose rules name an alarm, in order.
func (e *Engine) Parents(t cloudwatch.Tenant, name string) []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	ta := e.tenants[t]
	if ta == nil {
		return nil
	}
	var names []string
	for _, p := range ta.parents[name] {
		if p.composite.hasChild(name) {
			names = append(names, p.name())
		}
	}
	return names
}

// Contributors are the time series in ALARM of an alarm over many, in order of id, at most 100.
func (e *Engine) Contributors(t cloudwatch.Tenant, name string) []Contributor {
	e.mu.Lock()
	defer e.mu.Unlock()
	a := e.find(t, name)
	if a == nil || a.extra == nil {
		return nil
	}
	all := a.extra.alarming()
	return all[:min(len(all), maxListedContributors)]
}

// Next is when something is due next: the zero time when nothing is.
func (e *Engine) Next() time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	return toTime(e.line.next())
}

// AlarmKey names an alarm.
type AlarmKey struct {
	Tenant cloudwatch.Tenant
	Name   string
}

// Dirty are the alarms whose snapshots changed since the last call, or that were deleted, in no particular order. What
// changed in one event of an alarm and of the composite alarms above it has to be written at once.
func (e *Engine) Dirty() []AlarmKey {
	e.mu.Lock()
	defer e.mu.Unlock()
	keys := make([]AlarmKey, 0, len(e.changed))
	for i, a := range e.changed {
		a.dirty = false
		keys = append(keys, AlarmKey{Tenant: a.of.tenant, Name: a.name()})
		e.changed[i] = nil
	}
	e.changed = e.changed[:0]
	return keys
}

func (e *Engine) touch(a *alarmState) {
	a.version++
	if e.settings.TrackChanges && !a.dirty {
		a.dirty = true
		e.changed = append(e.changed, a)
	}
}

func (e *Engine) find(t cloudwatch.Tenant, name string) *alarmState {
	ta := e.tenants[t]
	if ta == nil {
		return nil
	}
	return ta.alarms[name]
}

func (e *Engine) tenant(t cloudwatch.Tenant) *tenantAlarms {
	ta := e.tenants[t]
	if ta == nil {
		ta = &tenantAlarms{
			tenant:  t,
			alarms:  make(map[string]*alarmState),
			parents: make(map[string][]*alarmState),
			rules:   make(map[string]*muteEntry),
			muting:  make(map[string][]*muteEntry),
		}
		e.tenants[t] = ta
	}
	return ta
}

// forget drops a tenant that has nothing.
func (e *Engine) forget(ta *tenantAlarms) {
	if len(ta.alarms) == 0 && len(ta.rules) == 0 {
		delete(e.tenants, ta.tenant)
	}
}

// run is one call that changes something: its events, in order.
type run struct {
	e      *Engine
	events []Event
	// evaluations is how many composite alarms may still be evaluated for one transition.
	evaluations int
	// interrupted is set when the context of an Advance has ended in an evaluation.
	interrupted bool
}

func (r *run) emit(a *alarmState, ev Event) {
	ev.Tenant, ev.ARN = a.of.tenant, a.arn
	if ev.Alarm == nil {
		ev.Alarm = a.def
	}
	r.events = append(r.events, ev)
}

// Put creates an alarm, or replaces it and keeps its state. One that is equal to what is there changes nothing. The error
// is an [*Error].
func (e *Engine) Put(_ context.Context, t cloudwatch.Tenant, d *Definition, now time.Time) ([]Event, error) {
	p, err := prepare(t, d) //nolint:contextcheck // it compiles the alarm, and asks nobody
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	r := &run{e: e}
	if err := r.put(p, toNanos(now)); err != nil {
		return nil, err
	}
	return r.events, nil
}

// Delete deletes alarms. Names that there are not do not matter. Either all others are deleted or, with an error, none.
func (e *Engine) Delete(t cloudwatch.Tenant, names []string, now time.Time) ([]Event, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := &run{e: e}
	if err := r.remove(t, names, toNanos(now)); err != nil {
		return nil, err
	}
	return r.events, nil
}

// SetActionsEnabled enables or disables the actions of alarms. Names that there are not do not matter.
func (e *Engine) SetActionsEnabled(t cloudwatch.Tenant, names []string, enabled bool, now time.Time) ([]Event, error) {
	if err := checkNames(names); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	r := &run{e: e}
	for _, name := range names {
		if a := e.find(t, name); a != nil && a.def.ActionsEnabled != enabled {
			r.enableActions(a, enabled, toNanos(now))
		}
	}
	return r.events, nil
}

// SetState sets the state of an alarm for a while: of a metric alarm until an evaluation comes to another one, of a
// composite alarm until a child changes. The state in which the alarm is changes nothing. reasonData is nil for none.
func (e *Engine) SetState(t cloudwatch.Tenant, name string, s State, reason string, reasonData *string, now time.Time) ([]Event, error) {
	if err := checkSetState(s, reason, reasonData); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	a := e.find(t, name)
	if a == nil {
		return nil, &Error{Code: "ResourceNotFound"}
	}
	r := &run{e: e}
	if a.state != stateCode(s) {
		data := ""
		if reasonData != nil {
			data = *reasonData
		}
		r.transition(a, s, reason, data, nil, toNanos(now))
	}
	return r.events, nil
}
