// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package monitoring

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/nephoscope/nephoscope/internal/store"
)

// dataReader reads the metrics of one request of GetMetricData and writes its results. Most metrics of a request have a
// point in every slot of the same window: their timestamps are made once.
type dataReader struct {
	reads     store.MetricStore
	tenant    store.Tenant
	ascending bool
	zone      *time.Location // of labels
	now       int64

	grids map[gridKey][]int64
	times map[timesKey][]time.Time
}

type gridKey struct{ start, period, n int64 }

// timesKey tells slices apart: where they begin and how long they are.
type timesKey struct {
	first *int64
	n     int
}

func newDataReader(reads store.MetricStore, t store.Tenant, in *cw.GetMetricDataInput, now int64) *dataReader {
	r := &dataReader{
		reads: reads, tenant: t, ascending: in.ScanBy == types.ScanByTimestampAscending, zone: time.UTC, now: now,
		grids: make(map[gridKey][]int64), times: make(map[timesKey][]time.Time),
	}
	if in.LabelOptions != nil {
		r.zone = labelZone(deref(in.LabelOptions.Timezone))
	}
	return r
}

// metricResult is what was read of one query: points in order of time, which nobody changes, and what is to be said of
// them.
type metricResult struct {
	times    []int64
	values   []float64
	status   types.StatusCode
	messages []types.MessageData
}

func (r *dataReader) read(ctx context.Context, parts []dataPart) ([]metricResult, error) {
	results := make([]metricResult, len(parts))
	for done := 0; done < len(parts); {
		n, slots := 0, int64(0)
		for done+n < len(parts) {
			p := &parts[done+n]
			cost := int64(0)
			if p.n > 0 {
				if cost = p.slots; !p.stat.Basic() {
					cost *= distributionSlots
				}
			}
			if n > 0 && slots+cost > slotsAtOnce {
				break
			}
			slots += cost
			n++
		}
		if err := r.readSome(ctx, parts[done:done+n], results[done:done+n]); err != nil {
			return nil, err
		}
		done += n
	}
	return results, nil
}

func (r *dataReader) readSome(ctx context.Context, parts []dataPart, results []metricResult) error {
	// The whole window of a query is read, though the page may hold a part of it: whether it mixes units shows in all
	// of it.
	asked := make([]store.MetricQuery, 0, len(parts))
	for i := range parts {
		if parts[i].n > 0 {
			asked = append(asked, parts[i].storeQuery(r.tenant))
		}
	}
	answers := [][]store.Bucket(nil)
	if len(asked) > 0 {
		var err error
		if answers, err = r.reads.QueryMetrics(ctx, asked); err != nil {
			return fmt.Errorf("query metrics: %w", err)
		}
	}
	for i := range parts {
		var buckets []store.Bucket
		if parts[i].n > 0 {
			buckets, answers = answers[0], answers[1:]
		}
		results[i] = r.result(&parts[i], buckets)
	}
	return nil
}

func (r *dataReader) result(p *dataPart, buckets []store.Bucket) metricResult {
	out := metricResult{status: types.StatusCodeComplete}
	switch {
	case p.forbidden:
		out.status = types.StatusCodeForbidden
		out.messages = []types.MessageData{message("Forbidden", forbiddenMessage)}
		return out
	case p.cut:
		out.status = types.StatusCodePartialData
	}
	if units := bucketUnits(buckets); len(units) > 1 {
		out.messages = []types.MessageData{message("MultipleUnits",
			"Multiple units returned: '["+strings.Join(units, ", ")+"]'")}
	}
	low, high := p.rows(r.ascending)
	start, end := p.start+low*p.period, p.start+high*p.period
	buckets = buckets[sort.Search(len(buckets), func(i int) bool { return buckets[i].Start >= start }):]
	buckets = buckets[:sort.Search(len(buckets), func(i int) bool { return buckets[i].Start >= end })]
	if len(buckets) == 0 {
		return out
	}
	out.values = make([]float64, 0, min(int64(len(buckets)), high-low))
	last := start - 1
	gap := false
	for i := range buckets {
		b := &buckets[i]
		if b.Start == last {
			continue // one value per bucket, of the first unit that the bucket has
		}
		last = b.Start
		v, ok := p.stat.Of(&b.StatisticSet, b.Distribution)
		if gap = gap || !ok; ok {
			out.values = append(out.values, v)
		}
	}
	if n := int64(len(out.values)); n == high-low {
		out.times = r.grid(gridKey{start, p.period, n})
		return out
	}
	out.times = make([]int64, 0, len(out.values))
	last = start - 1
	for i := range buckets {
		b := &buckets[i]
		if b.Start == last {
			continue
		}
		last = b.Start
		if gap {
			if _, ok := p.stat.Of(&b.StatisticSet, b.Distribution); !ok {
				continue
			}
		}
		out.times = append(out.times, b.Start)
	}
	return out
}

func (r *dataReader) grid(k gridKey) []int64 {
	g, ok := r.grids[k]
	if !ok {
		g = make([]int64, k.n)
		for i := range g {
			g[i] = k.start + int64(i)*k.period
		}
		r.grids[k] = g
	}
	return g
}

// rows are the slots of the part counted from the oldest, half-open.
func (p *dataPart) rows(ascending bool) (low, high int64) {
	if ascending {
		return p.from, p.from + p.n
	}
	high = p.slots - p.from
	return high - p.n, high
}

func bucketUnits(buckets []store.Bucket) []string {
	var list []string
	for i := range buckets {
		if i > 0 && buckets[i].Unit == buckets[i-1].Unit {
			continue
		}
		if !slices.Contains(list, buckets[i].Unit) {
			list = append(list, buckets[i].Unit)
		}
	}
	slices.Sort(list)
	return list
}

// answer is the result of a query for a metric. Values that are shared are copied when their order has to change.
func (r *dataReader) answer(q *dataQuery, m *metricResult, shared bool) types.MetricDataResult {
	label := &q.label
	if q.template != nil {
		text := q.template.render(r.labelInput(q.label, q.of(), m.times, m.values))
		label = &text
	}
	return r.points(&q.id, label, m, shared)
}

func (r *dataReader) labelInput(label string, of *seriesOf, times []int64, values []float64) *labelInput {
	return &labelInput{
		label: label, account: r.tenant.Account, region: r.tenant.Region, zone: r.zone, now: r.now, of: of, times: times, values: values,
	}
}

// points writes the points in the order of the scan.
func (r *dataReader) points(id, label *string, m *metricResult, shared bool) types.MetricDataResult {
	out := types.MetricDataResult{
		Id: id, Label: label, StatusCode: m.status, Messages: m.messages, Timestamps: r.timestamps(m.times), Values: m.values,
	}
	switch {
	case len(m.values) == 0:
		out.Values = []float64{}
	case r.ascending:
	case shared:
		out.Values = make([]float64, len(m.values))
		for i, v := range m.values {
			out.Values[len(m.values)-1-i] = v
		}
	default:
		slices.Reverse(out.Values)
	}
	return out
}

func (r *dataReader) timestamps(times []int64) []time.Time {
	if len(times) == 0 {
		return []time.Time{}
	}
	key := timesKey{&times[0], len(times)}
	out, ok := r.times[key]
	if ok {
		return out
	}
	out = make([]time.Time, len(times))
	for i, at := range times {
		place := i
		if !r.ascending {
			place = len(times) - 1 - i
		}
		out[place] = time.Unix(at, 0).UTC()
	}
	r.times[key] = out
	return out
}

func message(code, value string) types.MessageData {
	return types.MessageData{Code: &code, Value: &value}
}
