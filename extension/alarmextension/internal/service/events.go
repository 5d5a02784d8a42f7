// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"context"
	"errors"
	"sync"

	"github.com/google/uuid"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"

	"github.com/nephoscope/nephoscope/extension/alarmextension/internal/journal"
	"github.com/nephoscope/nephoscope/pkg/alarm"
	"github.com/nephoscope/nephoscope/pkg/alarm/alarmevent"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// Attributes of the records of events.
const (
	attributeProvider   = "cloud.provider"
	attributeAccount    = "cloud.account.id"
	attributeRegion     = "cloud.region"
	attributeEventID    = "aws.event.id"
	attributeSource     = "aws.event.source"
	attributeDetailType = "aws.event.detail_type"
	attributeResources  = "aws.event.resources"

	scopeName = "github.com/nephoscope/nephoscope/extension/alarmextension"
)

// errTaken is of a second receiver.
var errTaken = errors.New("the events of alarms go to another receiver already: one receiver may be in many pipelines")

// eventsRegistration is who takes events.
type eventsRegistration struct {
	mu    sync.Mutex
	taker consumer.Logs
	busy  sync.WaitGroup
	ctx   context.Context //nolint:containedctx // of the registration
	// settled is set when all receivers are there that there will be.
	settled bool
	// ever is set when there was one.
	ever bool
}

// none is whether nobody takes events, now or later.
func (r *eventsRegistration) none() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.settled && !r.ever
}

// RegisterEvents makes c take what happens to alarms. The returned function ends that, and returns when the last call of c
// has ended.
func (s *Service) RegisterEvents(c consumer.Logs) (func(context.Context) error, error) {
	r := &s.registration
	ctx, cancel := context.WithCancel(context.Background())
	r.mu.Lock()
	if r.taker != nil {
		r.mu.Unlock()
		cancel()
		return nil, errTaken
	}
	r.taker, r.ever, r.ctx = c, true, ctx
	r.mu.Unlock()
	s.events.signal()
	return func(end context.Context) error {
		r.mu.Lock()
		r.taker = nil
		r.mu.Unlock()
		cancel()
		done := make(chan struct{})
		go func() {
			r.busy.Wait()
			close(done)
		}()
		select {
		case <-done:
			return nil
		case <-end.Done():
			return end.Err()
		}
	}, nil
}

// settledAtOnce bounds what becomes of no use at once: the first start with a hundred thousand alarms leaves as many.
const settledAtOnce = 10_000

// Settle says that all receivers are there that there will be. When there are none, what waits for them is of no use.
func (s *Service) Settle(ctx context.Context) error {
	r := &s.registration
	r.mu.Lock()
	r.settled = true
	none := !r.ever
	r.mu.Unlock()
	if !none {
		return nil
	}
	for {
		seqs, _ := s.journal.Pending(journal.SinkEvents, settledAtOnce)
		if len(seqs) == 0 {
			return nil
		}
		if err := s.journal.Acknowledge(ctx, journal.SinkEvents, seqs[len(seqs)-1]); err != nil {
			return err
		}
	}
}

// deliverEvents hands events to the pipelines. It returns when they have accepted them.
func (s *Service) deliverEvents(ctx context.Context, entries []*journal.Entry) error {
	r := &s.registration
	r.mu.Lock()
	taker, until := r.taker, r.ctx
	if taker == nil {
		r.mu.Unlock()
		return errNotNow
	}
	r.busy.Add(1)
	r.mu.Unlock()
	defer r.busy.Done()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(until, cancel)() //nolint:contextcheck // of the registration
	err := taker.ConsumeLogs(ctx, s.records(entries))
	if err != nil && consumererror.IsPermanent(err) {
		s.countGivenUp(ctx, journal.SinkEvents, len(entries))
		s.logger.Error("the pipeline refused events of alarms for good", zap.Error(err))
		return nil
	}
	return err
}

// records makes log records of events: the body is the event.
func (s *Service) records(entries []*journal.Entry) plog.Logs {
	ld := plog.NewLogs()
	scopes := map[cloudwatch.Tenant]plog.LogRecordSlice{}
	now := pcommon.NewTimestampFromTime(s.Now())
	for _, entry := range entries {
		e := entry.Event
		if e == nil {
			continue
		}
		v := alarmevent.EventBridge(e, s.eventID(entry.Seq))
		if v == nil {
			continue
		}
		list, ok := scopes[e.Tenant]
		if !ok {
			rl := ld.ResourceLogs().AppendEmpty()
			attrs := rl.Resource().Attributes()
			attrs.PutStr(attributeProvider, "aws")
			attrs.PutStr(attributeAccount, e.Tenant.Account)
			attrs.PutStr(attributeRegion, e.Tenant.Region)
			sl := rl.ScopeLogs().AppendEmpty()
			sl.Scope().SetName(scopeName)
			list = sl.LogRecords()
			scopes[e.Tenant] = list
		}
		lr := list.AppendEmpty()
		lr.SetTimestamp(pcommon.NewTimestampFromTime(e.Time))
		lr.SetObservedTimestamp(now)
		lr.SetEventName(v.DetailType)
		lr.SetSeverityNumber(severityNumber(entry))
		lr.SetSeverityText(lr.SeverityNumber().String())
		lr.Body().SetStr(v.JSON())
		attrs := lr.Attributes()
		attrs.PutStr(attributeEventID, v.ID)
		attrs.PutStr(attributeSource, v.Source)
		attrs.PutStr(attributeDetailType, v.DetailType)
		resources := attrs.PutEmptySlice(attributeResources)
		for _, arn := range v.Resources {
			resources.AppendEmpty().SetStr(arn)
		}
	}
	return ld
}

// eventID is the same whenever the event is handed over again.
func (s *Service) eventID(seq uint64) string {
	var b [8]byte
	for i := range b {
		b[i] = byte(seq >> (8 * (7 - i)))
	}
	return uuid.NewSHA1(uuid.MustParse(s.journal.Instance()), b[:]).String()
}

var severityNumbers = map[string]plog.SeverityNumber{
	alarmevent.SeverityCritical: plog.SeverityNumberFatal,
	alarmevent.SeverityError:    plog.SeverityNumberError,
	alarmevent.SeverityWarning:  plog.SeverityNumberWarn,
	alarmevent.SeverityInfo:     plog.SeverityNumberInfo,
	alarmevent.SeverityNone:     plog.SeverityNumberDebug,
}

// severityNumber is how grave what happened is.
func severityNumber(entry *journal.Entry) plog.SeverityNumber {
	e := entry.Event
	state := e.New.State
	if e.Contributor != nil {
		state = e.Contributor.New.State
	}
	switch e.Kind {
	case alarm.EventStateChanged, alarm.EventContributorChanged:
		switch state {
		case alarm.StateAlarm:
			return severityNumbers[alarmevent.Severity(e.Alarm, entry.Tags, state)]
		case alarm.StateInsufficientData:
			return plog.SeverityNumberWarn
		}
	}
	return plog.SeverityNumberInfo
}
