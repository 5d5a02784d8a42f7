// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logs

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	api "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/pkg/awswire"
	"github.com/nephoscope/nephoscope/pkg/cloudwatchlogs"
)

const (
	tagKeyPattern   = `^([\p{L}\p{Z}\p{N}_.:/=+\-@]+)$`
	tagValuePattern = `^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$`
)

// tagAlphabet reports whether s holds only characters that tags may hold.
func tagAlphabet(s string) bool {
	for _, r := range s {
		if !unicode.In(r, unicode.L, unicode.Z, unicode.N) && !strings.ContainsRune("_.:/=+-@", r) {
			return false
		}
	}
	return true
}

// checkTags checks tags that are to be set.
func checkTags(c *checks, tags map[string]string) {
	if tags == nil {
		return
	}
	c.size(len(tags), "tags", 1, cloudwatchlogs.MaxTags)
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		v := tags[k]
		c.length(&k, "tags", 1, cloudwatchlogs.MaxTagKeyLength)
		if k != "" && !tagAlphabet(k) {
			c.fail(shown(k), "tags", "Member must satisfy regular expression pattern: "+tagKeyPattern)
		}
		member := "tags." + shown(k) + ".member"
		c.length(&v, member, 0, cloudwatchlogs.MaxTagValueLength)
		if !tagAlphabet(v) {
			c.fail(shown(v), member, "Member must satisfy regular expression pattern: "+tagValuePattern)
		}
	}
}

func checkTagFilter(c *checks, f types.TagFilter, member string) {
	if c.required(f.Key != nil, member+".key") {
		c.length(f.Key, member+".key", 1, cloudwatchlogs.MaxTagKeyLength)
	}
	c.size(len(f.Values), member+".values", 0, 5)
	for i, v := range f.Values {
		m := fmt.Sprintf("%s.values.%d.member", member, i+1)
		c.length(&v, m, 0, 259)
		text, _, _, _ := tagGlob(v)
		if !tagAlphabet(text) {
			c.fail(shown(v), m, `Member must satisfy regular expression pattern: ^!?\*?([\p{L}\p{Z}\p{N}_.:/=+\-@]*)\*?$`)
		}
	}
}

// tagGlob reads one value of a tag filter: '!' negates, '*' at the ends stands for anything.
func tagGlob(v string) (text string, not, open, end bool) {
	text, not = strings.CutPrefix(v, "!")
	text, open = strings.CutPrefix(text, "*")
	text, end = strings.CutSuffix(text, "*")
	return text, not, open, end
}

// matchTags reports whether tags meet all filters: the key is there, and with one of the values if there are any.
func matchTags(tags map[string]string, filters []types.TagFilter) bool {
	for _, f := range filters {
		value, ok := tags[deref(f.Key)]
		if !ok {
			return false
		}
		if len(f.Values) > 0 && !slices.ContainsFunc(f.Values, func(v string) bool { return matchTag(value, v) }) {
			return false
		}
	}
	return true
}

func matchTag(value, filter string) bool {
	text, not, open, end := tagGlob(filter)
	var ok bool
	switch {
	case open && end:
		ok = strings.Contains(value, text)
	case open:
		ok = strings.HasSuffix(value, text)
	case end:
		ok = strings.HasPrefix(value, text)
	default:
		ok = value == text
	}
	return ok != not
}

func (s *Service) tagLogGroup(ctx context.Context, in *api.TagLogGroupInput) error {
	t, err := tenantOf(ctx)
	if err != nil {
		return err
	}
	var c checks
	if c.required(in.LogGroupName != nil, "logGroupName") {
		c.group(in.LogGroupName, "logGroupName")
	}
	if c.required(in.Tags != nil, "tags") {
		checkTags(&c, in.Tags)
	}
	if err := c.err(); err != nil {
		return err
	}
	return s.setTags(ctx, t, *in.LogGroupName, in.Tags, invalidParameter("The number of tags exceeds the limit of %d.", cloudwatchlogs.MaxTags))
}

func (s *Service) untagLogGroup(ctx context.Context, in *api.UntagLogGroupInput) error {
	t, err := tenantOf(ctx)
	if err != nil {
		return err
	}
	var c checks
	if c.required(in.LogGroupName != nil, "logGroupName") {
		c.group(in.LogGroupName, "logGroupName")
	}
	if c.required(in.Tags != nil, "tags") {
		c.size(len(in.Tags), "tags", 1, 1000)
	}
	if err := c.err(); err != nil {
		return err
	}
	return s.removeTags(ctx, t, *in.LogGroupName, in.Tags)
}

