// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logs

import (
	"cmp"
	"context"
	"slices"
	"strings"

	api "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/nephoscope/nephoscope/extension/awsapiextension/internal/paging"
	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/pkg/cloudwatchlogs"
)

// checkGroupAndStream checks the required names of a group and a stream.
func checkGroupAndStream(group, stream *string) error {
	c := checks{}
	if err := c.groupAndStream(group, stream); err != nil {
		return err
	}
	return c.err()
}

// groupAndStream notes what is wrong with the required names of a group and a stream. Names that are too long are an
// error of their own.
func (c *checks) groupAndStream(group, stream *string) error {
	if characters(deref(group)) > cloudwatchlogs.MaxNameLength || characters(deref(stream)) > cloudwatchlogs.MaxNameLength {
		return invalidParameter(textNameTooLong)
	}
	if c.required(group != nil, "logGroupName") {
		c.group(group, "logGroupName")
	}
	if c.required(stream != nil, "logStreamName") {
		c.stream(stream, "logStreamName")
	}
	if strings.Contains(deref(stream), "\x00") { // separates keys in the storage
		c.fail(shown(*stream), "logStreamName", "Member must not contain NUL")
	}
	return nil
}

func (s *Service) createLogStream(ctx context.Context, in *api.CreateLogStreamInput) error {
	t, err := tenantOf(ctx)
	if err != nil {
		return err
	}
	if err := checkGroupAndStream(in.LogGroupName, in.LogStreamName); err != nil {
		return err
	}
	v, err := s.lookup(ctx, t, *in.LogGroupName)
	if err != nil {
		return err
	}
	// A stream that other receivers fill may be created once. It is not looked for: clients create streams often, and
	// counting the store's takes its time.
	now := s.nowMs()
	create := func(row *streamRow) (*streamRow, error) {
		if row != nil && row.Exists {
			return nil, errStreamExists
		}
		made := &streamRow{
			Account: t.Account, Region: t.Region, Group: v.Name, Name: *in.LogStreamName, Exists: true, Created: now,
		}
		if row != nil {
			made.HiddenUntil = row.HiddenUntil
		}
		return made, nil
	}
	return s.withRoom(ctx, func() error { return s.reg.putStream(ctx, t, v.Name, *in.LogStreamName, create) })
}

func (s *Service) deleteLogStream(ctx context.Context, in *api.DeleteLogStreamInput) error {
	t, err := tenantOf(ctx)
	if err != nil {
		return err
	}
	if err := checkGroupAndStream(in.LogGroupName, in.LogStreamName); err != nil {
		return err
	}
	v, err := s.lookup(ctx, t, *in.LogGroupName)
	if err != nil {
		return err
	}
	if !s.reg.hasStream(t, v.Name, *in.LogStreamName) {
		if s.store == nil {
			return errNoStream
		}
		if err := s.hasEvents(ctx, t, v, *in.LogStreamName); err != nil {
			return err
		}
	}
	until, err := s.latestIngested(ctx, t, store.LogGroupRange{Group: v.Name}, *in.LogStreamName)
	if err != nil {
		return err
	}
	return s.withRoom(ctx, func() error { return s.reg.deleteStream(ctx, t, v.Name, *in.LogStreamName, until) })
}

// streamView is a stream as it is described: its row, its events, or both.
type streamView struct {
	name string
	row  *streamRow       // nil: known by its events alone
	data *store.LogStream // nil: it has no events
}

func (v streamView) lastEvent() int64 {
	if v.data == nil {
		return 0
	}
	return v.data.LastTimestamp
}

// allStreams returns a group's streams, in no order.
func (s *Service) allStreams(ctx context.Context, t store.Tenant, v groupView) ([]streamView, error) {
	rows := s.reg.streamRows(t, v.Name)
	views := make([]streamView, 0, len(rows))
	if s.store != nil {
		data, err := s.store.LogStreams(ctx, t, v.window(s.nowMs()))
		if err != nil {
			return nil, storageError("list log streams", err)
		}
		for i := range data {
			d := &data[i]
			views = append(views, streamView{d.Stream, rows[d.Stream], d})
			delete(rows, d.Stream)
		}
	}
	for name, row := range rows {
		views = append(views, streamView{name: name, row: row})
	}
	return views, nil
}

