// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package simulation runs alarms over a virtual clock: the collector's own engine, with data from memory.
package simulation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nephoscope/nephoscope/pkg/alarm"
	"github.com/nephoscope/nephoscope/pkg/alarm/alarmdata"
	"github.com/nephoscope/nephoscope/pkg/alarm/definitions"
	"github.com/nephoscope/nephoscope/pkg/anomaly"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// DefaultPhase is when alarms are evaluated, after each minute (or hour) began. CloudWatch evaluates each alarm at a second
// of the minute of its own, and an alarm on a metric looks at a minute ten seconds after it ended: in this phase that is as
// soon as it can be.
const DefaultPhase = 10 * time.Second

// Phase is a phase for all alarms, as [alarm.EngineSettings] takes it.
func Phase(phase time.Duration) func(string, time.Duration) time.Duration {
	return func(_ string, interval time.Duration) time.Duration { return phase % interval }
}

// Sources answer for the data, the bands and the Metrics Insights queries of alarms from one reader.
func Sources(reader cloudwatch.MetricReader) (alarm.BandSource, alarm.InsightsSource) {
	return &alarmdata.Bands{Models: anomaly.NewModels(anomaly.Settings{Reader: reader})}, &alarm.ReaderInsights{Reader: reader}
}

// NewEngine returns an engine over a reader.
func NewEngine(reader cloudwatch.MetricReader, phase time.Duration) *alarm.Engine {
	bands, insights := Sources(reader)
	return alarm.NewEngine(alarm.EngineSettings{Reader: reader, Bands: bands, Insights: insights, Phase: Phase(phase)})
}

// Put puts alarms and mute rules. A composite alarm comes after those that its rule names, in whatever order they are given.
func Put(ctx context.Context, e *alarm.Engine, t cloudwatch.Tenant, set *definitions.Set, now time.Time) ([]alarm.Event, error) {
	var events []alarm.Event
	put := func(d *definitions.Definition) error {
		more, err := e.Put(ctx, t, d.Alarm, now)
		events = append(events, more...)
		if err != nil {
			return fmt.Errorf("%s:%d: %s: %w", d.Source.File, d.Source.Line, d.Alarm.Name, err)
		}
		return nil
	}
	var composites []*definitions.Definition
	for i := range set.Alarms {
		d := &set.Alarms[i]
		if d.Alarm.Composite != nil {
			composites = append(composites, d)
			continue
		}
		if err := put(d); err != nil {
			return nil, err
		}
	}
	for len(composites) > 0 {
		var waiting []*definitions.Definition
		var failed []error
		for _, d := range composites {
			if err := put(d); err != nil {
				waiting, failed = append(waiting, d), append(failed, err)
			}
		}
		if len(waiting) == len(composites) {
			return nil, errors.Join(failed...)
		}
		composites = waiting
	}
	for _, r := range set.MuteRules {
		more, err := e.PutMuteRule(t, *r.Rule, now)
		events = append(events, more...)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %s: %w", r.Source.File, r.Source.Line, r.Rule.Name, err)
		}
	}
	return events, nil
}

// Name is the name of the alarm of an ARN. What is none is a name already.
func Name(arn string) string {
	if _, name, ok := alarm.ParseARN(arn); ok {
		return name
	}
	return arn
}
