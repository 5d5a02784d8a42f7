// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logs

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	api "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/pkg/logsinsights"
)

// query runs a query over the group g to its end and returns its rows as "name=value name=value", without @ptr.
func (f *fixture) query(text string) (rows []string, out *api.GetQueryResultsOutput) {
	f.Helper()
	start, err := f.StartQuery(f.Context(), &api.StartQueryInput{
		LogGroupName: new("g"), QueryString: &text, StartTime: new(f.clock.ms()/1000 - 3600), EndTime: new(f.clock.ms() / 1000),
	})
	require.NoError(f, err)
	return f.results(*start.QueryId)
}

func (f *fixture) results(id string) (rows []string, out *api.GetQueryResultsOutput) {
	f.Helper()
	require.Eventually(f, func() bool {
		var err error
		out, err = f.GetQueryResults(f.Context(), &api.GetQueryResultsInput{QueryId: &id})
		require.NoError(f, err)
		return out.Status != types.QueryStatusRunning && out.Status != types.QueryStatusScheduled
	}, 10*time.Second, 5*time.Millisecond)
	for _, r := range out.Results {
		var cells []string
		for _, c := range r {
			if *c.Field != "@ptr" {
				cells = append(cells, *c.Field+"="+*c.Value)
			}
		}
		rows = append(rows, strings.Join(cells, " "))
	}
	return rows, out
}

func TestQuery(t *testing.T) {
	f := newEvents(t, 5)
	f.put("g", "s", `{"level":"ERROR","status":500}`, `{"level":"INFO","status":200}`)
	rows, out := f.query("fields @message, status | filter ispresent(level) | sort status desc")
	assert.Equal(t, types.QueryStatusComplete, out.Status)
	assert.Equal(t, types.QueryLanguageCwli, out.QueryLanguage)
	assert.Equal(t, []string{`@message={"level":"ERROR","status":500} status=500`, `@message={"level":"INFO","status":200} status=200`}, rows)
	assert.Equal(t, "@ptr", *out.Results[0][2].Field)
	assert.InDelta(t, 2, out.Statistics.RecordsMatched, 0)
	assert.InDelta(t, 7, out.Statistics.RecordsScanned, 0)
	assert.InDelta(t, 1, out.Statistics.LogGroupsScanned, 0)
	assert.Positive(t, out.Statistics.BytesScanned)
	rows, _ = f.query("stats count(*) as n by level")
	assert.ElementsMatch(t, []string{"n=5", "level=ERROR n=1", "level=INFO n=1"}, rows)
}

func TestQueryPages(t *testing.T) {
	f := newEvents(t, 20)
	_, out := f.query("fields @message | limit 15")
	require.Len(t, out.Results, 15)
	list, err := f.DescribeQueries(t.Context(), &api.DescribeQueriesInput{})
	require.NoError(t, err)
	in := &api.GetQueryResultsInput{QueryId: list.Queries[0].QueryId, MaxItems: new(int32(7))}
	var sizes []int
	for more := true; more; more = in.NextToken != nil {
		out, err := f.GetQueryResults(t.Context(), in)
		require.NoError(t, err)
		sizes = append(sizes, len(out.Results))
		in.NextToken = out.NextToken
	}
	assert.Equal(t, []int{7, 7, 1}, sizes)
	in.NextToken = new("x")
	_, err = f.GetQueryResults(t.Context(), in)
	wantError(t, err, "InvalidParameterException", "The specified nextToken is invalid.")
}

func TestDescribeQueries(t *testing.T) {
	f := newEvents(t, 1)
	ctx := t.Context()
	f.query("fields @message")
	f.clock.advance(time.Second)
	f.query("fields @timestamp")
	out, err := f.DescribeQueries(ctx, &api.DescribeQueriesInput{LogGroupName: new("g"), MaxResults: new(int32(1))})
	require.NoError(t, err)
	require.Len(t, out.Queries, 1)
	q := out.Queries[0]
	sec := f.clock.ms() / 1000
	assert.Equal(t, fmt.Sprintf(`SOURCE "g" START=%d000 END=%d999 | fields @timestamp`, sec-3600, sec), *q.QueryString)
	assert.Equal(t, "g", *q.LogGroupName)
	assert.Equal(t, f.clock.ms(), *q.CreateTime)
	assert.Equal(t, types.QueryStatusComplete, q.Status)
	out, err = f.DescribeQueries(ctx, &api.DescribeQueriesInput{LogGroupName: new("g"), NextToken: out.NextToken})
	require.NoError(t, err)
	require.Len(t, out.Queries, 1)
	assert.Contains(t, *out.Queries[0].QueryString, "fields @message")
	assert.Nil(t, out.NextToken)
	for _, in := range []api.DescribeQueriesInput{{LogGroupName: new("other")}, {Status: types.QueryStatusRunning}, {Status: "Bogus"}, {QueryLanguage: types.QueryLanguagePpl}} {
		out, err := f.DescribeQueries(ctx, &in)
		require.NoError(t, err)
		assert.Empty(t, out.Queries)
	}
	groups, err := f.ListLogGroupsForQuery(ctx, &api.ListLogGroupsForQueryInput{QueryId: q.QueryId})
	require.NoError(t, err)
	assert.Equal(t, []string{"g"}, groups.LogGroupIdentifiers)
}

