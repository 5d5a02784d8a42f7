// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	api "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/pkg/awswire"
	"github.com/nephoscope/nephoscope/pkg/cloudwatchlogs"
	"github.com/nephoscope/nephoscope/pkg/logsinsights"
)

const (
	maxQueryGroups  = 50
	maxSourceGroups = 10_000 // that SOURCE selects
	maxQueryLimit   = 100_000
	// maxStatsInfrequent is how many stats commands a query over a group of the class INFREQUENT_ACCESS may have.
	maxStatsInfrequent = 2
	// millisecondsFrom tells milliseconds from seconds: as seconds it is the year 5138.
	millisecondsFrom = 100_000_000_000
)

// queryWindow is the time range of a query in Unix ms, half-open. Both ends of the request are inclusive seconds;
// clients that send milliseconds are understood.
func queryWindow(start, end int64) (from, to int64) {
	from, to = start*1000, end*1000+1000
	if start >= millisecondsFrom {
		from = start
	}
	if end >= millisecondsFrom {
		to = end + 1
	}
	return min(from, maxTime), min(to, maxTime)
}

func checkStartQuery(in *api.StartQueryInput) error {
	var c checks
	if c.required(in.QueryString != nil, "queryString") {
		c.length(in.QueryString, "queryString", 0, cloudwatchlogs.MaxQueryLength)
	}
	if c.required(in.StartTime != nil, "startTime") {
		number(&c, in.StartTime, "startTime", 0, maxTime)
	}
	if c.required(in.EndTime != nil, "endTime") {
		number(&c, in.EndTime, "endTime", 0, maxTime)
	}
	number(&c, in.Limit, "limit", 1, maxQueryLimit)
	c.group(in.LogGroupName, "logGroupName")
	for i := range in.LogGroupNames {
		c.group(&in.LogGroupNames[i], fmt.Sprintf("logGroupNames.%d.member", i+1))
	}
	for i := range in.LogGroupIdentifiers {
		c.identifier(&in.LogGroupIdentifiers[i], fmt.Sprintf("logGroupIdentifiers.%d.member", i+1))
	}
	enum(&c, in.QueryLanguage, "queryLanguage", types.QueryLanguage("").Values()...)
	if err := c.err(); err != nil {
		return err
	}
	return checkLanguage(in.QueryLanguage)
}

// queryViews are the groups that a query is over: those of the request, or of its SOURCE command.
func (s *Service) queryViews(ctx context.Context, t store.Tenant, in *api.StartQueryInput, source *logsinsights.Source) ([]groupView, error) {
	given := 0
	var names []string
	if in.LogGroupName != nil {
		given++
		names = []string{*in.LogGroupName}
	}
	if in.LogGroupNames != nil {
		given++
		names = in.LogGroupNames
	}
	if in.LogGroupIdentifiers != nil {
		given++
		names = in.LogGroupIdentifiers
	}
	switch {
	case source != nil && given > 0:
		return nil, invalidParameter("A query with SOURCE must not name log groups in the request, too.")
	case source != nil && source.LogGroups != nil:
		return s.sourceViews(ctx, t, source.LogGroups)
	case source != nil:
		names = source.Groups
	case given != 1:
		return nil, invalidParameter("Exactly one of logGroupName, logGroupNames and logGroupIdentifiers is required.")
	}
	switch {
	case len(names) == 0:
		return nil, invalidParameter("At least one log group is required.")
	case len(names) > maxQueryGroups:
		return nil, invalidParameter("A query may be over %d log groups, not %d.", maxQueryGroups, len(names))
	}
	seen := map[string]bool{}
	var views []groupView
	for _, id := range names {
		name, err := groupName(t, id)
		var v groupView
		if err == nil {
			if seen[name] {
				continue
			}
			seen[name] = true
			v, err = s.lookup(ctx, t, name)
		}
		if err == errNoGroup { //nolint:errorlint // lookup and groupName return this very value
			err = noQueryGroup(t, id, awswire.RequestFrom(ctx).ID)
		}
		if err != nil {
			return nil, err
		}
		views = append(views, v)
	}
	return views, nil
}

