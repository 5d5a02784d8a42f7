// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsemfexporter

import (
	"errors"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
	"github.com/nephoscope/nephoscope/pkg/emf"
)

const (
	defaultNamespace  = "default"
	reservedNamespace = "AWS/"
	groupPrefix       = "/metrics/"
)

// Reasons for which data points are dropped, besides those of the conversion.
const (
	reasonReservedNamespace = "reserved_namespace"
	reasonReservedName      = "reserved_name"      // a label or metric is called as a member of the format itself
	reasonNameCollision     = "name_collision"     // a metric is called as one of its labels
	reasonNoDimensionSet    = "no_dimension_set"   // its labels cannot be dimensions: the document has it as a property
	reasonTooLarge          = "document_too_large" // by itself
	reasonNotWritten        = "not_written"        // increases that CloudWatch Logs did not take in time
)

// translator makes documents of metrics. Its numbers come from the converter of pkg/cloudwatch, which remembers
// cumulative series.
//
// The converter makes dimensions of attributes, of which a document may have more than CloudWatch allows. So each
// point's attributes are set aside while it converts, and one that names their origin stands in for them.
type translator struct {
	cfg           *Config
	layout        emf.Layout
	group, stream namePattern
	defaultStream string
	json          map[string]bool
	descriptors   map[string]MetricDescriptor
	declarations  []declaration
	converter     *cloudwatch.Converter
	now           func() time.Time
}

// Stand-ins for a point's attributes.
const (
	attributeOrigin    = "o"
	attributeHistogram = "h" // of explicit buckets, to be written as statistics
)

func newTranslator(cfg *Config, defaultStream string, now func() time.Time) (*translator, error) {
	t := &translator{
		cfg: cfg, now: now, defaultStream: defaultStream,
		json: make(map[string]bool), descriptors: make(map[string]MetricDescriptor),
	}
	if cfg.Version == versionLegacy {
		t.layout = emf.LayoutLegacy
	}
	var errs [3]error
	t.group, errs[0] = parsePattern(cfg.LogGroupName)
	t.stream, errs[1] = parsePattern(cfg.LogStreamName)
	t.declarations, errs[2] = compileDeclarations(cfg.MetricDeclarations)
	if err := errors.Join(errs[:]...); err != nil {
		return nil, err
	}
	for _, name := range cfg.ParseJSONEncodedAttributeValues {
		t.json[name] = true
	}
	for _, d := range cfg.MetricDescriptors {
		t.descriptors[d.MetricName] = d
	}
	initial := cloudwatch.InitialValueAuto
	if cfg.RetainInitialValueOfDeltaMetric {
		initial = cloudwatch.InitialValueKeep
	}
	var err error
	t.converter, err = cloudwatch.NewConverter(cloudwatch.ConverterConfig{
		EnforceIngestWindow: true, InitialValue: initial, Now: func() time.Time { return t.now() },
	})
	return t, err
}

// document is a document and where it goes.
type document struct {
	group, stream string
	timestampMs   int64
	text          string
}

// translation is the state of one call.
type translation struct {
	t       *translator
	origins map[string]*origin
	key     []byte
	labels  []label
	saved   []pcommon.Map

	groups  map[groupKey]*group
	order   []*group
	matches map[string][]int // declarations that match a metric's name
	dropped map[string]int64
	docs    []document
}

type groupKey struct {
	origin    *origin
	timestamp int64
}

// group is the metrics of one origin and time, which share documents.
type group struct {
	groupKey
	data  []cloudwatch.Datum
	names map[string]bool // of the metrics from open on
	open  int
}

// translate makes documents. The metrics are as before when it returns.
func (t *translator) translate(md pmetric.Metrics) (docs []document, dropped map[string]int64) {
	x := translation{
		t: t, origins: make(map[string]*origin), groups: make(map[groupKey]*group),
		matches: make(map[string][]int), dropped: make(map[string]int64),
		saved: make([]pcommon.Map, 0, md.DataPointCount()),
	}
	x.setAside(md)
	batches, err := t.converter.Convert(md)
	x.putBack(md)
	var some *cloudwatch.ConversionError
	if errors.As(err, &some) {
		for reason, n := range some.Dropped {
			x.dropped[string(reason)] += n
		}
	}
	for i := range batches {
		for j := range batches[i].Data {
			x.add(&batches[i].Data[j])
		}
	}
	for _, g := range x.order {
		x.write(g)
	}
	return x.docs, x.dropped
}

