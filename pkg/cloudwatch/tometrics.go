// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package cloudwatch

import (
	"math"
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// ToMetrics translates data of one account and region; "" stands for not known. [Converter.Convert] is its inverse, but for the order of the
// data and of Values.
//
//	Namespace, StorageResolution   scope attributes
//	MetricName, Unit               metric name, UCUM unit
//	Dimensions                     data point attributes
//	Value                          gauge
//	StatisticSet                   summary: count, sum, quantile 0 = minimum, quantile 1 = maximum
//	Values and Counts              delta histogram whose explicit bounds are the values: the bucket up to a
//	                               bound holds the count of that value
//
// Counts that are not whole travel in the metric's metadata besides.
func ToMetrics(account, region string, data []Datum) pmetric.Metrics {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	attrs := rm.Resource().Attributes()
	attrs.EnsureCapacity(3)
	attrs.PutStr(attributeProvider, providerAWS)
	if account != "" {
		attrs.PutStr(attributeAccount, account)
	}
	if region != "" {
		attrs.PutStr(attributeRegion, region)
	}
	w := metricsWriter{scopes: rm.ScopeMetrics(), metrics: make(map[metricGroup]pmetric.Metric)}
	for i := range data {
		w.add(&data[i])
	}
	return md
}

type metricKind int8

const (
	kindValue metricKind = iota
	kindValues
	kindStatistics
)

// metricGroup names the pmetric.Metric that a datum goes to.
type metricGroup struct {
	namespace, name, unit string
	resolution            int32
	kind                  metricKind
}

type scopeGroup struct {
	namespace  string
	resolution int32
	metrics    pmetric.MetricSlice
}

type metricsWriter struct {
	scopes  pmetric.ScopeMetricsSlice
	groups  []scopeGroup
	metrics map[metricGroup]pmetric.Metric

	last       metricGroup
	lastMetric pmetric.Metric
	started    bool
}

func (w *metricsWriter) add(d *Datum) {
	group := metricGroup{d.Namespace, d.Name, d.Unit, d.StorageResolution, kindValue}
	switch {
	case d.Statistics != nil:
		group.kind = kindStatistics
		w.addStatistics(w.metricFor(group, !wholeCount(d.Statistics.SampleCount)), d)
	case d.Values != nil:
		group.kind = kindValues
		w.addValues(w.metricFor(group, !wholeCounts(d.Counts)), d)
	default:
		dp := w.metricFor(group, false).Gauge().DataPoints().AppendEmpty()
		dp.SetTimestamp(timestamp(d))
		dp.SetDoubleValue(d.Value)
		putDimensions(dp.Attributes(), d.Dimensions)
	}
}

func (w *metricsWriter) addStatistics(m pmetric.Metric, d *Datum) {
	s := d.Statistics
	dp := m.Summary().DataPoints().AppendEmpty()
	dp.SetTimestamp(timestamp(d))
	dp.SetStartTimestamp(startTimestamp(d))
	putDimensions(dp.Attributes(), d.Dimensions)
	dp.SetCount(roundCount(s.SampleCount))
	dp.SetSum(s.Sum)
	quantiles := dp.QuantileValues()
	quantiles.EnsureCapacity(2)
	low := quantiles.AppendEmpty()
	low.SetQuantile(0)
	low.SetValue(s.Minimum)
	high := quantiles.AppendEmpty()
	high.SetQuantile(1)
	high.SetValue(s.Maximum)
	if !wholeCount(s.SampleCount) {
		m.Metadata().PutEmptySlice(MetadataCounts).AppendEmpty().SetDouble(s.SampleCount)
	}
}

func (w *metricsWriter) addValues(m pmetric.Metric, d *Datum) {
	values, counts := d.Values, d.Counts
	if !rising(values) {
		values, counts = sortValues(values, counts)
	}
	dp := m.Histogram().DataPoints().AppendEmpty()
	dp.SetTimestamp(timestamp(d))
	dp.SetStartTimestamp(startTimestamp(d))
	putDimensions(dp.Attributes(), d.Dimensions)
	dp.ExplicitBounds().FromRaw(values)
	buckets := dp.BucketCounts()
	buckets.EnsureCapacity(len(values) + 1)
	var total uint64
	for _, c := range counts {
		n := roundCount(c)
		total += n
		buckets.Append(n)
	}
	buckets.Append(0) // nothing is above the greatest value
	dp.SetCount(total)
	dp.SetSum(weightedSum(values, counts))
	if len(values) > 0 {
		dp.SetMin(values[0])
		dp.SetMax(values[len(values)-1])
	}
	if !wholeCounts(counts) {
		list := m.Metadata().PutEmptySlice(MetadataCounts)
		list.EnsureCapacity(len(counts))
		for _, c := range counts {
			list.AppendEmpty().SetDouble(c)
		}
	}
}

// metricFor returns the metric of the group; alone asks for one that no other data point shares.
func (w *metricsWriter) metricFor(g metricGroup, alone bool) pmetric.Metric {
	if !alone {
		if w.started && g == w.last {
			return w.lastMetric
		}
		if m, ok := w.metrics[g]; ok {
			w.last, w.lastMetric, w.started = g, m, true
			return m
		}
	}
	m := w.scopeFor(g).AppendEmpty()
	m.SetName(g.name)
	code, ok := UCUM(g.unit)
	if !ok {
		code = g.unit // not a CloudWatch unit: whoever reads it decides
	}
	m.SetUnit(code)
	switch g.kind {
	case kindValue:
		m.SetEmptyGauge()
	case kindValues:
		m.SetEmptyHistogram().SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
	case kindStatistics:
		m.SetEmptySummary()
	}
	if !alone {
		w.metrics[g] = m
		w.last, w.lastMetric, w.started = g, m, true
	}
	return m
}

func (w *metricsWriter) scopeFor(g metricGroup) pmetric.MetricSlice {
	// Newest first: data of one request has few namespaces, often in runs.
	for _, s := range slices.Backward(w.groups) {
		if s.resolution == g.resolution && s.namespace == g.namespace {
			return s.metrics
		}
	}
	sm := w.scopes.AppendEmpty()
	attrs := sm.Scope().Attributes()
	attrs.EnsureCapacity(2)
	attrs.PutStr(AttributeNamespace, g.namespace)
	attrs.PutInt(AttributeStorageResolution, int64(g.resolution))
	w.groups = append(w.groups, scopeGroup{g.namespace, g.resolution, sm.Metrics()})
	return sm.Metrics()
}

func putDimensions(attrs pcommon.Map, dims []Dimension) {
	attrs.EnsureCapacity(len(dims))
	for i := range dims {
		attrs.PutStr(dims[i].Name, dims[i].Value)
	}
}

func timestamp(d *Datum) pcommon.Timestamp {
	return pcommon.Timestamp(d.TimestampMs * int64(time.Millisecond))
}

// startTimestamp is the beginning of the point's second or minute.
func startTimestamp(d *Datum) pcommon.Timestamp {
	return pcommon.Timestamp(FloorTimestamp(d.TimestampMs, max(d.StorageResolution, 1)) * int64(time.Second))
}

func wholeCount(c float64) bool { return c >= 0 && c < maxWholeCount && c == math.Trunc(c) }

func wholeCounts(counts []float64) bool {
	for _, c := range counts {
		if !wholeCount(c) {
			return false
		}
	}
	return true
}

// roundCount is the nearest count that a data point can hold.
func roundCount(c float64) uint64 {
	switch {
	case !(c > 0):
		return 0
	case c >= math.MaxInt64:
		return math.MaxInt64
	}
	return uint64(math.Round(c))
}

func rising(values []float64) bool {
	for i := 1; i < len(values); i++ {
		if !(values[i-1] < values[i]) {
			return false
		}
	}
	return true
}

// sortValues returns the values in rising order, each once, with their counts.
func sortValues(values, counts []float64) (sorted, sortedCounts []float64) {
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		switch {
		case values[a] < values[b]:
			return -1
		case values[a] > values[b]:
			return 1
		}
		return 0
	})
	sorted, sortedCounts = make([]float64, 0, len(values)), make([]float64, 0, len(values))
	for _, i := range order {
		if n := len(sorted); n > 0 && sorted[n-1] == values[i] {
			sortedCounts[n-1] += counts[i]
			continue
		}
		sorted, sortedCounts = append(sorted, values[i]), append(sortedCounts, counts[i])
	}
	return sorted, sortedCounts
}

func weightedSum(values, counts []float64) float64 {
	var sum float64
	for i, v := range values {
		sum += v * counts[i]
	}
	return sum
}