func (s *Service) listTagsLogGroup(ctx context.Context, in *api.ListTagsLogGroupInput) (*api.ListTagsLogGroupOutput, error) {
	_, v, err := s.oneGroup(ctx, in.LogGroupName)
	if err != nil {
		return nil, err
	}
	return &api.ListTagsLogGroupOutput{Tags: copyTags(v.Tags)}, nil
}

// checkResourceARN checks the resourceArn of a tag operation. Log groups are the only resources here that have tags.
func checkResourceARN(c *checks, arn *string) {
	if !c.required(arn != nil, "resourceArn") {
		return
	}
	c.length(arn, "resourceArn", 1, 1011)
	if !cloudwatchlogs.IdentifierAlphabet(strings.ReplaceAll(*arn, "#", "")) {
		c.failText(`Value at 'resourceArn' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+=/:,.@-]*`)
	}
}

func taggedGroup(t store.Tenant, arn string) (string, error) {
	ref, ok := cloudwatchlogs.ParseGroupARN(arn)
	if !ok {
		if strings.HasPrefix(arn, "arn:") && strings.Count(arn, ":") >= 6 && strings.Contains(arn, ":logs:") {
			return "", notFound("The specified resource does not exist.")
		}
		return "", invalidParameter("Invalid resource ARN: %s", shown(arn))
	}
	if ref.Account != t.Account || ref.Region != t.Region {
		return "", notFound("The specified resource does not exist.")
	}
	return ref.Group, nil
}

func (s *Service) tagResource(ctx context.Context, in *api.TagResourceInput) error {
	t, err := tenantOf(ctx)
	if err != nil {
		return err
	}
	var c checks
	checkResourceARN(&c, in.ResourceArn)
	if c.required(in.Tags != nil, "tags") {
		checkTags(&c, in.Tags)
	}
	if err := c.err(); err != nil {
		return err
	}
	name, err := taggedGroup(t, *in.ResourceArn)
	if err != nil {
		return err
	}
	return s.setTags(ctx, t, name, in.Tags, &awswire.Error{
		Code:    codeTooManyTags,
		Message: fmt.Sprintf("The number of tags exceeds the limit of %d.", cloudwatchlogs.MaxTags),
		Fields:  map[string]any{"resourceName": *in.ResourceArn},
	})
}

func (s *Service) untagResource(ctx context.Context, in *api.UntagResourceInput) error {
	t, err := tenantOf(ctx)
	if err != nil {
		return err
	}
	var c checks
	checkResourceARN(&c, in.ResourceArn)
	if c.required(in.TagKeys != nil, "tagKeys") {
		c.size(len(in.TagKeys), "tagKeys", 0, cloudwatchlogs.MaxTags)
	}
	if err := c.err(); err != nil {
		return err
	}
	name, err := taggedGroup(t, *in.ResourceArn)
	if err != nil {
		return err
	}
	return s.removeTags(ctx, t, name, in.TagKeys)
}

func (s *Service) listTagsForResource(ctx context.Context, in *api.ListTagsForResourceInput) (*api.ListTagsForResourceOutput, error) {
	t, err := tenantOf(ctx)
	if err != nil {
		return nil, err
	}
	var c checks
	checkResourceARN(&c, in.ResourceArn)
	if err := c.err(); err != nil {
		return nil, err
	}
	name, err := taggedGroup(t, *in.ResourceArn)
	if err != nil {
		return nil, err
	}
	v, err := s.lookup(ctx, t, name)
	if err != nil {
		return nil, err
	}
	return &api.ListTagsForResourceOutput{Tags: copyTags(v.Tags)}, nil
}

func copyTags(tags map[string]string) map[string]string {
	if tags == nil {
		return map[string]string{}
	}
	return maps.Clone(tags)
}

// setTags adds tags to a group; tooMany is the error when it would have more than allowed.
func (s *Service) setTags(ctx context.Context, t store.Tenant, name string, tags map[string]string, tooMany error) error {
	if _, err := s.lookup(ctx, t, name); err != nil {
		return err
	}
	return s.editGroup(ctx, t, name, func(row *groupRow) error {
		all := copyTags(row.Tags)
		maps.Copy(all, tags)
		if len(all) > cloudwatchlogs.MaxTags {
			return tooMany
		}
		row.Tags = all
		return nil
	})
}

func (s *Service) removeTags(ctx context.Context, t store.Tenant, name string, keys []string) error {
	if _, err := s.lookup(ctx, t, name); err != nil {
		return err
	}
	return s.editGroup(ctx, t, name, func(row *groupRow) error {
		all := copyTags(row.Tags)
		for _, k := range keys {
			delete(all, k)
		}
		row.Tags = all
		return nil
	})
}
