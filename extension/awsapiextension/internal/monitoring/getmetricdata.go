// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package monitoring

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/nephoscope/nephoscope/extension/awsapiextension/internal/paging"
	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/pkg/awswire"
)

// slotsAtOnce bounds the buckets that are asked of the store in one call, and with them the memory of a page.
const slotsAtOnce = 25_000

const forbiddenMessage = "Access denied when getting data - please check that this account and the requested metric " +
	"account are linked"

// dataPosition is where a page of GetMetricData begins: at a slot of a query, in scan order. Now is the time of
// the first page: the windows of all pages are placed by it.
type dataPosition struct {
	Now   int64
	Query int
	Slot  int64
}

func (s *service) getMetricData(ctx context.Context, in *cw.GetMetricDataInput) (*cw.GetMetricDataOutput, error) {
	reads, err := s.reads()
	if err != nil {
		return nil, err
	}
	key := *in
	key.NextToken, key.MaxDatapoints = nil, nil
	at := dataPosition{Now: s.now().Unix()}
	if token := deref(in.NextToken); token != "" {
		switch err := paging.Decode(key, token, &at); {
		case errors.Is(err, paging.ErrToken):
			return nil, &awswire.Error{Code: codeInvalidNextToken, Message: "The value for parameter NextToken is invalid."}
		case err != nil:
			return nil, err
		}
	}
	req := awswire.RequestFrom(ctx)
	queries, err := readDataQueries(in, req.Account, time.Unix(at.Now, 0))
	if err != nil {
		return nil, err
	}
	budget := int64(maxDatapoints)
	if in.MaxDatapoints != nil {
		budget = int64(*in.MaxDatapoints)
	}
	r := dataReader{reads: reads, tenant: tenant(req), ascending: in.ScanBy == types.ScanByTimestampAscending}
	if len(metricStats(queries)) < len(queries) {
		m := mathRequest{
			reader: &r, account: req.Account, start: in.StartTime.Unix(), end: in.EndTime.Unix(), now: at.Now,
			stats: metricStats(queries), expressions: queries[len(metricStats(queries)):], budget: budget,
		}
		return m.evaluate(ctx)
	}
	parts, next := page(queries, at, budget)
	out := &cw.GetMetricDataOutput{Messages: []types.MessageData{}}
	if out.MetricDataResults, err = r.read(ctx, parts); err != nil {
		return nil, err
	}
	if next != nil {
		token, err := paging.Encode(key, next)
		if err != nil {
			return nil, err
		}
		out.NextToken = &token
	}
	return out, nil
}

// dataPart is what a page holds of one query: n slots from the slot on, in scan order.
type dataPart struct {
	*dataQuery
	from, n int64
	cut     bool // more slots follow on another page
}

// page takes budget slots from the position on. Queries that an earlier page completed are left out; those that this
// page does not reach are in it without data.
func page(queries []dataQuery, at dataPosition, budget int64) (parts []dataPart, next *dataPosition) {
	for i := range queries {
		q := &queries[i]
		if i < at.Query || !q.returnData {
			continue
		}
		p := dataPart{dataQuery: q}
		if i == at.Query {
			p.from = max(at.Slot, 0)
		}
		left := max(q.slots-p.from, 0)
		p.n = min(left, budget)
		budget -= p.n
		if p.cut = p.n < left; p.cut && next == nil {
			next = &dataPosition{Now: at.Now, Query: i, Slot: p.from + p.n}
		}
		parts = append(parts, p)
	}
	return parts, next
}

type dataReader struct {
	reads     store.MetricStore
	tenant    store.Tenant
	ascending bool
}

func (r *dataReader) read(ctx context.Context, parts []dataPart) ([]types.MetricDataResult, error) {
	results := make([]types.MetricDataResult, len(parts))
	for len(parts) > 0 {
		n, slots := 0, int64(0)
		for n < len(parts) && (n == 0 || slots+parts[n].slots <= slotsAtOnce) {
			if parts[n].n > 0 {
				slots += parts[n].slots
			}
			n++
		}
		if err := r.readSome(ctx, parts[:n], results[len(results)-len(parts):]); err != nil {
			return nil, err
		}
		parts = parts[n:]
	}
	return results, nil
}

func (r *dataReader) readSome(ctx context.Context, parts []dataPart, results []types.MetricDataResult) error {
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

func (r *dataReader) result(p *dataPart, buckets []store.Bucket) types.MetricDataResult {
	out := types.MetricDataResult{
		Id: &p.id, Label: &p.label, StatusCode: types.StatusCodeComplete,
		Timestamps: []time.Time{}, Values: []float64{},
	}
	switch {
	case p.forbidden:
		out.StatusCode = types.StatusCodeForbidden
		out.Messages = []types.MessageData{message("Forbidden", forbiddenMessage)}
		return out
	case p.cut:
		out.StatusCode = types.StatusCodePartialData
	}
	units := bucketUnits(buckets)
	if len(units) > 1 {
		out.Messages = []types.MessageData{message("MultipleUnits",
			"Multiple units returned: '["+strings.Join(units, ", ")+"]'")}
		// One value per bucket, of the first unit that the bucket has.
		buckets = slices.CompactFunc(buckets, func(a, b store.Bucket) bool { return a.Start == b.Start })
	}
	low, high := p.rows(r.ascending)
	for i := range buckets {
		b := &buckets[i]
		if slot := (b.Start - p.start) / p.period; slot < low || slot >= high {
			continue
		}
		if v, ok := p.stat.Of(&b.StatisticSet, b.Distribution); ok {
			out.Timestamps = append(out.Timestamps, time.Unix(b.Start, 0).UTC())
			out.Values = append(out.Values, v)
		}
	}
	if !r.ascending {
		slices.Reverse(out.Timestamps)
		slices.Reverse(out.Values)
	}
	return out
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
		if !slices.Contains(list, buckets[i].Unit) {
			list = append(list, buckets[i].Unit)
		}
	}
	slices.Sort(list)
	return list
}

func message(code, value string) types.MessageData {
	return types.MessageData{Code: &code, Value: &value}
}