// streamPlace is where a listing of streams goes on.
type streamPlace struct {
	Time int64  `json:"t,omitempty"`
	Name string `json:"n"`
}

func (s *Service) describeLogStreams(ctx context.Context, in *api.DescribeLogStreamsInput) (*api.DescribeLogStreamsOutput, error) {
	t, err := tenantOf(ctx)
	if err != nil {
		return nil, err
	}
	if in.LogGroupName != nil && in.LogGroupIdentifier != nil {
		return nil, validationError("LogGroup name and LogGroup ARN are mutually exclusive parameters.")
	}
	var c checks
	checkNameOrIdentifier(&c, in.LogGroupName, in.LogGroupIdentifier)
	c.stream(in.LogStreamNamePrefix, "logStreamNamePrefix")
	number(&c, in.Limit, "limit", 1, 50)
	enum(&c, in.OrderBy, "orderBy", types.OrderBy("").Values()...)
	if err := c.err(); err != nil {
		return nil, err
	}
	byTime := in.OrderBy == types.OrderByLastEventTime
	if byTime && in.LogStreamNamePrefix != nil {
		return nil, invalidParameter("Cannot order by LastEventTime with a logStreamNamePrefix.")
	}
	name, err := nameOrIdentifier(t, in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	v, err := s.lookup(ctx, t, name)
	if err != nil {
		return nil, err
	}
	descending := deref(in.Descending)
	query := []any{"DescribeLogStreams", t, name, byTime, descending, in.LogStreamNamePrefix}
	var after *streamPlace
	if token := absent(in.NextToken); token != nil {
		after = &streamPlace{}
		if paging.Decode(query, *token, after) != nil {
			return nil, errToken
		}
	}
	streams, err := s.allStreams(ctx, t, v)
	if err != nil {
		return nil, err
	}
	order := func(a, b streamPlace) int {
		n := cmp.Or(cmp.Compare(a.Time, b.Time), strings.Compare(a.Name, b.Name))
		if descending {
			n = -n
		}
		return n
	}
	place := func(v streamView) streamPlace {
		if byTime {
			return streamPlace{v.lastEvent(), v.name}
		}
		return streamPlace{Name: v.name}
	}
	streams = slices.DeleteFunc(streams, func(v streamView) bool {
		return !strings.HasPrefix(v.name, deref(in.LogStreamNamePrefix)) || after != nil && order(place(v), *after) <= 0
	})
	slices.SortFunc(streams, func(a, b streamView) int { return order(place(a), place(b)) })
	limit := 50
	if in.Limit != nil {
		limit = int(*in.Limit)
	}
	out := &api.DescribeLogStreamsOutput{LogStreams: []types.LogStream{}}
	if len(streams) > limit {
		streams = streams[:limit]
		next, err := paging.Encode(query, place(streams[limit-1]))
		if err != nil {
			return nil, err
		}
		out.NextToken = &next
	}
	for _, stream := range streams {
		row, err := s.describeStream(ctx, t, v, stream)
		if err != nil {
			return nil, err
		}
		out.LogStreams = append(out.LogStreams, row)
	}
	return out, nil
}

func (s *Service) describeStream(ctx context.Context, t store.Tenant, g groupView, v streamView) (types.LogStream, error) {
	out := types.LogStream{
		Arn:           new(cloudwatchlogs.StreamARN(t.Region, t.Account, g.Name, v.name)),
		LogStreamName: new(v.name),
		StoredBytes:   new(int64(0)), // always, since 2019
	}
	if v.row != nil {
		out.CreationTime = new(v.row.Created)
	} else {
		created, err := s.firstIngested(ctx, t, g.window(s.nowMs()), v.name)
		if err != nil {
			return out, err
		}
		out.CreationTime = new(created)
	}
	if v.data != nil {
		out.FirstEventTimestamp = new(v.data.FirstTimestamp)
		out.LastEventTimestamp = new(v.data.LastTimestamp)
		out.LastIngestionTime = new(v.data.LastIngested)
		out.UploadSequenceToken = new(sequenceToken(v.data.LastIngested, 0))
	}
	return out, nil
}
