// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package cloudwatch

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// InitialValue is what becomes of the first point of a cumulative series, whose predecessor is not known.
type InitialValue string

const (
	// InitialValueAuto keeps it when the series began after the converter was made, else drops it.
	InitialValueAuto InitialValue = "auto"
	// InitialValueKeep takes it as the increase since the series began.
	InitialValueKeep InitialValue = "keep"
	// InitialValueDrop drops it.
	InitialValueDrop InitialValue = "drop"
)

// Defaults of [ConverterConfig].
const (
	DefaultNamespaceTemplate = "{service.namespace}/{service.name}"
	DefaultNamespace         = "default"
	DefaultMaxSeries         = 100_000
	DefaultSeriesTTL         = time.Hour
)

// ConverterConfig says how OpenTelemetry metrics become CloudWatch data. The zero value is usable.
type ConverterConfig struct {
	// Account and Region are for resources without cloud.account.id and cloud.region.
	Account, Region string

	// NamespaceTemplate makes the namespace of scopes without the attribute aws.cloudwatch.namespace. {name} stands
	// for a resource attribute; a part between slashes of which an attribute is missing is left out.
	// "" means DefaultNamespaceTemplate.
	NamespaceTemplate string
	// DefaultNamespace is used when the template leaves nothing. "" means "default".
	DefaultNamespace string

	// ResourceDimensions are the resource attributes that become dimensions besides the data point's attributes,
	// which win when both have a name. None by default: every resource attribute multiplies series.
	ResourceDimensions []string

	// MaxSeries bounds the cumulative series that are remembered, SeriesTTL how long one is after its last point.
	MaxSeries int
	SeriesTTL time.Duration
	// InitialValue is InitialValueAuto by default.
	InitialValue InitialValue

	// Charset restricts names, dimensions and namespaces.
	Charset Charset
	// EnforceIngestWindow drops data that CloudWatch would not accept for its age, see [WithinIngestWindow].
	EnforceIngestWindow bool

	// Now is the clock; time.Now by default.
	Now func() time.Time
}

// Batch is the data of one account and region.
type Batch struct {
	Account, Region string
	Data            []Datum
}

// Converter turns OpenTelemetry metrics into CloudWatch data. It is the exact inverse of [ToMetrics]. Other metrics
// become:
//
//	gauge                          Value
//	sum, not monotonic             Value, as it stands
//	sum, monotonic                 Value; a cumulative one is made delta first
//	histogram                      Values and Counts: one value in each bucket, placed so that count, sum, minimum and
//	                               maximum are the point's; without buckets a StatisticSet
//	exponential histogram          as a histogram
//	summary                        StatisticSet, cumulative unless the scope has a CloudWatch namespace; the
//	                               lowest and highest quantile are minimum and maximum
//
// A data point without samples, such as a histogram of count 0, makes no datum. Exemplars are not converted.
// A cumulative series is told apart by everything that OpenTelemetry identifies it by, all of its resource included,
// so that two instances of a service add up in one CloudWatch metric.
//
// A Converter may be used concurrently; the points of one cumulative series must come in order.
type Converter struct {
	cfg      ConverterConfig
	template namespaceTemplate
	series   *seriesCache

	mu    sync.Mutex
	stats Stats
}

