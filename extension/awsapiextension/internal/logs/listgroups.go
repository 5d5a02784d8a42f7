// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logs

import (
	"context"
	"fmt"
	"slices"
	"strings"

	api "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/nephoscope/nephoscope/extension/awsapiextension/internal/paging"
	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/pkg/cloudwatchlogs"
)

// groupData is what the store has of a group, hidden events included.
type groupData struct {
	first int64 // the oldest timestamp, Unix ms
	size  int64 // in the bytes that PutLogEvents counts
}

// allGroups returns a tenant's groups in order of name, those found in the store alone adopted, and what the store has
// of them.
func (s *Service) allGroups(ctx context.Context, t store.Tenant) ([]groupView, map[string]groupData, error) {
	groups, gone := s.reg.views(t)
	data := map[string]groupData{}
	if s.store != nil {
		streams, err := s.store.LogStreams(ctx, t, store.LogGroupRange{})
		if err != nil {
			return nil, nil, storageError("list log streams", err)
		}
		for i := range streams {
			stream := &streams[i]
			d, ok := data[stream.Group]
			if !ok || stream.FirstTimestamp < d.first {
				d.first = stream.FirstTimestamp
			}
			d.size += sizeOf(stream)
			data[stream.Group] = d
			if _, ok := groups[stream.Group]; ok || stream.LastIngested <= gone[stream.Group] {
				continue
			}
			if err := s.adopt(ctx, t, stream.Group); err != nil {
				return nil, nil, err
			}
			if v, ok := s.reg.view(t, stream.Group); ok {
				groups[stream.Group] = v
			}
		}
	}
	views := make([]groupView, 0, len(groups))
	for _, v := range groups {
		views = append(views, v)
	}
	slices.SortFunc(views, func(a, b groupView) int { return strings.Compare(a.Name, b.Name) })
	return views, data, nil
}

func sizeOf(stream *store.LogStream) int64 {
	return stream.Bytes + cloudwatchlogs.EventOverhead*stream.Events
}

// checkAccounts refuses accounts other than the tenant's own: none is linked to it.
func checkAccounts(t store.Tenant, accounts []string) error {
	for _, a := range accounts {
		if a != t.Account {
			return unsupported("accountIdentifiers", "the linked account "+shown(a))
		}
	}
	return nil
}

func (s *Service) describeLogGroups(ctx context.Context, in *api.DescribeLogGroupsInput) (*api.DescribeLogGroupsOutput, error) {
	t, err := tenantOf(ctx)
	if err != nil {
		return nil, err
	}
	prefix, token := in.LogGroupNamePrefix, absent(in.NextToken)
	var c checks
	number(&c, in.Limit, "limit", 1, 50)
	c.group(prefix, "logGroupNamePrefix")
	if p := in.LogGroupNamePattern; p != nil {
		c.length(p, "logGroupNamePattern", 0, cloudwatchlogs.MaxNameLength)
		if !cloudwatchlogs.GroupNameAlphabet(*p) {
			c.fail(shown(*p), "logGroupNamePattern", `Member must satisfy regular expression pattern: [\.\-_/#A-Za-z0-9]*`)
		}
	}
	enum(&c, in.LogGroupClass, "logGroupClass", types.LogGroupClass("").Values()...)
	if in.LogGroupIdentifiers != nil {
		c.size(len(in.LogGroupIdentifiers), "logGroupIdentifiers", 1, 50)
		for i := range in.LogGroupIdentifiers {
			c.identifier(&in.LogGroupIdentifiers[i], fmt.Sprintf("logGroupIdentifiers.%d.member", i+1))
		}
	}
	c.size(len(in.AccountIdentifiers), "accountIdentifiers", 0, 20)
	if err := c.err(); err != nil {
		return nil, err
	}
	if prefix != nil && in.LogGroupNamePattern != nil {
		return nil, invalidParameter("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.")
	}
	if in.LogGroupIdentifiers != nil && (prefix != nil || in.LogGroupNamePattern != nil || in.LogGroupClass != "" || in.AccountIdentifiers != nil) {
		return nil, invalidParameter("LogGroup identifiers and other filters are mutually exclusive parameters.")
	}
	if err := checkAccounts(t, in.AccountIdentifiers); err != nil {
		return nil, err
	}
	query := []any{"DescribeLogGroups", t, prefix, in.LogGroupNamePattern, in.LogGroupClass, in.LogGroupIdentifiers}
	after := ""
	if token != nil && paging.Decode(query, *token, &after) != nil {
		return nil, errToken
	}
	wanted := map[string]bool{}
	for _, id := range in.LogGroupIdentifiers {
		name, err := groupName(t, id)
		if err == errNoGroup { //nolint:errorlint // groupName returns this very value
			continue
		} else if err != nil {
			return nil, err
		}
		wanted[name] = true
	}
	groups, data, err := s.allGroups(ctx, t)
	if err != nil {
		return nil, err
	}
	groups = slices.DeleteFunc(groups, func(v groupView) bool {
		return v.Name <= after ||
			!strings.HasPrefix(v.Name, deref(prefix)) ||
			!strings.Contains(v.Name, deref(in.LogGroupNamePattern)) ||
			in.LogGroupClass != "" && v.class() != string(in.LogGroupClass) ||
			in.LogGroupIdentifiers != nil && !wanted[v.Name]
	})
	limit := 50
	if in.Limit != nil {
		limit = int(*in.Limit)
	}
	out := &api.DescribeLogGroupsOutput{LogGroups: []types.LogGroup{}}
	if len(groups) > limit {
		groups = groups[:limit]
		next, err := paging.Encode(query, groups[limit-1].Name)
		if err != nil {
			return nil, err
		}
		out.NextToken = &next
	}
	for _, v := range groups {
		row := describeGroup(t, v)
		// A listing by pattern says less, as at AWS.
		if in.LogGroupNamePattern == nil {
			if row.StoredBytes, err = s.storedBytes(ctx, t, v, data[v.Name]); err != nil {
				return nil, err
			}
			row.DeletionProtectionEnabled = new(v.Protected)
		}
		out.LogGroups = append(out.LogGroups, row)
	}
	return out, nil
}