// sourceViews are the groups that logGroups(…) selects.
func (s *Service) sourceViews(ctx context.Context, t store.Tenant, source *logsinsights.LogGroupsSource) ([]groupView, error) {
	if err := checkAccounts(t, source.Accounts); err != nil {
		return nil, err
	}
	views, _, err := s.allGroups(ctx, t)
	if err != nil {
		return nil, err
	}
	views = slices.DeleteFunc(views, func(v groupView) bool {
		return len(source.NamePrefixes) > 0 && !slices.ContainsFunc(source.NamePrefixes, func(p string) bool { return strings.HasPrefix(v.Name, p) }) ||
			len(source.Classes) > 0 && !slices.Contains(source.Classes, v.class())
	})
	switch {
	case len(views) == 0:
		return nil, notFound("SOURCE selects no log group.")
	case len(views) > maxSourceGroups:
		return nil, invalidParameter("SOURCE may select %d log groups, not %d.", maxSourceGroups, len(views))
	}
	return views, nil
}

// noQueryGroup is StartQuery's own text for a group that does not exist.
func noQueryGroup(t store.Tenant, name, request string) error {
	return notFound("Log group '%s' does not exist for account ID '%s' (Service: AWSLogs; Status Code: 400; "+
		"Error Code: ResourceNotFoundException; Request ID: %s; Proxy: null)", shown(name), t.Account, request)
}

// malformed is the error of a query, with the place of the mistake in characters.
func malformed(message string, start, end int) error {
	return &awswire.Error{
		Code: codeMalformedQuery, Message: message,
		Fields: map[string]any{"queryCompileError": &types.QueryCompileError{
			Message:  new(message),
			Location: &types.QueryCompileErrorLocation{StartCharOffset: new(int32(start)), EndCharOffset: new(int32(end))},
		}},
	}
}

// queryError tells an error in a query from others.
func queryError(err error) error {
	var syntax *logsinsights.SyntaxError
	if errors.As(err, &syntax) {
		return malformed(syntax.Message, syntax.Start, syntax.End)
	}
	return err
}

func (s *Service) startQuery(ctx context.Context, in *api.StartQueryInput) (*api.StartQueryOutput, error) {
	t, err := tenantOf(ctx)
	if err != nil {
		return nil, err
	}
	if err := checkStartQuery(in); err != nil {
		return nil, err
	}
	db, err := s.reads()
	if err != nil {
		return nil, err
	}
	parsed, err := logsinsights.Parse(*in.QueryString)
	if err != nil {
		return nil, queryError(err)
	}
	views, err := s.queryViews(ctx, t, in, parsed.Source)
	if err != nil {
		return nil, err
	}
	if err := checkClasses(parsed, views); err != nil {
		return nil, err
	}
	names := make([]string, len(views))
	for i, v := range views {
		names[i] = v.Name
	}
	from, to := queryWindow(*in.StartTime, *in.EndTime)
	if src := parsed.Source; src != nil {
		if src.Start != 0 {
			from = src.Start
		}
		if src.End != 0 {
			to = min(src.End, maxTime-1) + 1
		}
	}
	if from >= to {
		return nil, invalidParameter("The startTime of a query must not be after its endTime.")
	}
	now := s.nowMs()
	if err := s.checkWindow(ctx, t, views, to, *in.QueryString); err != nil {
		return nil, err
	}
	q := &query{tenant: t, groups: names, shown: rewritten(parsed, names, from, to, *in.QueryString)}
	opts := logsinsights.Options{
		Dialect: db.Dialect(), Start: from, End: to - 1, Limit: int(deref(in.Limit)), Now: s.now, Account: t.Account,
		Groups: names, Promoted: true,
	}
	if _, err := logsinsights.Compile(parsed, opts); err != nil {
		return nil, queryError(err)
	}
	selection := store.LogSelection{Tenant: t, Start: from, End: to}
	for _, v := range views {
		selection.Groups = append(selection.Groups, v.window(now))
	}
	q.run = func(ctx context.Context, progress func(answer)) (answer, error) {
		opts := opts
		opts.Progress = func(p logsinsights.Progress) {
			progress(answer{rows: p.Rows, stats: types.QueryStatistics{
				RecordsMatched: float64(p.RecordsMatched), RecordsScanned: float64(p.RecordsRead), LogGroupsScanned: float64(len(names)),
			}})
		}
		plan, err := logsinsights.Compile(parsed, opts)
		if err != nil {
			return answer{}, err
		}
		result, err := plan.Run(ctx, db, selection)
		if err != nil {
			return answer{}, err
		}
		return answer{rows: result.Rows, stats: statistics(result, len(names))}, nil
	}
	id, err := s.queries.start(q) //nolint:contextcheck // the query outlives the request
	if err != nil {
		return nil, err
	}
	return &api.StartQueryOutput{QueryId: &id}, nil
}

