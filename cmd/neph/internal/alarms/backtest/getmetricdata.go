// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package backtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// metricData is what `aws cloudwatch get-metric-data` prints.
type metricData struct {
	MetricDataResults []struct {
		ID         string            `json:"Id"`
		Label      string            `json:"Label"`
		Timestamps []json.RawMessage `json:"Timestamps"`
		Values     []float64         `json:"Values"`
		StatusCode string            `json:"StatusCode"`
	} `json:"MetricDataResults"`
	Messages  []struct{ Code, Value string } `json:"Messages"`
	NextToken string                         `json:"NextToken"`
}

// readJSON reads an answer of GetMetricData. Its values are statistics of periods: each is taken as the one sample of its
// time.
func (f *Files) readJSON(name string, r io.Reader) error {
	var answer metricData
	if err := json.NewDecoder(r).Decode(&answer); err != nil {
		return err
	}
	if answer.MetricDataResults == nil {
		return errors.New("there are no MetricDataResults: the file is no answer of GetMetricData")
	}
	if answer.NextToken != "" {
		f.note("%s has a NextToken: there is more data than it shows", name)
	}
	f.note("%s has statistics, not samples: an alarm over a longer period or of another statistic than theirs sees something else", name)
	for _, result := range answer.MetricDataResults {
		if len(result.Timestamps) != len(result.Values) {
			return fmt.Errorf("%s: %d timestamps and %d values", result.ID, len(result.Timestamps), len(result.Values))
		}
		m, err := f.metricOfResult(name, result.ID, result.Label)
		if err != nil {
			return err
		}
		data := make([]cloudwatch.Datum, 0, len(result.Values))
		for i, raw := range result.Timestamps {
			var text string
			if json.Unmarshal(raw, &text) != nil {
				text = string(raw) // a number
			}
			at, err := parseTime(text)
			if err != nil {
				return fmt.Errorf("%s: %w", result.ID, err)
			}
			data = append(data, cloudwatch.Datum{
				Metric: m.metric, Unit: m.unit, TimestampMs: at.UnixMilli(), StorageResolution: 60, Value: result.Values[i],
			})
		}
		if err := f.add(data...); err != nil {
			return err
		}
	}
	return nil
}

// metricOfResult is the metric of a result: the one that --metric gives its id, the one that has the id in an alarm, or the
// one whose name is its label.
func (f *Files) metricOfResult(file, id, label string) (namedMetric, error) {
	if m, ok := f.named[id]; ok {
		return m, nil
	}
	if in := f.ids[id]; in != nil {
		unit := in.Unit
		if unit == "" {
			unit = cloudwatch.UnitNone
		}
		return namedMetric{in.Metric, unit}, nil
	}
	var match []namedMetric
	for i := range f.wanted {
		if f.wanted[i].Metric.Name == label {
			unit := f.wanted[i].Unit
			if unit == "" {
				unit = cloudwatch.UnitNone
			}
			match = append(match, namedMetric{f.wanted[i].Metric, unit})
		}
	}
	if len(match) == 1 {
		return match[0], nil
	}
	return f.metricOf(id, file)
}