func describeGroup(t store.Tenant, v groupView) types.LogGroup {
	g := types.LogGroup{
		Arn:               new(cloudwatchlogs.GroupPolicyARN(t.Region, t.Account, v.Name)),
		LogGroupArn:       new(cloudwatchlogs.GroupARN(t.Region, t.Account, v.Name)),
		LogGroupName:      new(v.Name),
		CreationTime:      new(v.Created),
		LogGroupClass:     types.LogGroupClass(v.class()),
		MetricFilterCount: new(int32(0)),
	}
	if v.Retention != 0 {
		g.RetentionInDays = new(v.Retention)
	}
	return g
}

// storedBytes is the size of a group's events. The store is asked again only when some of them are hidden.
func (s *Service) storedBytes(ctx context.Context, t store.Tenant, v groupView, data groupData) (*int64, error) {
	now := s.nowMs()
	if s.store == nil || v.HiddenUntil == 0 && len(v.hiddenStreams) == 0 && data.first >= v.notBefore(now) {
		return new(data.size), nil
	}
	streams, err := s.store.LogStreams(ctx, t, v.window(now))
	if err != nil {
		return nil, storageError("list log streams", err)
	}
	var n int64
	for i := range streams {
		n += sizeOf(&streams[i])
	}
	return &n, nil
}

func (s *Service) listLogGroups(ctx context.Context, in *api.ListLogGroupsInput) (*api.ListLogGroupsOutput, error) {
	t, err := tenantOf(ctx)
	if err != nil {
		return nil, err
	}
	var c checks
	number(&c, in.Limit, "limit", 1, 1000)
	c.length(in.LogGroupNamePattern, "logGroupNamePattern", 3, 129)
	enum(&c, in.LogGroupClass, "logGroupClass", types.LogGroupClass("").Values()...)
	c.size(len(in.AccountIdentifiers), "accountIdentifiers", 0, 20)
	if in.LogGroupTags != nil {
		c.size(len(in.LogGroupTags), "logGroupTags", 1, 5)
		for i, f := range in.LogGroupTags {
			checkTagFilter(&c, f, fmt.Sprintf("logGroupTags.%d.member", i+1))
		}
	}
	if err := c.err(); err != nil {
		return nil, err
	}
	switch {
	case in.DataSources != nil:
		return nil, unsupported("dataSources", "a filter by data source")
	case in.FieldIndexNames != nil:
		return nil, unsupported("fieldIndexNames", "a filter by field index")
	}
	if err := checkAccounts(t, in.AccountIdentifiers); err != nil {
		return nil, err
	}
	matches, err := namePattern(in.LogGroupNamePattern)
	if err != nil {
		return nil, err
	}
	query := []any{"ListLogGroups", t, in.LogGroupNamePattern, in.LogGroupClass, in.LogGroupTags}
	after := ""
	if token := absent(in.NextToken); token != nil && paging.Decode(query, *token, &after) != nil {
		return nil, errToken
	}
	groups, _, err := s.allGroups(ctx, t)
	if err != nil {
		return nil, err
	}
	groups = slices.DeleteFunc(groups, func(v groupView) bool {
		return v.Name <= after || !matches(v.Name) ||
			in.LogGroupClass != "" && v.class() != string(in.LogGroupClass) || !matchTags(v.Tags, in.LogGroupTags)
	})
	limit := 50
	if in.Limit != nil {
		limit = int(*in.Limit)
	}
	out := &api.ListLogGroupsOutput{LogGroups: []types.LogGroupSummary{}}
	if len(groups) > limit {
		groups = groups[:limit]
		next, err := paging.Encode(query, groups[limit-1].Name)
		if err != nil {
			return nil, err
		}
		out.NextToken = &next
	}
	for _, v := range groups {
		out.LogGroups = append(out.LogGroups, types.LogGroupSummary{
			LogGroupName:  new(v.Name),
			LogGroupArn:   new(cloudwatchlogs.GroupARN(t.Region, t.Account, v.Name)),
			LogGroupClass: types.LogGroupClass(v.class()),
		})
	}
	return out, nil
}

// namePattern reads the pattern of ListLogGroups: up to five alternatives between '|', each 3 to 24 characters of a
// name, that begin the name after '^' and stand anywhere in it otherwise.
func namePattern(p *string) (func(name string) bool, error) {
	if p == nil {
		return func(string) bool { return true }, nil
	}
	parts := strings.Split(*p, "|")
	if len(parts) > 5 {
		return nil, invalidParameter("logGroupNamePattern has %d alternatives, at most 5 are allowed.", len(parts))
	}
	for _, part := range parts {
		text := strings.TrimPrefix(part, "^")
		if len(text) < 3 || len(text) > 24 || !cloudwatchlogs.GroupNameAlphabet(text) {
			return nil, invalidParameter(
				"logGroupNamePattern: '%s' is not 3 to 24 characters of a log group name, with an optional leading '^'.", part)
		}
	}
	return func(name string) bool {
		return slices.ContainsFunc(parts, func(part string) bool {
			if prefix, ok := strings.CutPrefix(part, "^"); ok {
				return strings.HasPrefix(name, prefix)
			}
			return strings.Contains(name, part)
		})
	}, nil
}