// NewConverter checks the configuration and returns a converter.
func NewConverter(cfg ConverterConfig) (*Converter, error) {
	if cfg.NamespaceTemplate == "" {
		cfg.NamespaceTemplate = DefaultNamespaceTemplate
	}
	if cfg.DefaultNamespace == "" {
		cfg.DefaultNamespace = DefaultNamespace
	}
	if cfg.MaxSeries == 0 {
		cfg.MaxSeries = DefaultMaxSeries
	}
	if cfg.SeriesTTL == 0 {
		cfg.SeriesTTL = DefaultSeriesTTL
	}
	if cfg.InitialValue == "" {
		cfg.InitialValue = InitialValueAuto
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	template, errs := parseNamespaceTemplate(cfg.NamespaceTemplate)
	if !ValidNamespace(cfg.DefaultNamespace, cfg.Charset) {
		errs = errors.Join(errs, fmt.Errorf("default namespace %q is not a valid namespace", cfg.DefaultNamespace))
	}
	if cfg.MaxSeries < 0 {
		errs = errors.Join(errs, fmt.Errorf("the number of series must not be negative, got %d", cfg.MaxSeries))
	}
	if cfg.SeriesTTL < 0 {
		errs = errors.Join(errs, fmt.Errorf("the lifetime of series must not be negative, got %s", cfg.SeriesTTL))
	}
	switch cfg.InitialValue {
	case InitialValueAuto, InitialValueKeep, InitialValueDrop:
	default:
		errs = errors.Join(errs, fmt.Errorf("initial value must be auto, keep or drop, got %q", cfg.InitialValue))
	}
	if errs != nil {
		return nil, errs
	}
	return &Converter{
		cfg:      cfg,
		template: template,
		series:   newSeriesCache(cfg.MaxSeries, cfg.SeriesTTL, cfg.InitialValue, cfg.Now()),
	}, nil
}

// Convert translates metrics. When data points were dropped, err is a [*ConversionError] and the batches hold the
// others. The data share strings with md, not its other memory.
func (c *Converter) Convert(md pmetric.Metrics) (batches []Batch, err error) {
	return c.convert(md, md.DataPointCount(), nil)
}

// Where chooses metrics by their namespace, their scope, and what they are.
type Where func(namespace string, scope pcommon.InstrumentationScope, m pmetric.Metric) bool

// ConvertWhere is Convert of the metrics that where wants. Of the others nothing is looked at, and nothing counted. points
// is how many data points are expected; it may be 0.
func (c *Converter) ConvertWhere(md pmetric.Metrics, points int, where Where) (batches []Batch, err error) {
	return c.convert(md, points, where)
}

func (c *Converter) convert(md pmetric.Metrics, points int, where Where) ([]Batch, error) {
	now := c.cfg.Now()
	run := conversion{c: c, nowMs: now.UnixMilli(), now: now, points: points, where: where}
	for _, rm := range md.ResourceMetrics().All() {
		run.startResource(rm.Resource())
		for _, sm := range rm.ScopeMetrics().All() {
			if !run.startScope(sm) {
				continue
			}
			for _, m := range sm.Metrics().All() {
				if run.wants(m) {
					run.addMetric(m)
				}
			}
		}
	}
	return run.finish()
}

// Stats returns what the converter has done so far.
func (c *Converter) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.stats
	var dropped, adjusted reasonCounts
	dropped.addAll(c.stats.Dropped)
	adjusted.addAll(c.stats.Adjusted)
	s.Dropped, s.Adjusted = dropped, adjusted
	s.Series, s.EvictedSeries, s.ExpiredSeries = c.series.stats()
	return s
}

// conversion is the state of one call.
type conversion struct {
	c     *Converter
	now   time.Time
	nowMs int64

	batches []Batch
	batch   int // index of the current resource's; -1 until it has a datum
	points  int // not seen yet, to size what is allocated
	where   Where

	resource     pcommon.Resource
	resourceDims []Dimension
	resourceKey  []byte // of the cumulative state, made when needed
	namespace    string // by the template, made when needed
	nsBuf        []byte
	expanded     string // the last one that the template made

	scope          pcommon.InstrumentationScope
	scopeNamespace string
	resolution     int32
	own            bool // the scope follows the conventions of ToMetrics

	metric pmetric.Metric
	unit   string
	unitOK bool

	dims   []Dimension // slab for data points
	keyBuf []byte

	dropped, adjusted reasonCounts
}

func (r *conversion) startResource(resource pcommon.Resource) {
	r.resource, r.resourceKey, r.namespace, r.batch = resource, nil, "", -1
	r.resourceDims = nil
	for _, name := range r.c.cfg.ResourceDimensions {
		if v, ok := resource.Attributes().Get(name); ok {
			r.resourceDims = append(r.resourceDims, Dimension{name, v.AsString()})
		}
	}
}

