// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/nephoscope/nephoscope/extension/alarmextension/internal/journal"
	"github.com/nephoscope/nephoscope/extension/alarmextension/internal/metadata"
	"github.com/nephoscope/nephoscope/internal/actions"
	"github.com/nephoscope/nephoscope/internal/clock"
	"github.com/nephoscope/nephoscope/pkg/alarm"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// Settings are what a service is made with.
type Settings struct {
	Client storage.Client
	// Reader has the data of before the start, Bands and Insights what some alarms need; nil for none.
	Reader   cloudwatch.MetricReader
	Bands    alarm.BandSource
	Insights alarm.InsightsSource
	// Dispatcher delivers actions; nil for none.
	Dispatcher actions.Dispatcher

	MaxAlarms, MaxMuteRules        int
	MaxHistory, MaxHistoryPerAlarm int
	MaxUndelivered                 int
	HistoryRetention               time.Duration

	Clock     clock.Clock
	Logger    *zap.Logger
	Telemetry *metadata.TelemetryBuilder
}

// maxCatchUp is how late an evaluation may be to be done still. The machine may have slept for days.
const maxCatchUp = 5 * time.Minute

// Service holds alarms. It is safe for concurrent use.
type Service struct {
	set     Settings
	engine  *alarm.Engine
	journal *journal.Journal
	logger  *zap.Logger

	// mu is held by whoever changes an alarm, until the change is committed.
	mu sync.Mutex
	// owned is what the service itself knows of alarms and mute rules.
	owned  map[journal.RowKey]*owned
	byKind map[journal.RowKind]int
	states map[alarm.State]int64
	// staged is what happened and is not committed yet: nothing, unless the storage failed. changed are the rows.
	staged  []*journal.Entry
	changed map[journal.RowKey]struct{}

	// wake tells the scheduler that something else may be due first.
	wake    chan struct{}
	actions *outbox
	events  *outbox

	registration eventsRegistration

	// run is set between Start and Stop.
	running sync.WaitGroup
	cancel  context.CancelFunc
	// stopped is guarded by mu.
	stopped bool
}

// owned is what the service itself knows of an alarm or mute rule.
type owned struct {
	tags []alarm.Tag
	// file is whether it came from a file.
	file bool
}

// Open reads what is stored. Nothing runs before Start.
func Open(ctx context.Context, set Settings) (*Service, error) {
	s := &Service{
		set: set, logger: set.Logger,
		owned: map[journal.RowKey]*owned{}, byKind: map[journal.RowKind]int{}, states: map[alarm.State]int64{},
		changed: map[journal.RowKey]struct{}{}, wake: make(chan struct{}, 1),
	}
	s.engine = alarm.NewEngine(alarm.EngineSettings{
		Reader: set.Reader, Bands: set.Bands, Insights: set.Insights, TrackChanges: true, MaxCatchUp: maxCatchUp,
		MaxAlarms: set.MaxAlarms, MaxMuteRules: set.MaxMuteRules,
	})
	var err error
	s.journal, err = journal.Open(ctx, journal.Settings{
		Client: set.Client, Retention: set.HistoryRetention, MaxItems: set.MaxHistory, MaxItemsPerAlarm: set.MaxHistoryPerAlarm,
		MaxPending: set.MaxUndelivered, GivenUp: s.givenUp,
	}, s.Now(), s.restore)
	if err != nil {
		return nil, err
	}
	s.engine.Dirty() // what was restored is what is stored
	s.actions = newOutbox(s, journal.SinkActions, s.deliverActions)
	s.events = newOutbox(s, journal.SinkEvents, s.deliverEvents)
	if set.Dispatcher != nil {
		set.Dispatcher.OnResult(s.takeResults)
	}
	return s, nil
}

// Start begins to evaluate and to deliver.
func (s *Service) Start() {
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	for _, run := range []func(context.Context){s.schedule, s.actions.run, s.events.run} {
		s.running.Go(func() { run(ctx) })
	}
}

