// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package emf

import (
	"slices"
	"strings"
	"sync"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// Limits of the format.
const (
	MaxMetricsPerDirective       = 100
	MaxValuesPerMetric           = 100
	MaxDimensionSetsPerDirective = 100
	// MaxDataPerDocument bounds what a document can multiply to: each of its metrics makes a datum for each of the
	// dimension sets.
	MaxDataPerDocument = 10_000
)

// Options of [Extract].
type Options struct {
	// NowMs is the time of reception in Unix milliseconds. Metrics of more than two weeks before or two hours after
	// it are refused. 0 accepts every time.
	NowMs int64
	// Declared says that the client announced EMF (the header x-amzn-logs-format: json/emf): what is not JSON is
	// a parsing error then, even when it does not look like EMF.
	Declared bool
	// AllowPrefix accepts text before the JSON object, as Lambda's Node.js runtime writes it.
	AllowPrefix bool
	// AllowReservedNamespace accepts namespaces that begin with AWS/.
	AllowReservedNamespace bool
}

// Result is what was found in a document.
type Result struct {
	// EMF reports whether the event is, or was meant to be, an EMF document.
	EMF  bool
	Meta Meta
	// Data are the metrics, appended to what was given to Extract. They share the document's memory, and data of
	// the same metric in several dimension sets share Values and Counts.
	Data   []cloudwatch.Datum
	Report Report
}

// Extract appends the metrics of one log event to dst. logTimeMs, Unix milliseconds, is the event's own time; only
// the layout without _aws falls back to it.
//
// An event that is not EMF gives no data and no error.
func Extract(dst []cloudwatch.Datum, doc string, logTimeMs int64, opts Options) Result {
	if !opts.Declared && !Candidate(doc) {
		return Result{Data: dst}
	}
	if opts.AllowPrefix {
		if i := strings.IndexByte(doc, '{'); i > 0 {
			doc = doc[i:]
		}
	}
	x := getExtractor()
	defer putExtractor(x)
	x.res = Result{Data: dst}
	x.opts, x.limit = opts, len(dst)+MaxDataPerDocument
	if !x.scan(doc) {
		if opts.Declared || quotes(doc, memberMetadata) {
			x.res.EMF = true
			x.fail(ReasonJSON, "")
		}
	} else if v, ok := x.lookup(memberMetadata); ok {
		x.res.EMF = true
		x.extract(v)
	} else if directives, ok := x.legacy(); ok {
		x.res.EMF = true
		x.extractLegacy(directives, logTimeMs)
	}
	return x.res
}

// extractor holds the memory that extracting one document needs.
type extractor struct {
	members []member
	index   map[string]int // of members, when there are many

	res   Result
	opts  Options
	limit int // of len(res.Data)

	sets        [][]cloudwatch.Dimension
	dims        []cloudwatch.Dimension // slab, handed out with the data
	definitions []definition
	floats      []float64
}

var extractors = sync.Pool{New: func() any { return new(extractor) }}

func getExtractor() *extractor { return extractors.Get().(*extractor) }

// putExtractor forgets the document, so that the pool does not keep it alive, and memory of unusual size.
func putExtractor(x *extractor) {
	const unusual = 1024
	if cap(x.members) > unusual {
		return
	}
	clear(x.members)
	clear(x.index)
	clear(x.sets)
	clear(x.definitions)
	*x = extractor{
		members: x.members[:0], index: x.index, sets: x.sets[:0],
		definitions: x.definitions[:0], floats: x.floats[:0],
	}
	extractors.Put(x)
}

// manyMembers is from how many members on a map finds one faster than a search.
const manyMembers = 24

func (x *extractor) scan(doc string) bool {
	var ok bool
	if x.members, ok = scanRoot(x.members, doc); !ok {
		return false
	}
	if len(x.members) >= manyMembers {
		if x.index == nil {
			x.index = make(map[string]int, 2*len(x.members))
		}
		for i := range x.members {
			x.index[x.members[i].name] = i
		}
	}
	return true
}

// lookup finds a member of the root; the last one when several have the name.
func (x *extractor) lookup(name string) (value, bool) {
	if len(x.members) >= manyMembers {
		i, ok := x.index[name]
		if !ok {
			return value{}, false
		}
		return x.members[i].value, true
	}
	for i := range x.members {
		if m := &x.members[len(x.members)-1-i]; m.name == name {
			return m.value, true
		}
	}
	return value{}, false
}

func (x *extractor) fail(r Reason, detail string) { x.res.Report.add(r, detail) }

func (x *extractor) extract(v value) {
	if v.kind != kindObject {
		x.fail(ReasonMetadata, "")
		return
	}
	m := readMetadata(v)
	x.res.Meta = m.Meta
	if m.directives.kind != kindArray {
		x.fail(ReasonDirectives, "")
		return
	}
	if !m.HasTimestamp {
		x.fail(ReasonTimestamp, m.timestamp.text)
		return
	}
	x.directives(m.directives, m.TimestampMs)
}

func (x *extractor) extractLegacy(directives value, logTimeMs int64) {
	ts := logTimeMs
	if v, ok := x.lookup(memberTimestamp); ok {
		n, ok := x.legacyTimestamp()
		if !ok {
			x.fail(ReasonTimestamp, v.text)
			return
		}
		ts = n
		x.res.Meta.TimestampMs, x.res.Meta.HasTimestamp = n, true
	}
	x.directives(directives, ts)
}

func (x *extractor) directives(list value, timestampMs int64) {
	if x.opts.NowMs != 0 && !cloudwatch.WithinIngestWindow(timestampMs, x.opts.NowMs) {
		x.fail(ReasonTimestampOutOfRange, "")
		return
	}
	for c := list.cursor(); ; {
		v, ok := c.element()
		if !ok {
			return
		}
		x.directive(v, timestampMs)
	}
}

func (x *extractor) directive(v value, timestampMs int64) {
	if v.kind != kindObject {
		x.fail(ReasonDirective, v.text)
		return
	}
	var namespace, dimensions, metrics value
	for c := v.cursor(); ; {
		m, ok := c.member()
		if !ok {
			break
		}
		switch m.name {
		case "Namespace":
			namespace = m.value
		case "Dimensions":
			dimensions = m.value
		case "Metrics":
			metrics = m.value
		}
	}
	switch {
	case namespace.kind != kindString:
		x.fail(ReasonDirective, "Namespace")
		return
	case dimensions.kind != kindArray:
		x.fail(ReasonDirective, "Dimensions")
		return
	case metrics.kind != kindArray:
		x.fail(ReasonDirective, "Metrics")
		return
	}
	ns := namespace.str()
	if !cloudwatch.ValidNamespace(ns, cloudwatch.CharsetUnicode) ||
		(strings.HasPrefix(ns, "AWS/") && !x.opts.AllowReservedNamespace) {
		x.fail(ReasonNamespace, ns)
		return
	}
	if !x.readDefinitions(metrics) || !x.readSets(dimensions) {
		return
	}
	for i := range x.definitions {
		x.metric(ns, i, timestampMs)
	}
}

// readSets fills x.sets with the usable dimension sets. It reports false when the directive is unusable.
func (x *extractor) readSets(list value) bool {
	clear(x.sets)
	x.sets = x.sets[:0]
	n := 0
	for c := list.cursor(); ; n++ {
		v, ok := c.element()
		if !ok {
			break
		}
		if n == MaxDimensionSetsPerDirective {
			x.fail(ReasonTooManySets, "")
			return false
		}
		if set, ok := x.readSet(v); ok {
			x.addSet(set)
		}
	}
	if n == 0 {
		x.fail(ReasonNoDimensionSet, "")
		return false
	}
	return len(x.sets) > 0
}

// addSet adds a set unless there is an equal one, which would count every sample twice.
func (x *extractor) addSet(set []cloudwatch.Dimension) {
	for _, s := range x.sets {
		// Values come from the root: equal names have equal values.
		if slices.EqualFunc(s, set, func(a, b cloudwatch.Dimension) bool { return a.Name == b.Name }) {
			return
		}
	}
	x.sets = append(x.sets, set)
}

func (x *extractor) readSet(v value) ([]cloudwatch.Dimension, bool) {
	if v.kind != kindArray {
		x.fail(ReasonDimensionSet, v.text)
		return nil, false
	}
	start := len(x.dims)
	for c := v.cursor(); ; {
		e, ok := c.element()
		if !ok {
			break
		}
		d, ok := x.readDimension(e)
		if ok && len(x.dims)-start == cloudwatch.MaxDimensions {
			x.fail(ReasonDimensionSet, "more than 30 dimensions")
			ok = false
		}
		if !ok {
			x.dims = x.dims[:start]
			return nil, false
		}
		if cap(x.dims) == 0 {
			x.dims = make([]cloudwatch.Dimension, 0, 8)
		}
		x.dims = append(x.dims, d)
	}
	set := x.dims[start:len(x.dims):len(x.dims)]
	cloudwatch.SortDimensions(set)
	if cloudwatch.HasDuplicateDimension(set) {
		x.fail(ReasonDimensionSet, v.text)
		return nil, false
	}
	if len(set) == 0 {
		return nil, true
	}
	return set, true
}

func (x *extractor) readDimension(v value) (cloudwatch.Dimension, bool) {
	if v.kind != kindString {
		x.fail(ReasonDimensionSet, v.text)
		return cloudwatch.Dimension{}, false
	}
	d := cloudwatch.Dimension{Name: v.str()}
	if !cloudwatch.ValidDimensionName(d.Name, cloudwatch.CharsetUnicode) {
		x.fail(ReasonDimensionSet, d.Name)
		return d, false
	}
	target, ok := x.lookup(d.Name)
	if !ok {
		x.fail(ReasonDimensionMissing, d.Name)
		return d, false
	}
	if target.kind == kindString {
		d.Value = target.str()
	}
	if !cloudwatch.ValidDimensionValue(d.Value, cloudwatch.CharsetUnicode) {
		x.fail(ReasonDimensionValue, d.Name)
		return d, false
	}
	return d, true
}