// chooseBatch finds or makes the batch of the resource.
func (r *conversion) chooseBatch() {
	account, region := r.c.cfg.Account, r.c.cfg.Region
	attrs := r.resource.Attributes()
	if v, ok := attrs.Get(attributeAccount); ok && v.AsString() != "" {
		account = v.AsString()
	}
	if v, ok := attrs.Get(attributeRegion); ok && v.AsString() != "" {
		region = v.AsString()
	}
	for i := range r.batches {
		if r.batches[i].Account == account && r.batches[i].Region == region {
			r.batch = i
			return
		}
	}
	r.batch = len(r.batches)
	r.batches = append(r.batches, Batch{Account: account, Region: region})
}

// startScope reports whether the scope's metrics can be converted; if not, they are counted.
func (r *conversion) startScope(sm pmetric.ScopeMetrics) bool {
	r.scope = sm.Scope()
	r.resolution, r.own = 60, false
	attrs := r.scope.Attributes()
	if v, ok := attrs.Get(AttributeNamespace); ok {
		r.scopeNamespace, r.own = v.AsString(), true
	} else {
		if r.namespace == "" {
			r.namespace = r.expandNamespace()
		}
		r.scopeNamespace = r.namespace
	}
	if v, ok := attrs.Get(AttributeStorageResolution); ok {
		n := v.Int()
		if v.Type() != pcommon.ValueTypeInt || (n != 1 && n != 60) {
			r.dropScope(sm, ReasonInvalidResolution)
			return false
		}
		r.resolution = int32(n)
	}
	if !ValidNamespace(r.scopeNamespace, r.c.cfg.Charset) {
		r.dropScope(sm, ReasonInvalidNamespace)
		return false
	}
	return true
}

// expandNamespace is the namespace of the resource by the template.
func (r *conversion) expandNamespace() string {
	r.nsBuf = r.c.template.appendTo(r.nsBuf[:0], r.resource.Attributes())
	switch {
	case len(r.nsBuf) == 0:
		return r.c.cfg.DefaultNamespace
	case string(r.nsBuf) != r.expanded: // the resources of a batch often have the same
		r.expanded = string(r.nsBuf)
	}
	return r.expanded
}

func (r *conversion) dropScope(sm pmetric.ScopeMetrics, why Reason) {
	var n int
	for _, m := range sm.Metrics().All() {
		if r.wants(m) {
			n += pointCount(m)
		}
	}
	r.points -= n
	r.drop(why, n)
}

// wants is whether a metric of the current scope is to be converted.
func (r *conversion) wants(m pmetric.Metric) bool {
	return r.where == nil || r.where(r.scopeNamespace, r.scope, m)
}

func (r *conversion) addMetric(m pmetric.Metric) {
	n := pointCount(m)
	r.points = max(r.points, n)
	if m.Type() == pmetric.MetricTypeEmpty {
		r.drop(ReasonNoType, 1)
		return
	}
	if n == 0 {
		return
	}
	if !ValidMetricName(m.Name(), r.c.cfg.Charset) {
		r.points -= n
		r.drop(ReasonInvalidName, n)
		return
	}
	r.metric = m
	r.unit, r.unitOK = UnitFromUCUM(m.Unit())
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		for _, dp := range m.Gauge().DataPoints().All() {
			r.addNumber(dp)
		}
	case pmetric.MetricTypeSum:
		r.addSum(m.Sum())
	case pmetric.MetricTypeHistogram:
		r.addHistogram(m.Histogram())
	case pmetric.MetricTypeExponentialHistogram:
		r.addExponentialHistogram(m.ExponentialHistogram())
	case pmetric.MetricTypeSummary:
		for _, dp := range m.Summary().DataPoints().All() {
			r.addSummary(dp)
		}
	default:
		r.drop(ReasonNoType, 1)
	}
	r.points -= n
}

func pointCount(m pmetric.Metric) int {
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		return m.Gauge().DataPoints().Len()
	case pmetric.MetricTypeSum:
		return m.Sum().DataPoints().Len()
	case pmetric.MetricTypeHistogram:
		return m.Histogram().DataPoints().Len()
	case pmetric.MetricTypeExponentialHistogram:
		return m.ExponentialHistogram().DataPoints().Len()
	case pmetric.MetricTypeSummary:
		return m.Summary().DataPoints().Len()
	}
	return 0
}