func TestQuerySource(t *testing.T) {
	f := newEvents(t, 1)
	ctx := t.Context()
	f.clock.advance(time.Second)
	f.otlp("/other", "s", "from other", f.clock.ms())
	_, err := f.CreateLogGroup(ctx, &api.CreateLogGroupInput{LogGroupName: new("/rare"), LogGroupClass: types.LogGroupClassInfrequentAccess})
	require.NoError(t, err)
	now := f.clock.ms() / 1000
	for _, c := range []struct {
		source string
		want   []string
		shown  string
	}{
		{`SOURCE "g" "/other"`, []string{"@message=from other", "@message=00"}, `SOURCE "g" "/other" START=%d000 END=%d999 | fields @message`},
		{`SOURCE "arn:aws:logs:eu-west-1:123456789012:log-group:g"`, []string{"@message=00"}, `SOURCE "g" START=%d000 END=%d999 | fields @message`},
		{`SOURCE logGroups(namePrefix: ["/o", "/r"])`, []string{"@message=from other"}, `SOURCE logGroups(namePrefix: ["/o", "/r"]) START=%d000 END=%d999 | fields @message`},
		{`SOURCE logGroups(class: ["INFREQUENT_ACCESS"])`, nil, `SOURCE logGroups(class: ["INFREQUENT_ACCESS"]) START=%d000 END=%d999 | fields @message`},
	} {
		t.Run(c.source, func(t *testing.T) {
			start, err := f.StartQuery(ctx, &api.StartQueryInput{QueryString: new(c.source + " | fields @message"), StartTime: new(now - 60), EndTime: &now})
			require.NoError(t, err)
			rows, _ := f.results(*start.QueryId)
			assert.Equal(t, c.want, rows)
			list, err := f.DescribeQueries(ctx, &api.DescribeQueriesInput{})
			require.NoError(t, err)
			assert.Equal(t, fmt.Sprintf(c.shown, now-60, now), *list.Queries[0].QueryString)
			// What is shown is a query, and the same.
			start, err = f.StartQuery(ctx, &api.StartQueryInput{QueryString: list.Queries[0].QueryString, StartTime: new(int64(0)), EndTime: new(int64(0))})
			require.NoError(t, err)
			rows, _ = f.results(*start.QueryId)
			assert.Equal(t, c.want, rows)
		})
	}
	for source, message := range map[string]string{
		`SOURCE logGroups(namePrefix: ["zzz"])`:                 "SOURCE selects no log group.",
		`SOURCE logGroups(accountIdentifier: ["210987654321"])`: "accountIdentifiers: the linked account 210987654321 is not supported by this endpoint.",
		`SOURCE "g" ` + strings.Repeat(`"x" `, 50):              "A query may be over 50 log groups, not 51.",
	} {
		_, err := f.StartQuery(ctx, &api.StartQueryInput{QueryString: new(source + " | fields @message"), StartTime: new(now - 60), EndTime: &now})
		require.ErrorContains(t, err, message)
	}
	_, err = f.StartQuery(ctx, &api.StartQueryInput{LogGroupName: new("g"), QueryString: new(`SOURCE "g" | fields @message`), StartTime: new(now - 60), EndTime: &now})
	wantError(t, err, "InvalidParameterException", "A query with SOURCE must not name log groups in the request, too.")
}

