// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package anomaly

import (
	"fmt"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // time zones are part of what users configure, also where the system has no data of them

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// Range is a time range in Unix seconds, half-open.
type Range struct{ Start, End int64 }

// Config is how a model is trained. The zero value is the default.
type Config struct {
	// Excluded are ranges of the history that are not learned from.
	Excluded []Range
	// Location is the time zone of hours and days; nil is UTC.
	Location *time.Location
	// PeriodicSpikes says that spikes at the same time of each day are expected.
	PeriodicSpikes bool
	// Unit is the metric's, when it is known: Percent bounds the band.
	Unit string
}

// LoadLocation finds a time zone by its name in the IANA database.
func LoadLocation(name string) (*time.Location, error) {
	// Local is the time zone of this machine, which is nobody's business.
	if name == "" || name == "Local" {
		return nil, fmt.Errorf("%q is not the name of a time zone", name)
	}
	l, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("%q is not the name of a time zone", name)
	}
	return l, nil
}

func (c *Config) location() *time.Location {
	if c.Location == nil {
		return time.UTC
	}
	return c.Location
}

func (c *Config) excluded(at int64) bool {
	return slices.ContainsFunc(c.Excluded, func(r Range) bool { return r.Start <= at && at < r.End })
}

// key tells models of different configurations apart.
func (c *Config) key() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s|%t|%s|", c.location(), c.PeriodicSpikes, c.Unit)
	for _, r := range c.Excluded {
		fmt.Fprintf(&b, "%d-%d,", r.Start, r.End)
	}
	return b.String()
}

// State says how far a model's training is.
type State string

// The states.
const (
	StatePending          State = "PENDING_TRAINING"
	StateInsufficientData State = "TRAINED_INSUFFICIENT_DATA"
	StateTrained          State = "TRAINED"
)

// What a model learns from.
const (
	// History is how far back it looks.
	History = 14 * 24 * time.Hour
	// MinPoints and MinSpan are what it needs to have a band.
	MinPoints = 30
	MinSpan   = 3 * time.Hour
	// MinPeriod and MaxPeriod bound the periods that there are bands for.
	MinPeriod = time.Minute
	MaxPeriod = time.Hour
)

// Point is one value of the history.
type Point struct {
	// At is Unix seconds.
	At    int64
	Value float64
}

// Metric is the metric, statistic and period that a model is of.
type Metric struct {
	cloudwatch.Metric
	Stat   string
	Unit   string // "" any
	Period int64  // seconds
}