// datum appends a datum with everything but its numbers. It returns nil when the point was dropped.
func (r *conversion) datum(ts pcommon.Timestamp, attrs pcommon.Map) *Datum {
	dims, ok := r.dimensions(attrs)
	if !ok {
		return nil
	}
	ms := ts.AsTime().UnixMilli()
	if ts == 0 {
		ms = r.nowMs // as CloudWatch does for a datum without a timestamp
	}
	if r.c.cfg.EnforceIngestWindow && !WithinIngestWindow(ms, r.nowMs) {
		r.drop(ReasonTimestampOutOfRange, 1)
		return nil
	}
	if !r.unitOK {
		r.adjust(ReasonUnknownUnit)
	}
	if r.batch < 0 {
		r.chooseBatch()
	}
	b := &r.batches[r.batch]
	if b.Data == nil {
		b.Data = make([]Datum, 0, r.points)
	}
	b.Data = append(b.Data, Datum{
		Metric:            Metric{Namespace: r.scopeNamespace, Name: r.metric.Name(), Dimensions: dims},
		TimestampMs:       ms,
		Unit:              r.unit,
		StorageResolution: r.resolution,
	})
	return &b.Data[len(b.Data)-1]
}

// dimensions makes sorted, valid dimensions of attributes.
func (r *conversion) dimensions(attrs pcommon.Map) ([]Dimension, bool) {
	n := attrs.Len() + len(r.resourceDims)
	if n == 0 {
		return nil, true
	}
	if cap(r.dims)-len(r.dims) < n {
		r.dims = make([]Dimension, 0, max(n, min(4*r.points, 1024)))
	}
	start := len(r.dims)
	var bad Reason
	for name, v := range attrs.All() {
		var value string
		if v.Type() == pcommon.ValueTypeStr {
			value = v.Str()
		} else {
			value = v.AsString()
		}
		r.dims = append(r.dims, Dimension{name, value})
	}
	for _, d := range r.resourceDims {
		if _, ok := attrs.Get(d.Name); !ok {
			r.dims = append(r.dims, d)
		}
	}
	dims := r.dims[start:]
	kept := dims[:0]
	for _, d := range dims {
		switch {
		case d.Value == "" && !r.own:
			r.adjust(ReasonEmptyAttribute)
			continue
		case !ValidDimensionName(d.Name, r.c.cfg.Charset) || !ValidDimensionValue(d.Value, r.c.cfg.Charset):
			bad = ReasonInvalidDimension
		}
		kept = append(kept, d)
	}
	SortDimensions(kept)
	switch {
	case bad != "":
	case len(kept) > MaxDimensions:
		bad = ReasonTooManyDimensions
	case HasDuplicateDimension(kept):
		bad = ReasonInvalidDimension
	}
	if bad != "" {
		r.dims = r.dims[:start]
		r.drop(bad, 1)
		return nil, false
	}
	r.dims = r.dims[:start+len(kept)]
	if len(kept) == 0 {
		return nil, true
	}
	return kept[:len(kept):len(kept)], true
}

func (r *conversion) drop(why Reason, n int) {
	if n > 0 {
		r.dropped.add(why, int64(n))
	}
}

func (r *conversion) adjust(why Reason) { r.adjusted.add(why, 1) }

func (r *conversion) finish() ([]Batch, error) {
	kept := r.batches[:0]
	var n int
	for _, b := range r.batches {
		if len(b.Data) > 0 {
			kept = append(kept, b)
			n += len(b.Data)
		}
	}
	c := r.c
	c.mu.Lock()
	c.stats.Converted += int64(n)
	(*reasonCounts)(&c.stats.Dropped).addAll(r.dropped)
	(*reasonCounts)(&c.stats.Adjusted).addAll(r.adjusted)
	c.mu.Unlock()
	if len(r.dropped) > 0 {
		return kept, &ConversionError{Dropped: r.dropped, Adjusted: r.adjusted}
	}
	return kept, nil
}
