// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/nephoscope/nephoscope/extension/alarmextension/internal/journal"
	"github.com/nephoscope/nephoscope/internal/actions"
	"github.com/nephoscope/nephoscope/pkg/alarm"
	"github.com/nephoscope/nephoscope/pkg/alarm/alarmevent"
)

// maxResults bounds the results of actions that wait to be written into history, and how many are written at once.
const (
	maxResults    = 1024
	resultsAtOnce = 256
)

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
	for i := range list {
		a := &list[i]
		s.takeResult(ctx, actions.Result{ActionID: a.ID, AlarmARN: a.AlarmARN, Target: a.Target, Time: s.Now(), Err: errNoDispatcher})
	}
	return nil
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
	n := alarmevent.SNS(e)
	model := actions.Action{
		Tenant: e.Tenant, Time: e.Time, AlarmARN: e.ARN, AlarmName: e.Alarm.Name,
		Old: before.State, New: after.State, Reason: after.Reason,
		Subject: n.Subject, Message: n.Message, SMS: n.SMS, Email: n.Email, Event: alarmevent.Lambda(e),
		Labels: alarmevent.Labels(e, entry.Tags), Annotations: alarmevent.Annotations(e, entry.Tags),
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

// takeResult keeps how an action ended until it is written. It waits when too many do.
func (s *Service) takeResult(ctx context.Context, r actions.Result) {
	outcome := "succeeded"
	if r.Err != nil {
		outcome = "failed"
	}
	s.set.Telemetry.ExtensionAlarmActionResults.Add(ctx, 1, metric.WithAttributes(attribute.String("outcome", outcome)))
	if r.Target == "" {
		return // CloudWatch has no such action
	}
	select {
	case s.results <- r:
	case <-s.stopped:
	case <-ctx.Done():
	}
}

// recordResults writes results into history, many at once.
func (s *Service) recordResults(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case r := <-s.results:
			s.mu.Lock()
			s.stageResult(ctx, r)
			s.stageResults(ctx)
			err := s.flush(context.WithoutCancel(ctx))
			s.mu.Unlock()
			if err != nil && !s.pause(ctx, retryEvaluation) {
				return
			}
		}
	}
}

// stageResults makes entries of the results that wait.
func (s *Service) stageResults(ctx context.Context) {
	for range resultsAtOnce {
		select {
		case r := <-s.results:
			s.stageResult(ctx, r)
		default:
			return
		}
	}
}

func (s *Service) stageResult(ctx context.Context, r actions.Result) {
	t, name, ok := alarm.ParseARN(r.AlarmARN)
	if !ok {
		s.logger.Warn("an action ended of what is no alarm", zap.String("arn", r.AlarmARN))
		return
	}
	of, err := s.entryOf(context.WithoutCancel(ctx), r.ActionID)
	if err != nil {
		s.logger.Warn("the transition of an action is not known", zap.String("action", r.ActionID), zap.Error(err))
	}
	result := &alarmevent.ActionResult{Resource: r.Target, StateUpdated: r.Time, Message: r.Message}
	if r.Err != nil {
		result.Error = r.Err.Error()
	}
	entry := &journal.Entry{
		Header: journal.Header{
			Time: r.Time, Tenant: t, Alarm: name, AlarmType: s.alarmType(t, name), History: alarmevent.HistoryAction,
		},
		Result: result,
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