func TestStartQueryErrors(t *testing.T) {
	f := newEvents(t, 1)
	ctx := t.Context()
	now := f.clock.ms() / 1000
	_, err := f.CreateLogGroup(ctx, &api.CreateLogGroupInput{LogGroupName: new("rare"), LogGroupClass: types.LogGroupClassInfrequentAccess})
	require.NoError(t, err)
	for _, c := range []struct {
		name          string
		in            api.StartQueryInput
		code, message string
		start, end    int32
	}{
		{name: "syntax", in: api.StartQueryInput{LogGroupName: new("g"), QueryString: new("fields @message | nonsense x")}, code: "MalformedQueryException"},
		{
			name: "no group", in: api.StartQueryInput{QueryString: new("fields a")}, code: "InvalidParameterException",
			message: "Exactly one of logGroupName, logGroupNames and logGroupIdentifiers is required.",
		},
		{
			name: "two kinds of group", in: api.StartQueryInput{LogGroupName: new("g"), LogGroupNames: []string{"g"}, QueryString: new("fields a")}, code: "InvalidParameterException",
			message: "Exactly one of logGroupName, logGroupNames and logGroupIdentifiers is required.",
		},
		{
			name: "too many groups", in: api.StartQueryInput{LogGroupNames: slicesRepeat("g", 51), QueryString: new("fields a")}, code: "InvalidParameterException",
			message: "A query may be over 50 log groups, not 51.",
		},
		{
			name: "PPL", in: api.StartQueryInput{LogGroupName: new("g"), QueryString: new("fields a"), QueryLanguage: types.QueryLanguagePpl}, code: "InvalidParameterException",
			message: "queryLanguage: the language PPL is not supported by this endpoint.",
		},
		{
			name: "limit", in: api.StartQueryInput{LogGroupName: new("g"), QueryString: new("fields a"), Limit: new(int32(100_001))}, code: "InvalidParameterException",
			message: "1 validation error detected: Value '100001' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 100000",
		},
		{
			name: "times", in: api.StartQueryInput{LogGroupName: new("g"), QueryString: new("fields a"), StartTime: new(now), EndTime: new(now - 1)}, code: "InvalidParameterException",
			message: "The startTime of a query must not be after its endTime.",
		},
		{
			name: "before creation", in: api.StartQueryInput{LogGroupName: new("g"), QueryString: new("fields @message"), StartTime: new(now - 9000), EndTime: new(now - 7200)},
			code:    "MalformedQueryException",
			message: "Query's end date and time is either before the log groups creation time or exceeds the log groups log retention settings ([0,15])", end: 15,
		},
		{
			name: "stats over infrequent access", in: api.StartQueryInput{LogGroupName: new("rare"), QueryString: new("stats count(*) as a by b | stats max(a) as c by b | stats max(c)")},
			code: "MalformedQueryException", message: "A query over the log group rare of the class INFREQUENT_ACCESS may have 2 stats commands", end: -1,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.in.StartTime == nil {
				c.in.StartTime, c.in.EndTime = new(now-3600), &now
			}
			_, err := f.StartQuery(ctx, &c.in)
			if c.message != "" {
				wantError(t, err, c.code, c.message)
			}
			var m *types.MalformedQueryException
			if errors.As(err, &m) {
				require.NotNil(t, m.QueryCompileError)
				assert.Equal(t, m.ErrorMessage(), *m.QueryCompileError.Message)
				if c.end > 0 {
					assert.Equal(t, c.start, *m.QueryCompileError.Location.StartCharOffset)
					assert.Equal(t, c.end, *m.QueryCompileError.Location.EndCharOffset)
				}
			} else {
				assert.NotEqual(t, "MalformedQueryException", c.code)
			}
		})
	}
	_, err = f.StartQuery(ctx, &api.StartQueryInput{LogGroupNames: []string{"g", "none"}, QueryString: new("fields a"), StartTime: new(now - 1), EndTime: &now})
	var missing *types.ResourceNotFoundException
	require.ErrorAs(t, err, &missing)
	assert.Regexp(t, `^Log group 'none' does not exist for account ID '123456789012' \(Service: AWSLogs; Status Code: 400; `+
		`Error Code: ResourceNotFoundException; Request ID: [0-9a-f-]{36}; Proxy: null\)$`, missing.ErrorMessage())
	_, err = f.GetQueryResults(ctx, &api.GetQueryResultsInput{QueryId: new("none")})
	wantError(t, err, "ResourceNotFoundException", "Query with ID none does not exist.")
}

// hang makes a query that runs until it is cancelled, and tells when it began.
func hang(tenant int) (*query, chan struct{}) {
	began := make(chan struct{})
	t := testTenant
	t.Account = fmt.Sprintf("%012d", tenant)
	return &query{tenant: t, groups: []string{"g"}, run: func(ctx context.Context, progress func(answer)) (answer, error) {
		progress(answer{rows: [][]logsinsights.Field{{{Name: "a", Value: "1"}}}})
		close(began)
		<-ctx.Done()
		return answer{}, ctx.Err()
	}}, began
}

