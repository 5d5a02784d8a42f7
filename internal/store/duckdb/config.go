// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package duckdb

import (
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"
)

// Config of an [Engine]. The zero value of everything but Directory means the default.
type Config struct {
	// Directory holds all files. It is created when it is missing. Required.
	Directory string
	// MemoryLimit bounds DuckDB's buffer pool, in bytes. The process needs 80 to 200 MB beside it. Default 512 MB.
	MemoryLimit int64
	// Threads is how many threads a query may use. Default: the number of processors.
	Threads int
	// Retention removes whole days that are older. 0 keeps them forever.
	Retention Retention

	// QueueRows and QueueBytes bound what waits to be written. Defaults 262,144 rows and 128 MB.
	QueueRows  int64
	QueueBytes int64
	// CommitRows is how many rows one commit takes at most, unless a single call brings more. Default 8,192.
	CommitRows int
	// MaxOpenDays is how many day files are written at the same time. Default 8.
	MaxOpenDays int
	// MaxAttached is how many day files stay attached when nobody uses them. Default 32.
	MaxAttached int
	// MaxReads is how many read calls run at the same time; others wait for their turn. Default 8.
	MaxReads int
	// MaxSeriesPerDay bounds the distinct combinations of metric, unit and resolution in one day. Default 1,000,000.
	MaxSeriesPerDay int
	// MinFreeDisk is how many bytes must be free on the disk for writes to be taken. Default 128 MB.
	// A negative value switches the check off.
	MinFreeDisk int64
	// IdleClose is how long a file is kept open for writing after its last row. Default 1 minute.
	IdleClose time.Duration

	// Now is the clock of retention and of idle files. Default time.Now.
	Now func() time.Time
	// Logger receives what an operator should know. Default: none.
	Logger *zap.Logger
	// walLimit is the size in bytes of a write-ahead log at which it is folded into its file. Tests make it small.
	walLimit int64
	// blockRows is how many metric points make a block by series. Tests make it small.
	blockRows int64
	// Observer is told about commits and refusals, for metrics. Default: none.
	Observer Observer
}

// Retention is how long each signal is kept, by the day of its timestamps. 0 keeps it forever.
type Retention struct {
	Logs, Metrics, Traces time.Duration
}

// Observer is told what the engine does. Its methods must be quick and safe for concurrent use.
type Observer interface {
	// Committed is called after each commit attempt of a day file.
	Committed(signal string, rows int, took time.Duration, err error)
	// Refused is called when a write was refused with store.ErrUnavailable.
	Refused(signal string, rows int)
}

const (
	defaultMemoryLimit     = 512 << 20
	defaultQueueRows       = 262_144
	defaultQueueBytes      = 128 << 20
	defaultCommitRows      = 8_192
	defaultMaxOpenDays     = 8
	defaultMaxAttached     = 32
	defaultMaxReads        = 8
	defaultMaxSeriesPerDay = 1_000_000
	defaultMinFreeDisk     = 128 << 20
	defaultIdleClose       = time.Minute
	defaultWALLimit        = 64 << 20
)

func setDefault[T int | int64 | time.Duration](v *T, d T) {
	if *v == 0 {
		*v = d
	}
}

func (c *Config) withDefaults() {
	setDefault(&c.MemoryLimit, defaultMemoryLimit)
	setDefault(&c.QueueRows, defaultQueueRows)
	setDefault(&c.QueueBytes, defaultQueueBytes)
	setDefault(&c.CommitRows, defaultCommitRows)
	setDefault(&c.MaxOpenDays, defaultMaxOpenDays)
	setDefault(&c.MaxAttached, defaultMaxAttached)
	setDefault(&c.MaxReads, defaultMaxReads)
	setDefault(&c.MaxSeriesPerDay, defaultMaxSeriesPerDay)
	setDefault(&c.MinFreeDisk, defaultMinFreeDisk)
	setDefault(&c.IdleClose, defaultIdleClose)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = zap.NewNop()
	}
	if c.walLimit == 0 {
		// What is not folded yet is in memory, for each file being written.
		c.walLimit = min(defaultWALLimit, c.MemoryLimit/8)
	}
	if c.blockRows == 0 {
		c.blockRows = blockRows
	}
	if c.Observer == nil {
		c.Observer = noObserver{}
	}
}

// Validate reports everything that is wrong with the configuration.
func (c *Config) Validate() error {
	var errs []error
	if c.Directory == "" {
		errs = append(errs, errors.New("the Directory is required"))
	}
	for _, v := range []struct {
		name  string
		value int64
	}{
		{"MemoryLimit", c.MemoryLimit},
		{"Threads", int64(c.Threads)},
		{"Retention.Logs", int64(c.Retention.Logs)},
		{"Retention.Metrics", int64(c.Retention.Metrics)},
		{"Retention.Traces", int64(c.Retention.Traces)},
		{"QueueRows", c.QueueRows},
		{"QueueBytes", c.QueueBytes},
		{"CommitRows", int64(c.CommitRows)},
		{"MaxOpenDays", int64(c.MaxOpenDays)},
		{"MaxAttached", int64(c.MaxAttached)},
		{"MaxReads", int64(c.MaxReads)},
		{"MaxSeriesPerDay", int64(c.MaxSeriesPerDay)},
		{"IdleClose", int64(c.IdleClose)},
	} {
		if v.value < 0 {
			errs = append(errs, fmt.Errorf("%s must not be negative, got %d", v.name, v.value))
		}
	}
	return errors.Join(errs...)
}

type noObserver struct{}

func (noObserver) Committed(string, int, time.Duration, error) {}
func (noObserver) Refused(string, int)                         {}
