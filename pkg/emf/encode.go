// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package emf

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// MaxDocumentBytes is what a log event may have at most everywhere; newer limits are higher.
const MaxDocumentBytes = 256 << 10

// EncodeOptions of [Encode].
type EncodeOptions struct {
	// LogGroupName and LogStreamName tell an agent where to deliver the documents; left out when empty.
	LogGroupName, LogStreamName string
	// MaxBytes bounds a document; 0 means MaxDocumentBytes.
	MaxBytes int
}

// EncodeError says why a datum has no place in a document.
type EncodeError struct {
	Index  int // of the datum
	Reason Reason
	Detail string
}

func (e *EncodeError) Error() string {
	return fmt.Sprintf("datum %d: %s: %q", e.Index, e.Reason, e.Detail)
}

// Encode writes data as documents. Data of the same time, namespace and dimensions share one, as far as the limits of
// metrics and bytes allow; a metric that occurs twice needs two. A datum that the format cannot hold gives an
// [EncodeError] in errs; the others are written. [Extract] reads the same statistics and distributions back.
//
// Values whose samples are more than an array may hold, or whose counts are not whole, and statistic sets are written
// as objects, which CloudWatch reads although its specification does not list them.
func Encode(data []cloudwatch.Datum, opts EncodeOptions) (docs []string, errs []*EncodeError) {
	if opts.MaxBytes == 0 {
		opts.MaxBytes = MaxDocumentBytes
	}
	type group struct{ open *encoder }
	groups := make(map[string]*group)
	var order []*group
	var key []byte
	for i := range data {
		d := &data[i]
		if reason, detail := encodable(d); reason != "" {
			errs = append(errs, &EncodeError{i, reason, detail})
			continue
		}
		key = strconv.AppendInt(key[:0], d.TimestampMs, 10)
		key = append(key, 0)
		key = append(key, d.Namespace...)
		key = append(key, 0)
		key = cloudwatch.AppendDimensionsKey(key, d.Dimensions)
		g, ok := groups[string(key)]
		if !ok {
			g = &group{newEncoder(d, &opts)}
			groups[string(key)] = g
			order = append(order, g)
		}
		split := SplitValues(d)
		if len(split) > 1 && !allFit(d, split, &opts) { // all of a datum is written, or nothing
			errs = append(errs, &EncodeError{i, ReasonTooMuchData, d.Name})
			continue
		}
		for _, part := range split {
			if g.open.add(d, part, opts.MaxBytes) {
				continue
			}
			if len(g.open.names) > 0 {
				docs = append(docs, g.open.document())
				g.open = newEncoder(d, &opts)
			}
			if !g.open.add(d, part, opts.MaxBytes) {
				errs = append(errs, &EncodeError{i, ReasonTooMuchData, d.Name})
				break
			}
		}
	}
	for _, g := range order {
		if len(g.open.names) > 0 {
			docs = append(docs, g.open.document())
		}
	}
	return docs, errs
}

// encodable returns why a datum cannot be written, or "".
func encodable(d *cloudwatch.Datum) (Reason, string) {
	if !cloudwatch.ValidNamespace(d.Namespace, cloudwatch.CharsetUnicode) {
		return ReasonNamespace, d.Namespace
	}
	if !cloudwatch.ValidMetricName(d.Name, cloudwatch.CharsetUnicode) || d.Name == memberMetadata {
		return ReasonMetricDefinition, d.Name
	}
	if len(d.Dimensions) > cloudwatch.MaxDimensions || cloudwatch.HasDuplicateDimension(d.Dimensions) {
		return ReasonDimensionSet, ""
	}
	for _, dim := range d.Dimensions {
		switch {
		case !cloudwatch.ValidDimensionName(dim.Name, cloudwatch.CharsetUnicode) || dim.Name == memberMetadata:
			return ReasonDimensionSet, dim.Name
		case !cloudwatch.ValidDimensionValue(dim.Value, cloudwatch.CharsetUnicode):
			return ReasonDimensionValue, dim.Name
		case dim.Name == d.Name: // both would be the same member of the root
			return ReasonMetricDefinition, d.Name
		}
	}
	if !cloudwatch.ValidUnit(d.Unit) {
		return ReasonUnit, d.Unit
	}
	if d.StorageResolution != 1 && d.StorageResolution != 60 {
		return ReasonStorageResolution, strconv.Itoa(int(d.StorageResolution))
	}
	values := d.Values
	switch {
	case d.Statistics != nil:
		s := d.Statistics
		if !(s.SampleCount > 0) || !(s.Minimum <= s.Maximum) {
			return ReasonMetricValue, d.Name
		}
		values = []float64{s.Sum, s.Minimum, s.Maximum, s.SampleCount}
	case d.Values == nil:
		values = []float64{d.Value}
	case len(d.Values) != len(d.Counts):
		return ReasonMetricValue, d.Name
	}
	var samples float64
	for i, v := range values {
		if !cloudwatch.ValidValue(v) {
			return ReasonMetricValue, d.Name
		}
		if d.Values != nil && d.Statistics == nil {
			if !(d.Counts[i] >= 0 && cloudwatch.ValidValue(d.Counts[i])) {
				return ReasonMetricValue, d.Name
			}
			samples += d.Counts[i]
		}
	}
	if d.Values != nil && d.Statistics == nil && samples == 0 { // a reader takes it for nothing
		return ReasonMetricValue, d.Name
	}
	return "", ""
}