func statistics(r *logsinsights.Result, groups int) types.QueryStatistics {
	stats := types.QueryStatistics{
		RecordsMatched:          float64(r.Stats.RecordsMatched),
		RecordsScanned:          float64(r.Stats.RecordsScanned),
		BytesScanned:            float64(r.Stats.BytesScanned),
		EstimatedRecordsSkipped: float64(r.Stats.RecordsSkipped),
		LogGroupsScanned:        float64(groups),
		ResultCount:             float64(len(r.Rows)),
	}
	if r.Stats.RecordsScanned > 0 {
		stats.EstimatedBytesSkipped = stats.BytesScanned * stats.EstimatedRecordsSkipped / stats.RecordsScanned
	}
	return stats
}

// checkClasses refuses what groups of the class INFREQUENT_ACCESS cannot be asked.
func checkClasses(q *logsinsights.Query, views []groupView) error {
	stats := 0
	for _, c := range q.Commands {
		if _, ok := c.(*logsinsights.Stats); ok {
			stats++
		}
	}
	for _, v := range views {
		if stats > maxStatsInfrequent && v.class() == cloudwatchlogs.ClassInfrequentAccess {
			return malformed(fmt.Sprintf("A query over the log group %s of the class INFREQUENT_ACCESS may have %d stats commands",
				v.Name, maxStatsInfrequent), 0, utf8.RuneCountInString(q.String()))
		}
	}
	return nil
}

// checkWindow refuses a query whose time lies before every group was created, or in what retention has hidden. A group
// that holds events older than itself counts from its first event.
func (s *Service) checkWindow(ctx context.Context, t store.Tenant, views []groupView, to int64, text string) error {
	for _, v := range views {
		if to > v.Created && to > v.notBefore(s.nowMs()) {
			return nil
		}
		streams, err := s.store.LogStreams(ctx, t, v.window(s.nowMs()))
		if err != nil {
			return storageError("list log streams", err)
		}
		for i := range streams {
			if streams[i].FirstTimestamp < to {
				return nil
			}
		}
	}
	n := utf8.RuneCountInString(text)
	return malformed(fmt.Sprintf("Query's end date and time is either before the log groups creation time or exceeds the "+
		"log groups log retention settings ([0,%d])", n), 0, n)
}

// rewritten is a query as DescribeQueries shows it: its groups and time before its text.
func rewritten(q *logsinsights.Query, groups []string, from, to int64, text string) string {
	source := logsinsights.Source{Groups: groups, Start: from, End: to - 1}
	if q.Source == nil {
		return source.String() + " | " + text
	}
	if q.Source.LogGroups != nil {
		source.Groups, source.LogGroups = nil, q.Source.LogGroups
	}
	shown := *q
	shown.Source = &source
	return shown.String()
}
