// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package metricstream

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// jsonPoint is a line. Value stays raw: its members are read in their order.
type jsonPoint struct {
	Stream     *string           `json:"metric_stream_name"`
	Account    *string           `json:"account_id"`
	Region     *string           `json:"region"`
	Namespace  *string           `json:"namespace"`
	Name       *string           `json:"metric_name"`
	Dimensions map[string]string `json:"dimensions"`
	Timestamp  *int64            `json:"timestamp"`
	Value      json.RawMessage   `json:"value"`
	Unit       string            `json:"unit"`
}

func decodeJSON(data []byte) ([]Point, error) {
	var points []Point
	for line := range bytes.Lines(data) {
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		p, err := decodeLine(line)
		if err == nil {
			err = p.check()
		}
		if err != nil {
			return nil, &Error{Point: len(points), Err: err}
		}
		points = append(points, p)
	}
	return points, nil
}

func decodeLine(line []byte) (p Point, err error) {
	var j jsonPoint
	if err := json.Unmarshal(line, &j); err != nil {
		return p, err
	}
	for _, m := range []struct {
		name string
		from *string
		to   *string
	}{
		{"metric_stream_name", j.Stream, &p.Stream},
		{"account_id", j.Account, &p.Tenant.Account},
		{"region", j.Region, &p.Tenant.Region},
		{"namespace", j.Namespace, &p.Metric.Namespace},
		{"metric_name", j.Name, &p.Metric.Name},
	} {
		if m.from == nil || *m.from == "" {
			return p, fmt.Errorf("%s is missing", m.name)
		}
		*m.to = *m.from
	}
	if j.Timestamp == nil {
		return p, errors.New("timestamp is missing")
	}
	p.TimestampMs = *j.Timestamp
	for name, value := range j.Dimensions {
		p.Metric.Dimensions = append(p.Metric.Dimensions, cloudwatch.Dimension{Name: name, Value: value})
	}
	cloudwatch.SortDimensions(p.Metric.Dimensions)
	if p.Unit = j.Unit; p.Unit == "" {
		p.Unit = cloudwatch.UnitNone
	}
	return p, p.decodeValue(j.Value)
}

// decodeValue reads the object of statistics.
func (p *Point) decodeValue(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return errors.New("value is not an object")
	}
	seen := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return err
		}
		name := t.(string)
		var v float64
		if err := d.Decode(&v); err != nil {
			return fmt.Errorf("value.%s: %w", name, err)
		}
		if seen[name] {
			return fmt.Errorf("value.%s occurs twice", name)
		}
		seen[name] = true
		switch name {
		case "count":
			p.SampleCount = v
		case "sum":
			p.Sum = v
		case "min":
			p.Minimum = v
		case "max":
			p.Maximum = v
		default:
			if _, ok := cloudwatch.ParseStatistic(name); !ok {
				return fmt.Errorf("value.%s is not a statistic", name)
			}
			p.Additional = append(p.Additional, Statistic{name, v})
		}
	}
	if _, err := d.Token(); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	for _, name := range []string{"count", "sum", "min", "max"} {
		if !seen[name] {
			return fmt.Errorf("value.%s is missing", name)
		}
	}
	return nil
}

func appendJSON(dst []byte, points []Point) ([]byte, error) {
	for i := range points {
		p := &points[i]
		if err := p.check(); err != nil {
			return dst, &Error{Point: i, Err: err}
		}
		dst = appendString(append(dst, `{"metric_stream_name":`...), p.Stream)
		dst = appendString(append(dst, `,"account_id":`...), p.Tenant.Account)
		dst = appendString(append(dst, `,"region":`...), p.Tenant.Region)
		dst = appendString(append(dst, `,"namespace":`...), p.Metric.Namespace)
		dst = appendString(append(dst, `,"metric_name":`...), p.Metric.Name)
		dst = append(dst, `,"dimensions":{`...)
		for j, d := range p.Metric.Dimensions {
			if j > 0 {
				dst = append(dst, ',')
			}
			dst = appendString(dst, d.Name)
			dst = appendString(append(dst, ':'), d.Value)
		}
		dst = strconv.AppendInt(append(dst, `},"timestamp":`...), p.TimestampMs, 10)
		dst = appendNumber(append(dst, `,"value":{"max":`...), p.Maximum)
		dst = appendNumber(append(dst, `,"min":`...), p.Minimum)
		dst = appendNumber(append(dst, `,"sum":`...), p.Sum)
		dst = appendNumber(append(dst, `,"count":`...), p.SampleCount)
		for _, s := range p.Additional {
			if !cloudwatch.ValidValue(s.Value) {
				return dst, &Error{Point: i, Err: fmt.Errorf("%s is %g", s.Name, s.Value)}
			}
			dst = appendString(append(dst, ','), s.Name)
			dst = appendNumber(append(dst, ':'), s.Value)
		}
		dst = appendString(append(dst, `},"unit":`...), p.Unit)
		dst = append(dst, '}', '\n')
	}
	return dst, nil
}

func appendString(dst []byte, s string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		panic(err) // strings always encode
	}
	return append(dst, bytes.TrimSuffix(b.Bytes(), []byte("\n"))...)
}

// appendNumber writes a number as CloudWatch's streams do, with a fraction always.
func appendNumber(dst []byte, v float64) []byte {
	begin := len(dst)
	dst = strconv.AppendFloat(dst, v, 'g', -1, 64)
	if !slices.ContainsFunc(dst[begin:], func(b byte) bool { return strings.IndexByte(".eE", b) >= 0 }) {
		dst = append(dst, '.', '0')
	}
	return dst
}