// setAside replaces the attributes of all points by their origin.
func (x *translation) setAside(md pmetric.Metrics) {
	for _, rm := range md.ResourceMetrics().All() {
		r := x.t.resource(rm.Resource().Attributes())
		for _, sm := range rm.ScopeMetrics().All() {
			s := r
			s.scope = sm.Scope().Name()
			own, isOwn := sm.Scope().Attributes().Get(cloudwatch.AttributeNamespace)
			if isOwn && x.t.cfg.Namespace == "" {
				s.namespace = own.AsString()
			}
			if x.t.cfg.LogGroupName == "" {
				s.group = cutName(groupPrefix + cleanGroup(s.namespace))
			}
			for _, m := range sm.Metrics().All() {
				kind := ""
				if s.prometheus {
					kind = prometheusType(m.Type())
				}
				statistics := !isOwn && m.Type() == pmetric.MetricTypeHistogram && x.t.cfg.HistogramFormat == histogramStatistics
				attributeMaps(m, func(attrs pcommon.Map) {
					key := x.origin(&s, kind, attrs)
					aside := pcommon.NewMap()
					attrs.MoveTo(aside)
					x.saved = append(x.saved, aside)
					attrs.PutStr(attributeOrigin, key)
					if statistics {
						attrs.PutStr(attributeHistogram, attributeHistogram)
					}
				})
			}
		}
	}
}

// putBack undoes setAside.
func (x *translation) putBack(md pmetric.Metrics) {
	n := 0
	for _, rm := range md.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				attributeMaps(m, func(attrs pcommon.Map) {
					x.saved[n].MoveTo(attrs)
					n++
				})
			}
		}
	}
}

func prometheusType(t pmetric.MetricType) string {
	switch t {
	case pmetric.MetricTypeGauge:
		return "gauge"
	case pmetric.MetricTypeSum:
		return "counter"
	case pmetric.MetricTypeHistogram, pmetric.MetricTypeExponentialHistogram:
		return "histogram"
	case pmetric.MetricTypeSummary:
		return "summary"
	}
	return ""
}

// add puts a datum with those that it can share a document with.
func (x *translation) add(d *cloudwatch.Datum) {
	i, ok := slices.BinarySearchFunc(d.Dimensions, attributeOrigin, func(d cloudwatch.Dimension, name string) int {
		return strings.Compare(d.Name, name)
	})
	if !ok {
		return // not reached: every point has it
	}
	o := x.origins[d.Dimensions[i].Value]
	statistics := len(d.Dimensions) > 1
	d.Dimensions = nil
	_, collides := o.label(d.Name)
	collides = collides || (o.prometheusType != "" && d.Name == labelPrometheusType) ||
		(d.Name == memberVersion && x.t.layout == emf.LayoutAWS)
	switch {
	case o.problem != "":
		x.dropped[o.problem]++
		return
	case x.t.layout.Reserved(d.Name):
		x.dropped[reasonReservedName]++
		return
	case collides:
		x.dropped[reasonNameCollision]++
		return
	}
	if statistics && d.Values != nil {
		s, _ := d.RollUp()
		d.Values, d.Counts, d.Statistics = nil, nil, &s
	}
	key := groupKey{o, d.TimestampMs}
	g, ok := x.groups[key]
	if !ok {
		g = &group{groupKey: key, names: make(map[string]bool)}
		x.groups[key] = g
		x.order = append(x.order, g)
	}
	if len(d.Values) <= emf.MaxValuesPerMetric {
		x.addPart(g, d)
		return
	}
	for _, part := range emf.SplitValues(d) {
		x.addPart(g, &part)
	}
}

func (x *translation) addPart(g *group, d *cloudwatch.Datum) {
	if g.names[d.Name] { // a member occurs once in a document
		x.writeData(g, g.data[g.open:])
		g.open = len(g.data)
		clear(g.names)
	}
	g.names[d.Name] = true
	g.data = append(g.data, *d)
}

// write writes what is left of a group.
func (x *translation) write(g *group) {
	if g.open < len(g.data) {
		x.writeData(g, g.data[g.open:])
	}
}
