// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package backtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/nephoscope/nephoscope/cmd/neph/internal/alarms/notation"
	"github.com/nephoscope/nephoscope/pkg/alarm"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch/metricmemory"
)

// Source has the data of the past.
type Source interface {
	cloudwatch.MetricReader
}

// directSource is a source that has no distributions, and answers statistics that need them in periods.
type directSource interface {
	phases(ctx context.Context, t cloudwatch.Tenant, in *alarm.Input, start, end, step int64) (*phases, error)
}

// MaxDataBytes is how long a file of data may be.
const MaxDataBytes = 2 << 30

// Files is data from files.
type Files struct {
	*metricmemory.Memory
	// First and Last are the times of the oldest and newest data.
	First, Last time.Time
	// Notes are what was taken for granted.
	Notes []string

	tenant cloudwatch.Tenant
	// named are the metrics of files and results that do not say whose data they have, "" for all others.
	named map[string]namedMetric
	// wanted are the metrics that the alarms read.
	wanted []alarm.Input
	// ids are the metrics by the id of their query in an alarm. Those that two alarms use for different metrics are nil.
	ids map[string]*alarm.Input
}

type namedMetric struct {
	metric cloudwatch.Metric
	unit   string
}

// NewFiles prepares to read files for alarms. names says what data that has no names is of: a metric for all of it, or
// FILE=METRIC and ID=METRIC.
func NewFiles(t cloudwatch.Tenant, alarms []*alarm.Definition, names []string) (*Files, error) {
	f := &Files{Memory: metricmemory.New(0), tenant: t, named: map[string]namedMetric{}, ids: map[string]*alarm.Input{}}
	for _, text := range names {
		name, metric := "", text
		if i := strings.IndexByte(text, '='); i >= 0 && i < strings.IndexAny(text+"{", "/{") {
			name, metric = text[:i], text[i+1:]
		}
		m, unit, err := notation.Metric(metric)
		if err != nil {
			return nil, fmt.Errorf("--metric %s: %w", text, err)
		}
		f.named[name] = namedMetric{m, unit}
	}
	for _, d := range alarms {
		if d.Metric != nil {
			f.want(d.Metric)
		}
	}
	return f, nil
}

func (f *Files) want(m *alarm.MetricAlarm) {
	rule, err := alarm.NewRule(m)
	if err != nil {
		return // it is reported when the alarm is run
	}
	inputs := rule.Inputs()
	for i := range inputs {
		if !slices.ContainsFunc(f.wanted, func(in alarm.Input) bool { return cloudwatch.CompareMetrics(&in.Metric, &inputs[i].Metric) == 0 }) {
			f.wanted = append(f.wanted, inputs[i])
		}
	}
	n := 0
	for _, q := range m.Metrics {
		if q.Metric == nil {
			continue
		}
		if n < len(inputs) {
			other, there := f.ids[q.ID]
			if there && (other == nil || cloudwatch.CompareMetrics(&other.Metric, &inputs[n].Metric) != 0) {
				f.ids[q.ID] = nil
			} else {
				f.ids[q.ID] = &inputs[n]
			}
		}
		n++
	}
}

// metricOf is the metric of data without a name, by the name of its file or its id.
func (f *Files) metricOf(names ...string) (namedMetric, error) {
	for _, name := range append(names, "") {
		if m, ok := f.named[name]; ok {
			return m, nil
		}
	}
	if len(f.wanted) == 1 {
		m := f.wanted[0]
		unit := m.Unit
		if unit == "" {
			unit = cloudwatch.UnitNone
		}
		f.note("%s has no name: it is taken to be the one metric that the alarms read, %s", names[0], notation.FormatMetric(&m.Metric, ""))
		return namedMetric{m.Metric, unit}, nil
	}
	wanted := make([]string, len(f.wanted))
	for i := range f.wanted {
		wanted[i] = notation.FormatMetric(&f.wanted[i].Metric, "")
	}
	return namedMetric{}, fmt.Errorf("%s does not say which metric it is: give --metric '%s=METRIC', with one of %s",
		names[0], names[0], strings.Join(wanted, ", "))
}

func (f *Files) note(format string, args ...any) {
	if n := fmt.Sprintf(format, args...); !slices.Contains(f.Notes, n) {
		f.Notes = append(f.Notes, n)
	}
}

// Read reads a file: CSV, Parquet, or the JSON of `aws cloudwatch get-metric-data`.
func (f *Files) Read(ctx context.Context, path string) error {
	var err error
	switch ext := strings.ToLower(filepath.Ext(path)); ext {
	case ".parquet":
		err = f.readParquet(ctx, path)
	case ".csv", ".json":
		err = f.readOpen(path, map[string]func(string, io.Reader) error{".csv": f.readCSV, ".json": f.readJSON}[ext])
	default:
		err = errors.New("the file is not .csv, .parquet or .json")
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func (f *Files) readOpen(path string, read func(string, io.Reader) error) error {
	file, err := os.Open(path) //nolint:gosec // a file that the user names
	if err != nil {
		return err
	}
	return errors.Join(read(filepath.Base(path), &bounded{r: file, left: MaxDataBytes}), file.Close())
}

// bounded fails when there is more.
type bounded struct {
	r    io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, fmt.Errorf("longer than %d bytes", int64(MaxDataBytes))
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

// add adds data of the files' tenant.
func (f *Files) add(data ...cloudwatch.Datum) error {
	for i := range data {
		at := time.UnixMilli(data[i].TimestampMs).UTC()
		if f.First.IsZero() || at.Before(f.First) {
			f.First = at
		}
		if at.After(f.Last) {
			f.Last = at
		}
	}
	return f.Add(f.tenant, data)
}
