// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package topics

import (
	"context"
	"maps"
	"slices"
	"unicode/utf8"

	api "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"github.com/nephoscope/nephoscope/pkg/sns"
)

const (
	maxTags     = 50
	maxTagKey   = 128
	maxTagValue = 256
)

func errTooManyTags() error {
	return &sns.Error{Code: "TagLimitExceededException", Message: "Could not complete request: tag quota of per resource exceeded"}
}

func tagsOf(list []types.Tag) (map[string]string, error) {
	if len(list) == 0 {
		return nil, nil //nolint:nilnil // there are none
	}
	tags := make(map[string]string, len(list))
	for _, t := range list {
		k, v := value(t.Key), value(t.Value)
		if k == "" || utf8.RuneCountInString(k) > maxTagKey || utf8.RuneCountInString(v) > maxTagValue {
			return nil, sns.Invalid("Tags Reason: a key has 1 to %d characters, a value up to %d", maxTagKey, maxTagValue)
		}
		if _, twice := tags[k]; twice {
			return nil, sns.Invalid("Duplicated keys are not allowed.")
		}
		tags[k] = v
	}
	return tags, nil
}

// taggedTopic is the topic that the operations on tags name. The lock is held.
func (s *Service) taggedTopic(ctx context.Context, arn, action string) (*topic, error) {
	parsed, err := sns.ParseTopicARN("ResourceArn", arn)
	if err != nil {
		return nil, err
	}
	if err := callerOf(ctx).may(parsed, "ResourceArn", action); err != nil {
		return nil, err
	}
	if t := s.topics[arn]; t != nil {
		return t, nil
	}
	return nil, resourceNotFound()
}

func (s *Service) tagResource(ctx context.Context, in *api.TagResourceInput) (*api.TagResourceOutput, error) {
	add, err := tagsOf(in.Tags)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t, err := s.taggedTopic(ctx, value(in.ResourceArn), "TagResource")
	if err != nil {
		return nil, err
	}
	tags := maps.Clone(t.Tags)
	if tags == nil {
		tags = map[string]string{}
	}
	maps.Copy(tags, add)
	if len(tags) > maxTags {
		return nil, errTooManyTags()
	}
	changed := *t
	changed.Tags = tags
	return &api.TagResourceOutput{}, s.replaceTopic(&changed)
}

func (s *Service) untagResource(ctx context.Context, in *api.UntagResourceInput) (*api.UntagResourceOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, err := s.taggedTopic(ctx, value(in.ResourceArn), "UntagResource")
	if err != nil {
		return nil, err
	}
	changed := *t
	changed.Tags = maps.Clone(t.Tags)
	for _, k := range in.TagKeys {
		delete(changed.Tags, k)
	}
	return &api.UntagResourceOutput{}, s.replaceTopic(&changed)
}

func (s *Service) listTagsForResource(ctx context.Context, in *api.ListTagsForResourceInput) (*api.ListTagsForResourceOutput, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	t, err := s.taggedTopic(ctx, value(in.ResourceArn), "ListTagsForResource")
	if err != nil {
		return nil, err
	}
	out := &api.ListTagsForResourceOutput{Tags: make([]types.Tag, 0, len(t.Tags))}
	for _, k := range slices.Sorted(maps.Keys(t.Tags)) {
		v := t.Tags[k]
		out.Tags = append(out.Tags, types.Tag{Key: &k, Value: &v})
	}
	return out, nil
}
