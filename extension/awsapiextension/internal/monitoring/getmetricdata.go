// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package monitoring

import (
	"context"
	"errors"
	"time"

	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/nephoscope/nephoscope/extension/awsapiextension/internal/paging"
	"github.com/nephoscope/nephoscope/pkg/awswire"
)

// slotsAtOnce bounds the buckets that are asked of the store in one call, and with them the memory of a page. One with a
// distribution counts as several.
const (
	slotsAtOnce       = 100_000
	distributionSlots = 8
)

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
	r := newDataReader(reads, tenant(req), in, at.Now)
	if len(metricStats(queries)) < len(queries) {
		m := mathRequest{
			reader: r, models: s.models, account: req.Account, start: in.StartTime.Unix(), end: in.EndTime.Unix(), now: at.Now,
			stats: metricStats(queries), expressions: queries[len(metricStats(queries)):], budget: budget,
		}
		return m.evaluate(ctx)
	}
	parts, next := page(queries, at, budget)
	out := &cw.GetMetricDataOutput{Messages: []types.MessageData{}}
	results, err := r.read(ctx, parts)
	if err != nil {
		return nil, err
	}
	out.MetricDataResults = make([]types.MetricDataResult, len(parts))
	for i := range parts {
		out.MetricDataResults[i] = r.answer(parts[i].dataQuery, &results[i], false)
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
