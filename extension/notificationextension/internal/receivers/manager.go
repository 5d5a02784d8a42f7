// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package receivers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/config/receiver"
	"github.com/prometheus/alertmanager/dispatch"
	"github.com/prometheus/alertmanager/eventrecorder"
	"github.com/prometheus/alertmanager/featurecontrol"
	"github.com/prometheus/alertmanager/inhibit"
	"github.com/prometheus/alertmanager/marker"
	"github.com/prometheus/alertmanager/nflog"
	"github.com/prometheus/alertmanager/nflog/nflogpb"
	"github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/alertmanager/notify/email"
	"github.com/prometheus/alertmanager/provider/mem"
	"github.com/prometheus/alertmanager/silence"
	"github.com/prometheus/alertmanager/silence/silencepb"
	"github.com/prometheus/alertmanager/template"
	"github.com/prometheus/alertmanager/timeinterval"
	"github.com/prometheus/client_golang/prometheus"
	commoncfg "github.com/prometheus/common/config"

	"github.com/nephoscope/nephoscope/extension/notificationextension/internal/records"
)

// Settings is what a manager is made of.
type Settings struct {
	Config *Config
	Store  *records.Store
	// ExternalURL is what notifications link to.
	ExternalURL string
	// NoDataSeverity is the severity of the alert that says that an alarm has no data, or SeverityOff.
	NoDataSeverity string
	// Observe is told of each attempt of the tree of routes.
	Observe func(integration string, delivered, again bool)
	Logger  *slog.Logger
	Now     func() time.Time
}

const (
	gcInterval          = 30 * time.Minute
	maintenanceInterval = 30 * time.Second
	// retention is how long the notification log and silences are kept: longer than the usual repeat intervals.
	retention = 5 * 24 * time.Hour
	// refreshInterval is how often alerts are given to Alertmanager again that have changed within refreshAge: its workers
	// may have taken two changes in the wrong order.
	refreshInterval = time.Minute
	refreshAge      = 5 * time.Minute
)

