// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logs

import (
	"context"
	"slices"

	api "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/nephoscope/nephoscope/extension/awsapiextension/internal/paging"
	"github.com/nephoscope/nephoscope/internal/store"
)

// maxResultPage is the number of rows of a page of results, also when the client does not say.
const maxResultPage = 10_000

func checkQueryID(id *string) error {
	var c checks
	if c.required(id != nil, "queryId") {
		c.length(id, "queryId", 1, 256)
	}
	return c.err()
}

func errNoQuery(id string) error {
	return notFound("Query with ID %s does not exist.", shown(id))
}

// findQuery returns the query that a request names.
func (s *Service) findQuery(ctx context.Context, id *string) (query, store.Tenant, error) {
	t, err := tenantOf(ctx)
	if err != nil {
		return query{}, t, err
	}
	if err := checkQueryID(id); err != nil {
		return query{}, t, err
	}
	q, ok := s.queries.get(t, *id)
	if !ok {
		return query{}, t, errNoQuery(*id)
	}
	return q, t, nil
}

func (s *Service) getQueryResults(ctx context.Context, in *api.GetQueryResultsInput) (*api.GetQueryResultsOutput, error) {
	var c checks
	number(&c, in.MaxItems, "maxItems", 0, maxResultPage)
	c.length(in.NextToken, "nextToken", 0, 1024)
	if err := c.err(); err != nil {
		return nil, err
	}
	q, t, err := s.findQuery(ctx, in.QueryId)
	if err != nil {
		return nil, err
	}
	from := 0
	id := []any{"GetQueryResults", t, q.id}
	if token := absent(in.NextToken); token != nil {
		if paging.Decode(id, *token, &from) != nil || from < 0 || from > len(q.answer.rows) {
			return nil, errToken
		}
	}
	size := maxResultPage
	if in.MaxItems != nil {
		size = int(*in.MaxItems)
	}
	to := min(from+size, len(q.answer.rows))
	out := &api.GetQueryResultsOutput{
		QueryLanguage: types.QueryLanguageCwli,
		Status:        q.status,
		Results:       make([][]types.ResultField, 0, to-from),
		Statistics:    new(q.answer.stats),
	}
	for _, row := range q.answer.rows[from:to] {
		cells := make([]types.ResultField, len(row))
		for i := range row {
			cells[i] = types.ResultField{Field: &row[i].Name, Value: &row[i].Value}
		}
		out.Results = append(out.Results, cells)
	}
	if to < len(q.answer.rows) && q.finished() { // what a running query has found so far has no second page
		next, err := paging.Encode(id, to)
		if err != nil {
			return nil, err
		}
		out.NextToken = &next
	}
	return out, nil
}

func (s *Service) stopQuery(ctx context.Context, in *api.StopQueryInput) (*api.StopQueryOutput, error) {
	q, t, err := s.findQuery(ctx, in.QueryId)
	if err != nil {
		return nil, err
	}
	switch found, stopped := s.queries.stop(t, q.id); {
	case !found:
		return nil, errNoQuery(q.id)
	case !stopped:
		return nil, invalidParameter("The specified query is not running. Its status is %s.", q.status)
	}
	return &api.StopQueryOutput{Success: true}, nil
}

func (s *Service) describeQueries(ctx context.Context, in *api.DescribeQueriesInput) (*api.DescribeQueriesOutput, error) {
	t, err := tenantOf(ctx)
	if err != nil {
		return nil, err
	}
	var c checks
	c.group(in.LogGroupName, "logGroupName")
	number(&c, in.MaxResults, "maxResults", 1, 1000)
	enum(&c, in.QueryLanguage, "queryLanguage", types.QueryLanguage("").Values()...)
	if err := c.err(); err != nil {
		return nil, err
	}
	request := []any{"DescribeQueries", t, in.LogGroupName, in.Status, in.QueryLanguage}
	after := "" // the id of the last query given
	if token := absent(in.NextToken); token != nil && paging.Decode(request, *token, &after) != nil {
		return nil, errToken
	}
	list := s.queries.list(t)
	if i := slices.IndexFunc(list, func(q query) bool { return q.id == after }); after != "" {
		if i < 0 { // forgotten in between
			return nil, errToken
		}
		list = list[i+1:]
	}
	list = slices.DeleteFunc(list, func(q query) bool {
		return in.LogGroupName != nil && !slices.Contains(q.groups, *in.LogGroupName) ||
			in.Status != "" && q.status != in.Status ||
			in.QueryLanguage != "" && in.QueryLanguage != types.QueryLanguageCwli
	})
	limit := 50
	if in.MaxResults != nil {
		limit = int(*in.MaxResults)
	}
	out := &api.DescribeQueriesOutput{Queries: []types.QueryInfo{}}
	if len(list) > limit {
		list = list[:limit]
		next, err := paging.Encode(request, list[limit-1].id)
		if err != nil {
			return nil, err
		}
		out.NextToken = &next
	}
	for _, q := range list {
		info := types.QueryInfo{
			QueryId: new(q.id), QueryLanguage: types.QueryLanguageCwli, QueryString: new(q.shown),
			Status: q.status, CreateTime: new(q.created),
		}
		if len(q.groups) == 1 {
			info.LogGroupName = new(q.groups[0])
		}
		if q.finished() {
			info.QueryDuration = new(q.duration)
			info.BytesScanned = new(q.answer.stats.BytesScanned)
		}
		out.Queries = append(out.Queries, info)
	}
	return out, nil
}

func (s *Service) listLogGroupsForQuery(ctx context.Context, in *api.ListLogGroupsForQueryInput) (*api.ListLogGroupsForQueryOutput, error) {
	var c checks
	number(&c, in.MaxResults, "maxResults", 50, 500)
	if err := c.err(); err != nil {
		return nil, err
	}
	q, t, err := s.findQuery(ctx, in.QueryId)
	if err != nil {
		return nil, err
	}
	from, size := 0, 50
	if in.MaxResults != nil {
		size = int(*in.MaxResults)
	}
	id := []any{"ListLogGroupsForQuery", t, q.id}
	if token := absent(in.NextToken); token != nil {
		if paging.Decode(id, *token, &from) != nil || from < 0 || from > len(q.groups) {
			return nil, errToken
		}
	}
	to := min(from+size, len(q.groups))
	out := &api.ListLogGroupsForQueryOutput{LogGroupIdentifiers: append([]string{}, q.groups[from:to]...)}
	if to < len(q.groups) {
		next, err := paging.Encode(id, to)
		if err != nil {
			return nil, err
		}
		out.NextToken = &next
	}
	return out, nil
}