func TestStopQuery(t *testing.T) {
	f := newEvents(t, 1)
	ctx := t.Context()
	q, began := hang(0)
	q.tenant = testTenant
	id, err := f.service.queries.start(q)
	require.NoError(t, err)
	<-began
	out, err := f.GetQueryResults(ctx, &api.GetQueryResultsInput{QueryId: &id})
	require.NoError(t, err)
	assert.Equal(t, types.QueryStatusRunning, out.Status)
	assert.Len(t, out.Results, 1, "found so far")
	stop, err := f.StopQuery(ctx, &api.StopQueryInput{QueryId: &id})
	require.NoError(t, err)
	assert.True(t, stop.Success)
	out, err = f.GetQueryResults(ctx, &api.GetQueryResultsInput{QueryId: &id})
	require.NoError(t, err)
	assert.Equal(t, types.QueryStatusCancelled, out.Status)
	_, err = f.StopQuery(ctx, &api.StopQueryInput{QueryId: &id})
	wantError(t, err, "InvalidParameterException", "The specified query is not running. Its status is Cancelled.")
	_, err = f.StopQuery(ctx, &api.StopQueryInput{QueryId: new("none")})
	wantError(t, err, "ResourceNotFoundException", "Query with ID none does not exist.")
}

func TestQueryConcurrency(t *testing.T) {
	f := newFixture(t)
	qs := f.service.queries
	var ids []string
	for range maxConcurrentQueries {
		q, _ := hang(1)
		id, err := qs.start(q)
		require.NoError(t, err)
		ids = append(ids, id)
	}
	q, _ := hang(1)
	_, err := qs.start(q)
	wantAWSError(t, err, "LimitExceededException", "Account maximum query concurrency limit of [100] reached.")
	q, _ = hang(2)
	_, err = qs.start(q)
	require.NoError(t, err, "another account has a limit of its own")
	require.Eventually(t, func() bool {
		running := 0
		for _, q := range qs.list(testTenantOf(1)) {
			if q.status == types.QueryStatusRunning {
				running++
			}
		}
		return running == maxRunningQueries
	}, 10*time.Second, time.Millisecond)
	for _, id := range ids {
		_, stopped := qs.stop(testTenantOf(1), id)
		assert.True(t, stopped)
	}
	q, began := hang(1)
	_, err = qs.start(q)
	require.NoError(t, err)
	<-began
	f.close() // cancels the rest
	_, err = qs.start(q)
	wantAWSError(t, err, "ServiceUnavailable", "The service is shutting down.")
}

func TestQueryRetention(t *testing.T) {
	f := newFixture(t)
	qs := f.service.queries
	finish := func(bytes int, err error) string {
		id, startErr := qs.start(&query{tenant: testTenant, run: func(context.Context, func(answer)) (answer, error) {
			return answer{rows: [][]logsinsights.Field{{{Name: "a", Value: strings.Repeat("x", bytes)}}}}, err
		}})
		require.NoError(t, startErr)
		require.Eventually(t, func() bool {
			q, ok := qs.get(testTenant, id)
			return !ok || q.finished()
		}, 10*time.Second, time.Millisecond)
		return id
	}
	status := func(id string) types.QueryStatus {
		q, _ := qs.get(testTenant, id)
		return q.status
	}
	old := finish(10, nil)
	assert.Equal(t, types.QueryStatusFailed, status(finish(10, errors.New("broken"))))
	f.clock.advance(queryLifetime)
	assert.Equal(t, types.QueryStatusComplete, status(old))
	f.clock.advance(time.Millisecond)
	assert.Empty(t, status(old))
	assert.Zero(t, qs.bytes)

	qs.maxBytes = 1000
	a := finish(500, nil)
	b := finish(500, nil)
	assert.Empty(t, status(a), "the oldest goes when results take too much")
	assert.Equal(t, types.QueryStatusComplete, status(b))
	qs.maxKept, qs.maxBytes = 20, 1<<20
	for range qs.maxKept {
		finish(1, nil)
	}
	assert.Empty(t, status(b))
	assert.Len(t, qs.byID, qs.maxKept)
	assert.Len(t, qs.order, qs.maxKept)
}

func TestQueryWindow(t *testing.T) {
	for _, c := range [][4]int64{
		{1_700_000_000, 1_700_003_600, 1_700_000_000_000, 1_700_003_601_000},
		{1_700_000_000_123, 1_700_003_600_456, 1_700_000_000_123, 1_700_003_600_457},
		{0, 0, 0, 1000},
	} {
		from, to := queryWindow(c[0], c[1])
		assert.Equal(t, [2]int64{c[2], c[3]}, [2]int64{from, to})
	}
}

