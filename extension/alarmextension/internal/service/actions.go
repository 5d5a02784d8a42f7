// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/nephoscope/nephoscope/extension/alarmextension/internal/journal"
	"github.com/nephoscope/nephoscope/internal/actions"
	"github.com/nephoscope/nephoscope/pkg/alarm"
	"github.com/nephoscope/nephoscope/pkg/alarm/alarmevent"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// errStopped is the answer to what comes after Stop.
var errStopped = errors.New("the alarms have stopped")

var errNoDispatcher = errors.New(`nothing delivers actions: name an extension that does in the option "notifications" of the extension alarm`)

// deliverActions hands actions to the dispatcher.
func (s *Service) deliverActions(ctx context.Context, entries []*journal.Entry) error {
	var list []actions.Action
	for _, e := range entries {
		list = append(list, s.actionsOf(e)...)
	}
	if s.set.Dispatcher != nil {
		return s.set.Dispatcher.Dispatch(ctx, list)
	}
	results := make([]actions.Result, len(list))
	for i := range list {
		a := &list[i]
		results[i] = actions.Result{ActionID: a.ID, AlarmARN: a.AlarmARN, Target: a.Target, Time: s.Now(), Err: errNoDispatcher}
	}
	return s.takeResults(ctx, results)
}

// actionsOf are the actions of an event: those of the alarm, and one without a target for those who are told of every
// transition.
func (s *Service) actionsOf(entry *journal.Entry) []actions.Action {
	e := entry.Event
	if e == nil {
		return nil
	}
	targets := e.Actions
	if s.set.Dispatcher != nil && told(e) {
		targets = append([]string{""}, targets...)
	}
	if len(targets) == 0 {
		return nil
	}
	before, after := &e.Old, &e.New
	if c := e.Contributor; c != nil {
		before, after = &c.Old, &c.New
	}
	if e.Kind == alarm.EventDeleted {
		after = &alarm.Status{Reason: "The alarm was deleted."}
	}
	n := alarmevent.SNS(e)
	model := actions.Action{
		Tenant: e.Tenant, Time: e.Time, AlarmARN: e.ARN, AlarmName: e.Alarm.Name,
		Old: before.State, New: after.State, Reason: after.Reason,
		Subject: n.Subject, Message: n.Message, SMS: n.SMS, Email: n.Email, Event: alarmevent.Lambda(e),
		Labels: alarmevent.Labels(e, entry.Tags), Annotations: alarmevent.Annotations(e, entry.Tags),
	}
	if e.Kind == alarm.EventDeleted {
		model.Subject, model.Message, model.SMS, model.Email, model.Event = "", "", "", "", "" // nothing is published
		model.Annotations["reason"] = after.Reason
	}
	list := make([]actions.Action, len(targets))
	for i, target := range targets {
		list[i] = model
		list[i].Target = target
		list[i].ID = s.actionID(entry.Seq, target, i)
	}
	return list
}

// actionID is the same whenever the action is handed over again.
func (s *Service) actionID(seq uint64, target string, place int) string {
	if target == "" {
		return fmt.Sprintf("%s/%d/all", s.journal.Instance(), seq)
	}
	return fmt.Sprintf("%s/%d/%d", s.journal.Instance(), seq, place)
}

// entryOf is the entry that an action's id names.
func (s *Service) entryOf(ctx context.Context, id string) (*journal.Entry, error) {
	rest, ok := strings.CutPrefix(id, s.journal.Instance()+"/")
	if !ok {
		return nil, nil //nolint:nilnil // of another storage: nothing is known of it
	}
	text, _, _ := strings.Cut(rest, "/")
	seq, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return nil, nil //nolint:nilnil // as above
	}
	entries, err := s.journal.Read(ctx, []uint64{seq})
	if err != nil || len(entries) == 0 {
		return nil, err
	}
	return entries[0], nil
}

// takeResults writes how actions ended into history. With an error nothing of it is there.
func (s *Service) takeResults(ctx context.Context, list []actions.Result) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return errStopped
	}
	if err := s.settle(ctx); err != nil {
		return err
	}
	for i := range list {
		if list[i].Target != "" { // CloudWatch has no action without one
			s.stageResult(ctx, &list[i])
		}
	}
	if err := s.flush(context.WithoutCancel(ctx)); err != nil {
		s.staged = nil // there was nothing else, and these come again
		return err
	}
	for i := range list {
		s.set.Telemetry.ExtensionAlarmActionResults.Add(ctx, 1,
			metric.WithAttributes(attribute.String("outcome", outcomeOf(&list[i]))))
	}
	return nil
}

func outcomeOf(r *actions.Result) string {
	switch {
	case r.Err != nil:
		return "failed"
	case r.Withheld != "":
		return "withheld"
	}
	return "succeeded"
}

// maxTogether bounds the actions of one alarm that end at the very same time.
const maxTogether = 1000

// knows is whether history has a result already. It is handed over again when nobody noted that it was taken.
func (s *Service) knows(ctx context.Context, t cloudwatch.Tenant, name string, r *actions.Result) bool {
	same, _, err := s.journal.Find(ctx, &journal.Query{
		Tenant: t, Alarm: name, Start: r.Time, End: r.Time, Limit: maxTogether,
		AlarmTypes: []string{alarmevent.TypeMetricAlarm, alarmevent.TypeCompositeAlarm},
		Types:      []alarmevent.HistoryType{alarmevent.HistoryAction, alarmevent.HistoryContributorAction},
	})
	if err != nil {
		s.logger.Warn("history cannot be read; an action may be in it twice", zap.String("action", r.ActionID), zap.Error(err))
	}
	return slices.ContainsFunc(same, func(e *journal.Entry) bool { return e.ActionID == r.ActionID })
}

func (s *Service) stageResult(ctx context.Context, r *actions.Result) {
	t, name, ok := alarm.ParseARN(r.AlarmARN)
	if !ok {
		s.logger.Warn("an action ended of what is no alarm", zap.String("arn", r.AlarmARN))
		return
	}
	if s.knows(context.WithoutCancel(ctx), t, name, r) {
		return
	}
	of, err := s.entryOf(context.WithoutCancel(ctx), r.ActionID)
	if err != nil {
		s.logger.Warn("the transition of an action is not known", zap.String("action", r.ActionID), zap.Error(err))
	}
	result := &alarmevent.ActionResult{Resource: r.Target, StateUpdated: r.Time, Message: r.Message}
	switch {
	case r.Err != nil:
		result.Error = r.Err.Error()
	case r.Withheld != "":
		result.Error = "not sent: " + r.Withheld // history knows nothing between executed and failed
	}
	entry := &journal.Entry{
		Header: journal.Header{
			Time: r.Time, Tenant: t, Alarm: name, AlarmType: s.alarmType(t, name), History: alarmevent.HistoryAction,
		},
		Result: result, ActionID: r.ActionID,
	}
	if of != nil && of.Event != nil {
		e := of.Event
		entry.AlarmType = of.AlarmType
		result.StateUpdated = e.New.StateUpdated
		if e.Muted != nil {
			result.MuteWindowEnd = e.Muted.End
		}
		if c := e.Contributor; c != nil {
			result.Contributor, result.StateUpdated = true, c.New.StateUpdated
			entry.History, entry.Contributor, entry.ContributorAttributes = alarmevent.HistoryContributorAction, c.ID, c.Attributes
		}
	}
	s.staged = append(s.staged, entry)
}
