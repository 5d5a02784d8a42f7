// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

//go:build bench && unix

// Package alarmbench measures the evaluation of alarms beside that of Prometheus's alerting rules.
package alarmbench

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/pkg/alarm"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

const (
	alarms = 100_000
	// history is how many minutes of data there are before the measured ones, and rounds how many are measured.
	history, rounds = 10, 5
	threshold       = 80
	// perGroup is how many rules a group of Prometheus has.
	perGroup = 1000
)

var (
	start  = time.Date(2026, 9, 14, 12, 0, 0, 0, time.UTC)
	tenant = cloudwatch.Tenant{Account: "123456789012", Region: "us-east-1"}
)

// value is the load of a machine in a minute: not over the threshold while it is measured.
func value(machine, minute int) float64 {
	if minute >= history+rounds {
		return threshold + 1 // the measuring is over
	}
	return float64((machine*31+minute*7)%70) + 5
}

func machine(i int) string { return fmt.Sprintf("i-%017x", i) }

// TestAlarmsBesidePrometheus evaluates 100,000 alarms and 100,000 alerting rules over the same data, in one process on one
// core, a round of each in turn: one alarm and one rule for every machine, in force when the machine's load is over a
// threshold for five minutes. There is a sample a minute, nothing is in alarm, and every alarm and rule is evaluated
// once a round.
//
// Prometheus has its best chance. Its rules are of the cheapest kind, an instant selector of one series with "for: 5m",
// where the alarm computes the average of each of five periods. They are in groups of 1,000, its head block is in memory,
// groups are evaluated directly, without the manager's goroutines and timers, nothing is sent, and it does not
// write a sample, because no alert is pending. Our time is all of Advance: finding what is due at each alarm's own time
// of the minute included. The cost of taking the data in is not measured on either side.
//
// What one alerting rule over all machines would cost is printed beside it. That is another thing: with one threshold for
// all, and no state for a machine until its alert is pending.
func TestAlarmsBesidePrometheus(t *testing.T) {
	runtime.GOMAXPROCS(1)
	ours := newAlarms(t)
	theirs := newPrometheus(t)
	var our, their, one []time.Duration
	for minute := history; minute < history+rounds; minute++ {
		theirs.append(t, minute)
		ours.observe(minute)
		now := start.Add(time.Duration(minute+1) * time.Minute)
		runtime.GC()
		our = append(our, measure(func() { ours.evaluate(t, now) }))
		runtime.GC()
		their = append(their, measure(func() { theirs.evaluate(t, theirs.groups, now) }))
		runtime.GC()
		one = append(one, measure(func() { theirs.evaluate(t, theirs.all, now) }))
	}
	a, b, c := median(our), median(their), median(one)
	t.Logf("alarms:              %8s for %d, %6d ns each", a.Round(time.Millisecond), alarms, a.Nanoseconds()/alarms)
	t.Logf("Prometheus's rules:  %8s for %d, %6d ns each", b.Round(time.Millisecond), alarms, b.Nanoseconds()/alarms)
	t.Logf("ratio:               %.1f", float64(b)/float64(a))
	t.Logf("one rule over all:   %8s for %d series", c.Round(time.Millisecond), alarms)
	// Both would have seen a load over the threshold.
	for minute := history + rounds; minute < history+rounds+7; minute++ {
		now := start.Add(time.Duration(minute+1) * time.Minute)
		ours.observe(minute)
		ours.e.Advance(t.Context(), now)
		theirs.append(t, minute)
		theirs.evaluate(t, theirs.groups[:1], now)
	}
	require.Equal(t, map[alarm.State]int{alarm.StateAlarm: alarms}, ours.states())
	require.Len(t, theirs.groups[0].AlertingRules(), perGroup)
	for _, r := range theirs.groups[0].AlertingRules() {
		require.Equal(t, rules.StateFiring, r.State())
	}
	require.Less(t, a, time.Second)
	require.Greater(t, float64(b)/float64(a), 5.0)
}

// measure is the processor time of a call, that of the garbage collector included: others use the machine, too.
func measure(f func()) time.Duration {
	began := processorTime()
	f()
	return processorTime() - began
}

func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func median(all []time.Duration) time.Duration {
	all = slices.Sorted(slices.Values(all))
	return all[len(all)/2]
}

type ourAlarms struct {
	e    *alarm.Engine
	data []cloudwatch.Datum
}