// allFit reports whether each part has room in a document of its own.
func allFit(d *cloudwatch.Datum, split []cloudwatch.Datum, opts *EncodeOptions) bool {
	for _, part := range split {
		if !newEncoder(d, opts).add(d, part, opts.MaxBytes) {
			return false
		}
	}
	return true
}

// encoder collects the metrics of one document.
type encoder struct {
	head, dims  []byte // before and after the definitions
	definitions []byte
	targets     []byte
	names       map[string]bool
}

func newEncoder(d *cloudwatch.Datum, opts *EncodeOptions) *encoder {
	e := &encoder{names: make(map[string]bool)}
	b := []byte(`{"_aws":{"Timestamp":`)
	b = strconv.AppendInt(b, d.TimestampMs, 10)
	if opts.LogGroupName != "" {
		b = appendString(append(b, `,"LogGroupName":`...), opts.LogGroupName)
	}
	if opts.LogStreamName != "" {
		b = appendString(append(b, `,"LogStreamName":`...), opts.LogStreamName)
	}
	b = appendString(append(b, `,"CloudWatchMetrics":[{"Namespace":`...), d.Namespace)
	b = append(b, `,"Dimensions":[[`...)
	for i, dim := range d.Dimensions {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, dim.Name)
		e.dims = append(appendString(append(e.dims, ','), dim.Name), ':')
		e.dims = appendString(e.dims, dim.Value)
	}
	b = append(b, `]],"Metrics":[`...)
	e.head = b
	return e
}

// add reports false when the metric has no room.
func (e *encoder) add(d *cloudwatch.Datum, part cloudwatch.Datum, maxBytes int) bool {
	if e.names[d.Name] || len(e.names) == MaxMetricsPerDirective {
		return false
	}
	definitions, targets := len(e.definitions), len(e.targets)
	if definitions > 0 {
		e.definitions = append(e.definitions, ',')
	}
	e.definitions = appendDefinition(e.definitions, d)
	e.targets = append(appendString(append(e.targets, ','), d.Name), ':')
	e.targets = appendTarget(e.targets, &part)
	const closing = len(`]}]}}`)
	if len(e.head)+len(e.definitions)+len(e.dims)+len(e.targets)+closing > maxBytes {
		e.definitions, e.targets = e.definitions[:definitions], e.targets[:targets]
		return false
	}
	e.names[d.Name] = true
	return true
}

func (e *encoder) document() string {
	b := make([]byte, 0, len(e.head)+len(e.definitions)+len(e.dims)+len(e.targets)+8)
	b = append(append(b, e.head...), e.definitions...)
	b = append(b, `]}]}`...)
	b = append(append(b, e.dims...), e.targets...)
	return string(append(b, '}'))
}

// appendTarget writes a metric's value: a number, an array when its samples are few, or an object.
func appendTarget(b []byte, d *cloudwatch.Datum) []byte {
	switch {
	case d.Statistics != nil:
		return append(appendStatistics(append(b, '{'), d.Statistics), '}')
	case d.Values == nil:
		return appendNumber(b, d.Value)
	}
	var samples float64
	whole := true
	for _, c := range d.Counts {
		samples += c
		whole = whole && c >= 1 && c == float64(int64(c))
	}
	if whole && samples <= MaxValuesPerMetric {
		b = append(b, '[')
		for i, v := range d.Values {
			for range int(d.Counts[i]) {
				b = append(appendNumber(b, v), ',')
			}
		}
		if len(d.Values) > 0 {
			b = b[:len(b)-1]
		}
		return append(b, ']')
	}
	s, _ := d.RollUp()
	b = append(b, `{"Values":[`...)
	b = appendNumbers(b, d.Values)
	b = append(b, `],"Counts":[`...)
	b = appendNumbers(b, d.Counts)
	return append(appendStatistics(append(b, `],`...), &s), '}')
}

func appendStatistics(b []byte, s *cloudwatch.StatisticSet) []byte {
	b = appendNumber(append(b, `"Max":`...), s.Maximum)
	b = appendNumber(append(b, `,"Min":`...), s.Minimum)
	b = appendNumber(append(b, `,"Count":`...), s.SampleCount)
	return appendNumber(append(b, `,"Sum":`...), s.Sum)
}

func appendNumbers(b []byte, list []float64) []byte {
	for i, v := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendNumber(b, v)
	}
	return b
}

func appendNumber(b []byte, v float64) []byte { return strconv.AppendFloat(b, v, 'g', -1, 64) }

func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; !plain[c] || c >= 0x80 {
			quoted, _ := json.Marshal(s) // never fails for a string
			return append(b, quoted...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}
