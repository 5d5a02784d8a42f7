// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package backtest

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/nephoscope/nephoscope/cmd/neph/internal/alarms/notation"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// columns are what the columns of a table may be called, without case, underscores and spaces.
var columns = map[string]string{
	"timestamp": "timestamp", "time": "timestamp", "ts": "timestamp", "date": "timestamp",
	"value":       "value",
	"samplecount": "n", "count": "n", "n": "n", "sum": "sum", "minimum": "min", "min": "min", "maximum": "max", "max": "max",
	"namespace": "namespace", "metric": "metric", "metricname": "metric", "name": "metric", "dimensions": "dimensions",
	"unit": "unit", "storageresolution": "resolution", "resolution": "resolution",
}

// table reads rows of columns.
type table struct {
	files *Files
	file  string
	place map[string]int // of a column
	// last is the metric of the row before: most rows are of the same.
	last     namedMetric
	lastText [4]string
	known    bool
}

func (f *Files) newTable(file string, header []string) (*table, error) {
	t := &table{files: f, file: file, place: map[string]int{}}
	for i, name := range header {
		folded := strings.NewReplacer("_", "", " ", "", "-", "").Replace(strings.ToLower(strings.TrimSpace(name)))
		column, ok := columns[folded]
		if !ok {
			return nil, fmt.Errorf("unknown column %q: there are timestamp, value, sample_count, sum, minimum, maximum, namespace, "+
				"metric_name, dimensions, unit and storage_resolution", name)
		}
		if _, twice := t.place[column]; twice {
			return nil, fmt.Errorf("two columns are %s", column)
		}
		t.place[column] = i
	}
	has := func(names ...string) bool {
		for _, n := range names {
			if _, ok := t.place[n]; !ok {
				return false
			}
		}
		return true
	}
	switch {
	case !has("timestamp"):
		return nil, errors.New("there is no column timestamp")
	case has("value") == has("n", "sum", "min", "max"):
		return nil, errors.New("there must be either a column value, or sample_count, sum, minimum and maximum")
	case has("namespace") != has("metric"), has("dimensions") && !has("metric"):
		return nil, errors.New("a column metric_name needs one namespace, and dimensions need both")
	}
	return t, nil
}

// text is a field of the row, "" when there is none.
func (t *table) text(row []string, column string) string {
	if i, ok := t.place[column]; ok && i < len(row) {
		return strings.TrimSpace(row[i])
	}
	return ""
}

// datum reads a row. ok is false for a row without a value.
func (t *table) datum(row []string) (d cloudwatch.Datum, ok bool, err error) {
	at, err := parseTime(t.text(row, "timestamp"))
	if err != nil {
		return d, false, err
	}
	m, err := t.metric(row)
	if err != nil {
		return d, false, err
	}
	d = cloudwatch.Datum{Metric: m.metric, Unit: m.unit, TimestampMs: at.UnixMilli(), StorageResolution: 60}
	if s := t.text(row, "resolution"); s != "" {
		if s != "1" && s != "60" {
			return d, false, fmt.Errorf("a storage resolution of %q is not 1 or 60", s)
		}
		if s == "1" {
			d.StorageResolution = 1
		}
	}
	if _, single := t.place["value"]; single {
		text := t.text(row, "value")
		if text == "" {
			return d, false, nil
		}
		d.Value, err = parseNumber("value", text)
		return d, true, err
	}
	set := &cloudwatch.StatisticSet{}
	for column, to := range map[string]*float64{"n": &set.SampleCount, "sum": &set.Sum, "min": &set.Minimum, "max": &set.Maximum} {
		text := t.text(row, column)
		if text == "" {
			return d, false, nil
		}
		if *to, err = parseNumber(column, text); err != nil {
			return d, false, err
		}
	}
	d.Statistics = set
	return d, set.SampleCount > 0, nil
}

func (t *table) metric(row []string) (namedMetric, error) {
	text := [4]string{t.text(row, "namespace"), t.text(row, "metric"), t.text(row, "dimensions"), t.text(row, "unit")}
	if t.known && text == t.lastText {
		return t.last, nil
	}
	var m namedMetric
	var err error
	if _, named := t.place["metric"]; named {
		m.metric, m.unit, err = notation.Metric(text[0] + "/" + text[1] + "{" + strings.Trim(text[2], "{}") + "} " + text[3])
		if err == nil && (m.metric.Namespace != text[0] || m.metric.Name != text[1]) {
			err = fmt.Errorf("%q, %q is not a metric", text[0], text[1])
		}
	} else if m, err = t.files.metricOf(t.file); err == nil && text[3] != "" {
		if m.unit = text[3]; !cloudwatch.ValidUnit(m.unit) {
			err = fmt.Errorf("%q is not a unit of CloudWatch", m.unit)
		}
	}
	if err != nil {
		return m, err
	}
	t.last, t.lastText, t.known = m, text, true
	return m, nil
}

func parseNumber(column, text string) (float64, error) {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, fmt.Errorf("%s: %q is not a number", column, text)
	}
	return v, nil
}

var layouts = []string{time.RFC3339Nano, "2006-01-02 15:04:05Z07:00", "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04"}

// parseTime reads a time; without a zone it is in UTC. A number is seconds or milliseconds since 1970.
func parseTime(text string) (time.Time, error) {
	if n, err := strconv.ParseFloat(text, 64); err == nil {
		switch {
		case n > 1e8 && n < 1e11:
			return time.UnixMilli(int64(math.Round(n * 1000))).UTC(), nil
		case n >= 1e11 && n < 1e14:
			return time.UnixMilli(int64(n)).UTC(), nil
		}
	}
	for _, layout := range layouts {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a time such as 2026-01-05T10:00:00Z, nor seconds or milliseconds since 1970", text)
}