// Stop ends what runs, and keeps what was not kept yet.
func (s *Service) Stop(ctx context.Context) error {
	if s.cancel != nil {
		s.cancel()
		s.running.Wait()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
	return s.flush(ctx)
}

// Engine is for reading only.
func (s *Service) Engine() *alarm.Engine { return s.engine }

// Now is the service's time.
func (s *Service) Now() time.Time { return s.set.Clock.Now() }

// Watches is whether some alarm reads a metric of this namespace and name.
func (s *Service) Watches(namespace, metric string) bool { return s.engine.Watches(namespace, metric) }

// Observe shows data to the alarms.
func (s *Service) Observe(t cloudwatch.Tenant, data []cloudwatch.Datum) {
	s.engine.Observe(t, data, s.Now())
}

// ErrStorage is returned, wrapped, when what happened cannot be kept for now. It is tried again.
var ErrStorage = errors.New("storage unavailable")

// change changes alarms and commits that.
func (s *Service) change(ctx context.Context, f func(now time.Time) ([]alarm.Event, error)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.settle(ctx); err != nil {
		return err
	}
	events, err := f(s.Now())
	if err != nil {
		return err
	}
	s.stage(ctx, events)
	// It has happened: that the client went away does not undo it.
	return s.flush(context.WithoutCancel(ctx))
}

// settle commits what could not be committed before. As long as that fails, nothing more may happen.
func (s *Service) settle(ctx context.Context) error {
	if len(s.staged) == 0 && len(s.changed) == 0 {
		return nil
	}
	return s.flush(ctx)
}

// flush commits what happened. With an error it stays staged.
func (s *Service) flush(ctx context.Context) error {
	for _, k := range s.engine.Dirty() {
		s.changed[journal.RowKey{Kind: journal.RowAlarm, Tenant: k.Tenant, Name: k.Name}] = struct{}{}
	}
	if len(s.staged) == 0 && len(s.changed) == 0 {
		return nil
	}
	c := &journal.Change{Now: s.Now(), Entries: s.staged}
	for k := range s.changed {
		row, ok, err := s.row(k)
		switch {
		case err != nil:
			return err
		case ok:
			c.Put = append(c.Put, row)
		default:
			c.Delete = append(c.Delete, k)
		}
	}
	if err := s.journal.Commit(ctx, c); err != nil {
		s.set.Telemetry.ExtensionAlarmCommitFailures.Add(ctx, 1)
		s.logger.Error("what happened to alarms cannot be kept; nothing of it leaves until it is", zap.Error(err))
		return fmt.Errorf("%w: %w", ErrStorage, err)
	}
	s.staged = nil
	clear(s.changed)
	s.actions.signal()
	s.events.signal()
	select {
	case s.wake <- struct{}{}:
	default:
	}
	return nil
}

// givenUp counts what waited for too long.
func (s *Service) givenUp(sink journal.Sink, entries int) {
	s.countGivenUp(context.Background(), sink, entries)
	s.logger.Error("transitions of alarms were given up: too many wait", zap.Stringer("sink", sink), zap.Int("entries", entries))
}

func (s *Service) countGivenUp(ctx context.Context, sink journal.Sink, entries int) {
	s.set.Telemetry.ExtensionAlarmGivenUp.Add(ctx, int64(entries), metric.WithAttributes(attribute.String("sink", sink.String())))
}

// States counts the alarms in each state.
func (s *Service) States() map[alarm.State]int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	counts := map[alarm.State]int64{alarm.StateOK: 0, alarm.StateAlarm: 0, alarm.StateInsufficientData: 0}
	maps.Copy(counts, s.states)
	return counts
}

// Undelivered is how many entries wait for a sink.
func (s *Service) Undelivered(sink journal.Sink) int64 {
	_, all := s.journal.Pending(sink, 0)
	return int64(all)
}