func newAlarms(t *testing.T) *ourAlarms {
	t.Helper()
	o := &ourAlarms{e: alarm.NewEngine(alarm.EngineSettings{}), data: make([]cloudwatch.Datum, alarms)}
	limit := float64(threshold)
	for i := range alarms {
		dims := []cloudwatch.Dimension{{Name: "InstanceId", Value: machine(i)}}
		_, err := o.e.Put(t.Context(), tenant, &alarm.Definition{
			Name: "high-load-" + machine(i), ActionsEnabled: true,
			Metric: &alarm.MetricAlarm{
				Namespace: "Fleet", MetricName: "Load", Dimensions: dims, Statistic: "Average", Period: 60, EvaluationPeriods: 5,
				Threshold: &limit, ComparisonOperator: alarm.GreaterThanThreshold,
			},
		}, start)
		require.NoError(t, err)
		o.data[i] = cloudwatch.Datum{
			Metric: cloudwatch.Metric{Namespace: "Fleet", Name: "Load", Dimensions: dims}, StorageResolution: 60, Unit: "None",
		}
	}
	for minute := range history {
		o.observe(minute)
		o.e.Advance(t.Context(), start.Add(time.Duration(minute+1)*time.Minute))
	}
	require.Equal(t, map[alarm.State]int{alarm.StateOK: alarms}, o.states())
	return o
}

func (o *ourAlarms) states() map[alarm.State]int {
	states := map[alarm.State]int{}
	o.e.Alarms(tenant, func(v alarm.View) bool {
		states[v.Status.State]++
		return true
	})
	return states
}

func (o *ourAlarms) observe(minute int) {
	at := start.Add(time.Duration(minute) * time.Minute)
	for i := range o.data {
		o.data[i].TimestampMs, o.data[i].Value = at.UnixMilli(), value(i, minute)
	}
	o.e.Observe(tenant, o.data, at)
}

func (o *ourAlarms) evaluate(t *testing.T, now time.Time) {
	t.Helper()
	require.Empty(t, o.e.Advance(t.Context(), now))
}

type prometheus struct {
	db     *tsdb.DB
	series []labels.Labels
	// groups have a rule for each machine, all has one for all of them.
	groups, all []*rules.Group
}

func newPrometheus(t *testing.T) *prometheus {
	t.Helper()
	nothing := slog.New(slog.DiscardHandler)
	options := tsdb.DefaultOptions()
	options.RetentionDuration = 0
	db, err := tsdb.Open(t.TempDir(), nothing, nil, options, nil)
	require.NoError(t, err)
	db.DisableCompactions()
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	p := &prometheus{db: db}
	for i := range alarms {
		p.series = append(p.series, labels.FromStrings("__name__", "fleet_load", "instance_id", machine(i)))
	}
	for minute := range history {
		p.append(t, minute)
	}
	engine := promql.NewEngine(promql.EngineOpts{
		Logger: nothing, MaxSamples: 10 * alarms, Timeout: time.Minute, LookbackDelta: 5 * time.Minute, Parser: parser.NewParser(parser.Options{}),
	})
	t.Cleanup(func() { require.NoError(t, engine.Close()) })
	manager := &rules.ManagerOptions{
		Context: context.Background(), Appendable: db, Queryable: db, QueryFunc: rules.EngineQueryFunc(engine, db), Logger: nothing,
		NotifyFunc: func(context.Context, string, ...*rules.Alert) {},
	}
	rules.NewManager(manager) // it sets the options that have defaults
	var some []rules.Rule
	for i := range alarms {
		some = append(some, rule(t, machine(i), fmt.Sprintf(`fleet_load{instance_id=%q} > %d`, machine(i), threshold), nothing))
		if len(some) == perGroup {
			p.groups = append(p.groups, group(len(p.groups), manager, some))
			some = nil
		}
	}
	p.all = []*rules.Group{group(-1, manager, []rules.Rule{rule(t, "all", fmt.Sprintf(`fleet_load > %d`, threshold), nothing)})}
	debug.FreeOSMemory()
	return p
}

func rule(t *testing.T, name, text string, logger *slog.Logger) rules.Rule {
	t.Helper()
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(text)
	require.NoError(t, err)
	empty := labels.EmptyLabels()
	return rules.NewAlertingRule(name, expr, 5*time.Minute, 0, empty, empty, empty, "", true, logger)
}

func group(i int, manager *rules.ManagerOptions, some []rules.Rule) *rules.Group {
	return rules.NewGroup(rules.GroupOptions{
		Name: fmt.Sprint("group ", i), File: "rules", Interval: time.Minute, Rules: some, Opts: manager,
	})
}

func (p *prometheus) append(t *testing.T, minute int) {
	t.Helper()
	at := start.Add(time.Duration(minute) * time.Minute).UnixMilli()
	a := p.db.Appender(t.Context())
	for i, series := range p.series {
		_, err := a.Append(0, series, at, value(i, minute))
		require.NoError(t, err)
	}
	require.NoError(t, a.Commit())
}

func (p *prometheus) evaluate(t *testing.T, groups []*rules.Group, now time.Time) {
	t.Helper()
	for _, g := range groups {
		g.Eval(t.Context(), now)
	}
	for _, r := range groups[0].Rules() {
		require.NoError(t, r.LastError())
		require.Equal(t, rules.HealthGood, r.Health())
	}
}
