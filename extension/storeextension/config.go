// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package storeextension

import (
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/component"
)

// Config of the store extension.
type Config struct {
	// Directory holds the store's files. It is created when it is missing; one process at a time can have it open.
	Directory string `mapstructure:"directory"`
	// MemoryLimitMiB bounds the buffers of the database. The process needs 80 to 200 MiB beside them under load.
	MemoryLimitMiB int64 `mapstructure:"memory_limit_mib"`
	// Threads is how many threads a query may use. 0 means as many as there are processors.
	Threads int `mapstructure:"threads"`
	// Retention removes days that are older.
	Retention RetentionConfig `mapstructure:"retention"`
	// Queue bounds what waits to be written. Beyond it writes are refused, to be tried again.
	Queue QueueConfig `mapstructure:"queue"`
	// MinFreeDiskMiB is the room on the disk below which writes are refused, to be tried again. 0 switches the check off.
	MinFreeDiskMiB int64 `mapstructure:"min_free_disk_mib"`
	// MaxOpenDays is how many day files are written at the same time. More take turns.
	MaxOpenDays int `mapstructure:"max_open_days"`
	// MaxConcurrentReads is how many reads run at the same time. More wait.
	MaxConcurrentReads int `mapstructure:"max_concurrent_reads"`
	// MaxSeriesPerDay bounds the combinations of metric, unit and resolution in one UTC day.
	MaxSeriesPerDay int `mapstructure:"max_series_per_day"`
	// IdleClose is how long a day file stays open after its last use.
	IdleClose time.Duration `mapstructure:"idle_close"`
}

// RetentionConfig is how long each signal is kept, by whole UTC days. 0 keeps it forever.
type RetentionConfig struct {
	Logs    time.Duration `mapstructure:"logs"`
	Metrics time.Duration `mapstructure:"metrics"`
	Traces  time.Duration `mapstructure:"traces"`
}

// QueueConfig bounds the rows and bytes that wait to be written.
type QueueConfig struct {
	Rows    int64 `mapstructure:"rows"`
	SizeMiB int64 `mapstructure:"size_mib"`
}

var _ component.Config = (*Config)(nil)

const day = 24 * time.Hour

func createDefaultConfig() component.Config {
	return &Config{
		Directory:          ".nephoscope",
		MemoryLimitMiB:     512,
		Retention:          RetentionConfig{Metrics: 455 * day, Traces: 30 * day},
		Queue:              QueueConfig{Rows: 262_144, SizeMiB: 128},
		MinFreeDiskMiB:     128,
		MaxOpenDays:        8,
		MaxConcurrentReads: 8,
		MaxSeriesPerDay:    1_000_000,
		IdleClose:          time.Minute,
	}
}

// minMemoryMiB is what DuckDB needs for checkpoints and small queries.
const minMemoryMiB = 64

// Validate reports everything that is wrong.
func (c *Config) Validate() error {
	var errs []error
	if c.Directory == "" {
		errs = append(errs, errors.New(`"directory" is required: where the store keeps its files`))
	}
	if c.MemoryLimitMiB < minMemoryMiB {
		errs = append(errs, fmt.Errorf(`"memory_limit_mib" must be at least %d, got %d`, minMemoryMiB, c.MemoryLimitMiB))
	}
	for _, v := range []struct {
		option string
		value  int64
		min    int64
	}{
		{"threads", int64(c.Threads), 0},
		{"queue::rows", c.Queue.Rows, 1},
		{"queue::size_mib", c.Queue.SizeMiB, 1},
		{"min_free_disk_mib", c.MinFreeDiskMiB, 0},
		{"max_open_days", int64(c.MaxOpenDays), 1},
		{"max_concurrent_reads", int64(c.MaxConcurrentReads), 1},
		{"max_series_per_day", int64(c.MaxSeriesPerDay), 1},
	} {
		if v.value < v.min {
			errs = append(errs, fmt.Errorf("%q must be at least %d, got %d", v.option, v.min, v.value))
		}
	}
	for _, v := range []struct {
		option string
		value  time.Duration
	}{
		{"retention::logs", c.Retention.Logs},
		{"retention::metrics", c.Retention.Metrics},
		{"retention::traces", c.Retention.Traces},
	} {
		if v.value != 0 && v.value < day {
			errs = append(errs, fmt.Errorf("%q must be 0 (forever) or at least 24h, because whole days are removed, got %s", v.option, v.value))
		}
	}
	if c.IdleClose < time.Second {
		errs = append(errs, fmt.Errorf(`"idle_close" must be at least 1s, got %s`, c.IdleClose))
	}
	return errors.Join(errs...)
}