func TestQueryDefinitions(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	put := func(in api.PutQueryDefinitionInput) string {
		t.Helper()
		out, err := f.PutQueryDefinition(ctx, &in)
		require.NoError(t, err)
		return *out.QueryDefinitionId
	}
	b := put(api.PutQueryDefinitionInput{
		Name: new("folder/b"), QueryString: new("fields @message | filter a = {{x}}"), LogGroupNames: []string{"g"},
		Parameters: []types.QueryParameter{{Name: new("x"), DefaultValue: new("1"), Description: new("d")}},
	})
	token := strings.Repeat("t", 36)
	a := put(api.PutQueryDefinitionInput{Name: new("folder/a"), QueryString: new("fields a"), ClientToken: &token})
	assert.Equal(t, a, put(api.PutQueryDefinitionInput{Name: new("folder/a"), QueryString: new("fields a"), ClientToken: &token}))
	put(api.PutQueryDefinitionInput{Name: new("other"), QueryString: new("fields a"), ClientToken: new(strings.Repeat("u", 36))})
	f.open()
	out, err := f.DescribeQueryDefinitions(ctx, &api.DescribeQueryDefinitionsInput{QueryDefinitionNamePrefix: new("folder/")})
	require.NoError(t, err)
	now := f.clock.ms()
	assert.Equal(t, []types.QueryDefinition{
		{QueryDefinitionId: &a, Name: new("folder/a"), QueryString: new("fields a"), LastModified: &now, QueryLanguage: types.QueryLanguageCwli},
		{
			QueryDefinitionId: &b, Name: new("folder/b"), QueryString: new("fields @message | filter a = {{x}}"), LastModified: &now,
			QueryLanguage: types.QueryLanguageCwli, LogGroupNames: []string{"g"},
			Parameters: []types.QueryParameter{{Name: new("x"), DefaultValue: new("1"), Description: new("d")}},
		},
	}, out.QueryDefinitions)
	// An update replaces everything.
	assert.Equal(t, b, put(api.PutQueryDefinitionInput{QueryDefinitionId: &b, Name: new("folder/b2"), QueryString: new("fields b"), ClientToken: new(strings.Repeat("v", 36))}))
	out, err = f.DescribeQueryDefinitions(ctx, &api.DescribeQueryDefinitionsInput{MaxResults: new(int32(2))})
	require.NoError(t, err)
	require.Len(t, out.QueryDefinitions, 2)
	assert.Empty(t, out.QueryDefinitions[1].LogGroupNames)
	assert.Empty(t, out.QueryDefinitions[1].Parameters)
	out, err = f.DescribeQueryDefinitions(ctx, &api.DescribeQueryDefinitionsInput{NextToken: out.NextToken})
	require.NoError(t, err)
	require.Len(t, out.QueryDefinitions, 1)
	assert.Equal(t, "other", *out.QueryDefinitions[0].Name)

	del, err := f.DeleteQueryDefinition(ctx, &api.DeleteQueryDefinitionInput{QueryDefinitionId: &b})
	require.NoError(t, err)
	assert.True(t, del.Success)
	_, err = f.DeleteQueryDefinition(ctx, &api.DeleteQueryDefinitionInput{QueryDefinitionId: &b})
	wantError(t, err, "ResourceNotFoundException", "The specified query definition does not exist.")
	_, err = f.PutQueryDefinition(ctx, &api.PutQueryDefinitionInput{QueryDefinitionId: &b, Name: new("x"), QueryString: new("y"), ClientToken: new(strings.Repeat("w", 36))})
	wantError(t, err, "ResourceNotFoundException", "The specified query definition does not exist.")
	_, err = f.PutQueryDefinition(ctx, &api.PutQueryDefinitionInput{Name: new("x"), QueryString: new("y"), QueryLanguage: types.QueryLanguageSql, ClientToken: new(strings.Repeat("w", 36))})
	wantError(t, err, "InvalidParameterException", "queryLanguage: the language SQL is not supported by this endpoint.")
	_, err = f.PutQueryDefinition(ctx, &api.PutQueryDefinitionInput{Name: new("x"), QueryString: new("y"), Parameters: []types.QueryParameter{{Name: new("9")}}, ClientToken: new(strings.Repeat("w", 36))})
	wantError(t, err, "InvalidParameterException", "1 validation error detected: Value '9' at 'parameters.1.member.name' failed to satisfy constraint: "+
		"Member must satisfy regular expression pattern: ^[a-zA-Z_][a-zA-Z0-9_]*")
}
