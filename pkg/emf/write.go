// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package emf

import (
	"strconv"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// Layout is where the metadata of a document are.
type Layout int

const (
	// LayoutAWS has them in the member _aws, as the specification says.
	LayoutAWS Layout = iota
	// LayoutLegacy has them in the root, as Container Insights writes them.
	LayoutLegacy
)

// Document is a document as [AppendDocument] writes it. No two members of the root may have the same name: neither
// properties and metrics, nor what the layout adds (see [Document.Reserved]).
type Document struct {
	Layout      Layout
	TimestampMs int64
	// Directives may be empty: the document is a log event without metrics then.
	Directives []Directive
	// Properties are the members of the root besides the metrics: dimensions and whatever else.
	Properties []Property
	// Metrics are the members that hold numbers. Namespace, dimensions and time of a datum are not looked at.
	Metrics []cloudwatch.Datum
}

// Directive says which members are metrics, and which are their dimensions.
type Directive struct {
	Namespace string
	// Dimensions are sets of names of properties.
	Dimensions [][]string
	// Metrics are indices of Document.Metrics.
	Metrics []int
}

// Property is a member of the root.
type Property struct {
	Name, Value string
	// JSON says that the value is written as it is, not as a string.
	JSON bool
}

// Reserved reports whether the name means something in the root of a document of this layout.
func (l Layout) Reserved(name string) bool {
	switch name {
	case memberMetadata:
		return true
	case memberDirectives, memberTimestamp, memberVersion:
		return l == LayoutLegacy
	}
	return false
}

// AppendDocument appends the document.
func AppendDocument(b []byte, d *Document) []byte {
	b = append(b, '{')
	first := true
	comma := func() {
		if !first {
			b = append(b, ',')
		}
		first = false
	}
	switch {
	case d.Layout == LayoutLegacy:
		comma()
		b = append(b, `"Version":"0","Timestamp":"`...)
		b = strconv.AppendInt(b, d.TimestampMs, 10)
		b = append(b, '"')
		if len(d.Directives) > 0 {
			b = append(b, `,"CloudWatchMetrics":`...)
			b = appendDirectives(b, d)
		}
	case len(d.Directives) > 0:
		comma()
		b = append(b, `"_aws":{"Timestamp":`...)
		b = strconv.AppendInt(b, d.TimestampMs, 10)
		b = append(b, `,"CloudWatchMetrics":`...)
		b = append(appendDirectives(b, d), '}')
	}
	for i := range d.Properties {
		p := &d.Properties[i]
		comma()
		b = append(appendString(b, p.Name), ':')
		if p.JSON {
			b = append(b, p.Value...)
		} else {
			b = appendString(b, p.Value)
		}
	}
	for i := range d.Metrics {
		comma()
		b = append(appendString(b, d.Metrics[i].Name), ':')
		b = appendTarget(b, &d.Metrics[i])
	}
	return append(b, '}')
}

func appendDirectives(b []byte, d *Document) []byte {
	b = append(b, '[')
	for i := range d.Directives {
		if i > 0 {
			b = append(b, ',')
		}
		v := &d.Directives[i]
		b = appendString(append(b, `{"Namespace":`...), v.Namespace)
		b = append(b, `,"Dimensions":[`...)
		for j, set := range v.Dimensions {
			if j > 0 {
				b = append(b, ',')
			}
			b = append(b, '[')
			for k, name := range set {
				if k > 0 {
					b = append(b, ',')
				}
				b = appendString(b, name)
			}
			b = append(b, ']')
		}
		b = append(b, `],"Metrics":[`...)
		for j, m := range v.Metrics {
			if j > 0 {
				b = append(b, ',')
			}
			b = appendDefinition(b, &d.Metrics[m])
		}
		b = append(b, `]}`...)
	}
	return append(b, ']')
}

func appendDefinition(b []byte, d *cloudwatch.Datum) []byte {
	b = appendString(append(b, `{"Name":`...), d.Name)
	if d.Unit != cloudwatch.UnitNone {
		b = appendString(append(b, `,"Unit":`...), d.Unit)
	}
	if d.StorageResolution == 1 {
		b = append(b, `,"StorageResolution":1`...)
	}
	return append(b, '}')
}

// SplitValues returns the datum, or, when it has more values than one member may have, several that have them together.
func SplitValues(d *cloudwatch.Datum) []cloudwatch.Datum {
	if len(d.Values) <= MaxValuesPerMetric || d.Statistics != nil {
		return []cloudwatch.Datum{*d}
	}
	list := make([]cloudwatch.Datum, 0, (len(d.Values)+MaxValuesPerMetric-1)/MaxValuesPerMetric)
	for i := 0; i < len(d.Values); i += MaxValuesPerMetric {
		end := min(i+MaxValuesPerMetric, len(d.Values))
		part := *d
		part.Values, part.Counts = d.Values[i:end:end], d.Counts[i:end:end]
		list = append(list, part)
	}
	return list
}