// Manager is Alertmanager without its cluster, its user interface and its files.
type Manager struct {
	set      Settings
	registry *prometheus.Registry
	book     *alertBook

	log         *nflog.Log
	keptLog     *notificationLog
	silences    *silence.Silences
	keptSilence *silenceLog
	silencer    *silence.Silencer
	inhibitor   *inhibit.Inhibitor
	groups      marker.GroupMarker
	alerts      *mem.Alerts
	dispatcher  *dispatch.Dispatcher

	integrations map[string][]notify.Integration
	tmpl         *template.Template
	mailer       *email.Email
	mailBound    *bounded

	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

// Open reads what is kept and builds the receivers. Nobody is told anything before Start.
func Open(ctx context.Context, set Settings) (*Manager, error) {
	m := &Manager{set: set, registry: prometheus.NewRegistry()}
	m.ctx, m.cancel = context.WithCancel(context.Background())
	if err := m.open(ctx); err != nil {
		m.cancel()
		if m.alerts != nil {
			m.alerts.Close()
		}
		return nil, err
	}
	return m, nil
}

func (m *Manager) open(ctx context.Context) error {
	now := m.set.Now()
	var err error
	if m.book, err = openAlertBook(ctx, m.set.Store, now); err != nil {
		return err
	}
	var snapshot []byte
	if m.keptLog, snapshot, err = openProtoLog[nflogpb.MeshEntry](ctx, m.set.Store, "notified", now, entryKey); err != nil {
		return err
	}
	keep := max(retention, 2*longestRepeat(m.set.Config))
	m.log, err = nflog.New(nflog.Options{
		SnapshotReader: bytes.NewReader(snapshot), Retention: keep, Logger: m.set.Logger, Metrics: m.registry,
	})
	if err != nil {
		return fmt.Errorf("read the notification log: %w", err)
	}
	m.log.SetBroadcast(m.keptLog.put)

	if m.keptSilence, snapshot, err = openProtoLog[silencepb.MeshSilence](ctx, m.set.Store, "silences", now, silenceKey); err != nil {
		return err
	}
	recorder := eventrecorder.NopRecorder()
	m.silences, err = silence.New(silence.Options{
		SnapshotReader: bytes.NewReader(snapshot), Retention: retention, Logger: m.set.Logger, Metrics: m.registry,
		Limits:        silence.Limits{MaxSilences: maxSilences, MaxSilenceSizeBytes: maxSilenceSize},
		EventRecorder: recorder,
	})
	if err != nil {
		return fmt.Errorf("read the silences: %w", err)
	}
	m.silences.SetBroadcast(m.keptSilence.put)
	m.silencer = silence.NewSilencer(m.silences, m.set.Logger, recorder)
	m.groups = marker.NewGroupMarker()
	m.alerts, err = mem.NewAlerts( //nolint:contextcheck // it lives on after Start
		m.ctx, gcInterval, 0, m.silencer, m.set.Logger, recorder, m.registry, featurecontrol.NoopFlags{})
	if err != nil {
		return err
	}
	return m.build(recorder)
}

func maxSilences() int    { return 10_000 }
func maxSilenceSize() int { return 64 << 10 }

// longestRepeat is the greatest repeat_interval: what was told has to be known for longer.
func longestRepeat(c *Config) time.Duration {
	var longest time.Duration
	dispatch.NewRoute(c.Route, nil).Walk(func(r *dispatch.Route) { longest = max(longest, r.RouteOpts.RepeatInterval) })
	return longest
}

// build makes the receivers and the tree of routes.
func (m *Manager) build(recorder eventrecorder.Recorder) error {
	cfg := m.set.Config
	tmpl, err := template.FromGlobs(cfg.Templates)
	if err != nil {
		return fmt.Errorf("read the templates: %w", err)
	}
	if tmpl.ExternalURL, err = url.Parse(m.set.ExternalURL); err != nil {
		return err
	}
	m.tmpl = tmpl
	m.newMailer()
	m.integrations = make(map[string][]notify.Integration, len(cfg.Receivers))
	counted := make(map[string][]notify.Integration, len(cfg.Receivers))
	for _, r := range cfg.Receivers {
		list, err := receiver.BuildReceiverIntegrations(r, tmpl, m.set.Logger, commoncfg.WithKeepAlivesDisabled(), commoncfg.WithDialContextFunc(dial))
		if err != nil {
			return fmt.Errorf("receiver %q: %w", r.Name, err)
		}
		for i := range list {
			n := &list[i]
			wrap := func(observe func(string, bool, bool)) notify.Integration {
				return notify.NewIntegration(newBounded(n, observe), n, n.Name(), n.Index(), r.Name)
			}
			m.integrations[r.Name] = append(m.integrations[r.Name], wrap(func(string, bool, bool) {}))
			counted[r.Name] = append(counted[r.Name], wrap(m.set.Observe))
		}
	}
	intervals := make(map[string][]timeinterval.TimeInterval, len(cfg.TimeIntervals)+len(cfg.MuteTimeIntervals))
	for _, t := range cfg.MuteTimeIntervals {
		intervals[t.Name] = t.TimeIntervals
	}
	for _, t := range cfg.TimeIntervals {
		intervals[t.Name] = t.TimeIntervals
	}
	flags := featurecontrol.NoopFlags{}
	m.inhibitor = inhibit.NewInhibitor(m.alerts, cfg.InhibitRules, m.set.Logger, recorder)
	stage := notify.NewPipelineBuilder(m.registry, flags, recorder).New(
		counted, func() time.Duration { return 0 }, m.inhibitor, m.silencer, timeinterval.NewIntervener(intervals), m.groups, m.log, nil)
	m.dispatcher = dispatch.NewDispatcher(
		m.alerts, dispatch.NewRoute(cfg.Route, nil), stage, m.groups,
		func(d time.Duration) time.Duration { return max(d, notify.MinTimeout) },
		maintenanceInterval, nil, m.set.Logger, recorder, dispatch.NewDispatcherMetrics(false, m.registry, flags), tmpl)
	return nil
}

// Start begins to tell receivers of what is kept and what comes.
func (m *Manager) Start() error {
	m.wg.Go(m.inhibitor.Run)
	if err := m.put(m.book.filter(func(*kept) bool { return true })); err != nil {
		return err
	}
	m.inhibitor.WaitForLoading()
	m.wg.Go(func() { m.dispatcher.Run(time.Now()) })
	m.dispatcher.WaitForLoading()
	m.wg.Go(m.maintain)
	return nil
}

func (m *Manager) put(list []*kept) error {
	alerts := make([]*alert.Alert, 0, len(list))
	var errs []error
	for _, k := range list {
		a := k.alert()
		if err := a.Validate(); err != nil {
			errs = append(errs, fmt.Errorf("alert of %s: %w", k.Labels[labelAlarmARN], err))
			continue
		}
		alerts = append(alerts, a)
	}
	return errors.Join(append(errs, m.alerts.Put(m.ctx, alerts...))...)
}

// maintain forgets what has expired.
func (m *Manager) maintain() {
	expire := time.NewTicker(gcInterval)
	defer expire.Stop()
	refresh := time.NewTicker(refreshInterval)
	defer refresh.Stop()
	for {
		var err error
		select {
		case <-m.ctx.Done():
			return
		case <-refresh.C:
			now := m.set.Now()
			err = m.put(m.book.filter(func(k *kept) bool { return now.Sub(k.UpdatedAt) < refreshAge }))
		case <-expire.C:
			now := m.set.Now()
			_, errLog := m.log.GC()
			_, errSilences := m.silences.GC()
			err = errors.Join(errLog, errSilences, m.book.expire(m.set.Store, now), m.keptLog.expire(now), m.keptSilence.expire(now))
		}
		if err != nil {
			m.set.Logger.Warn("maintenance of alerts failed", "err", err)
		}
	}
}

// Stop ends everything. What is kept is told after the next start.
func (m *Manager) Stop() {
	m.cancel()
	m.dispatcher.Stop()
	m.inhibitor.Stop()
	m.wg.Wait()
	m.alerts.Close()
}

// Integrations are the names of a receiver's integrations, slack[0] and so on.
func (m *Manager) Integrations(receiver string) []string {
	list := m.integrations[receiver]
	names := make([]string, 0, len(list))
	for i := range list {
		names = append(names, list[i].String())
	}
	return names
}

func (m *Manager) integration(receiver, name string) *notify.Integration {
	list := m.integrations[receiver]
	i := slices.IndexFunc(list, func(n notify.Integration) bool { return n.String() == name })
	if i < 0 {
		return nil
	}
	return &list[i]
}
