// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package topics

import (
	"context"
	"maps"
	"net/http"
	"slices"

	api "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"github.com/nephoscope/nephoscope/extension/notificationextension/internal/records"
	"github.com/nephoscope/nephoscope/pkg/awswire"
	"github.com/nephoscope/nephoscope/pkg/sns"
)

// topicOf is the topic that an ARN in the member of a request names. The lock is held.
func (s *Service) topicOf(ctx context.Context, member, arn, action string) (*topic, error) {
	parsed, err := sns.ParseTopicARN(member, arn)
	if err != nil {
		return nil, err
	}
	if err := callerOf(ctx).may(parsed, member, action); err != nil {
		return nil, err
	}
	t := s.topics[arn]
	if t == nil {
		return nil, notFound("Topic")
	}
	return t, nil
}

func (s *Service) createTopic(ctx context.Context, in *api.CreateTopicInput) (*api.CreateTopicOutput, error) {
	t, err := newTopic(callerOf(ctx), in)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if old := s.topics[t.ARN]; old != nil {
		if err := old.sameAs(in, t); err != nil {
			return nil, err
		}
		return &api.CreateTopicOutput{TopicArn: &old.ARN}, nil
	}
	if len(s.topics) >= s.set.MaxTopics {
		return nil, &awswire.Error{
			Code: "TopicLimitExceededException", Status: http.StatusForbidden,
			Message: "The number of topics exceeds the limit: " + "max_topics of the notifications extension",
		}
	}
	if err := s.replaceTopic(t); err != nil {
		return nil, err
	}
	return &api.CreateTopicOutput{TopicArn: &t.ARN}, nil
}

func newTopic(who caller, in *api.CreateTopicInput) (*topic, error) {
	name := value(in.Name)
	attributes := maps.Clone(in.Attributes)
	fifo := false
	if v, ok := attributes[attrFIFOTopic]; ok {
		switch v {
		case "true":
			fifo = true
		case "false":
			delete(attributes, attrFIFOTopic) // AWS refuses the explicit default of the other value only
		default:
			return nil, sns.Invalid("Attributes Reason: FifoTopic: Invalid boolean value: %s", v)
		}
	}
	if err := sns.CheckTopicName(name, fifo); err != nil {
		return nil, err
	}
	if value(in.DataProtectionPolicy) != "" {
		return nil, notImplemented("The parameter DataProtectionPolicy")
	}
	for _, k := range slices.Sorted(maps.Keys(attributes)) {
		if k == attrFIFOTopic {
			continue
		}
		if err := checkTopicAttribute(k, attributes[k], fifo); err != nil {
			return nil, err
		}
	}
	if fifo && attributes[attrContentBasedDeduplication] == "" {
		attributes[attrContentBasedDeduplication] = "false"
	}
	tags, err := tagsOf(in.Tags)
	if err != nil {
		return nil, err
	}
	if len(tags) > maxTags {
		return nil, errTooManyTags()
	}
	arn := sns.TopicARN{Partition: sns.Partition(who.region), Region: who.region, Account: who.account, Name: name}
	t := &topic{ARN: arn.String(), Attributes: attributes, Tags: tags, subscriptions: map[string]*subscription{}}
	return t, t.parse()
}

// sameAs is nil when a topic that is there is as a request to create it wants it.
func (t *topic) sameAs(in *api.CreateTopicInput, want *topic) error {
	for name := range in.Attributes {
		if name == attrFIFOTopic && in.Attributes[name] == "false" {
			continue
		}
		if t.Attributes[name] != want.Attributes[name] {
			return sns.Invalid("Attributes Reason: Topic already exists with different attributes")
		}
	}
	if len(want.Tags) > 0 && !maps.Equal(t.Tags, want.Tags) {
		return sns.Invalid("Tags Reason: Topic already exists with different tags")
	}
	return nil
}

// replaceTopic makes a topic durable and puts it into its place. The lock is held.
func (s *Service) replaceTopic(t *topic) error {
	put, err := s.putTopic(t)
	if err != nil {
		return err
	}
	if err := s.set.Store.Commit(put); err != nil {
		return err
	}
	s.topics[t.ARN] = t
	return nil
}

func (s *Service) deleteTopic(ctx context.Context, in *api.DeleteTopicInput) error {
	arn, err := sns.ParseTopicARN(attrTopicARN, value(in.TopicArn))
	if err != nil {
		return err
	}
	if err := callerOf(ctx).may(arn, attrTopicARN, "DeleteTopic"); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.topics[arn.String()]
	if t == nil {
		return nil // deleting twice is no error
	}
	err = s.set.Store.Commit(func(c *records.Change) {
		s.topicTable.Delete(c, t.ARN)
		for arn := range t.subscriptions {
			s.subscriptionTable.Delete(c, arn)
		}
	})
	if err != nil {
		return err
	}
	delete(s.topics, t.ARN)
	for arn := range t.subscriptions {
		delete(s.subscriptions, arn)
	}
	return nil
}

func (s *Service) getTopicAttributes(ctx context.Context, in *api.GetTopicAttributesInput) (*api.GetTopicAttributesOutput, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	t, err := s.topicOf(ctx, attrTopicARN, value(in.TopicArn), "GetTopicAttributes")
	if err != nil {
		return nil, err
	}
	return &api.GetTopicAttributesOutput{Attributes: t.describe()}, nil
}

func (s *Service) setTopicAttributes(ctx context.Context, in *api.SetTopicAttributesInput) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, err := s.topicOf(ctx, attrTopicARN, value(in.TopicArn), "SetTopicAttributes")
	if err != nil {
		return err
	}
	name, v := value(in.AttributeName), value(in.AttributeValue)
	if err := checkTopicAttribute(name, v, t.arn.FIFO()); err != nil {
		return err
	}
	attributes := maps.Clone(t.Attributes)
	if attributes == nil {
		attributes = map[string]string{}
	}
	if attributes[name] = v; v == "" {
		delete(attributes, name)
	}
	changed, err := t.with(attributes)
	if err != nil {
		return err
	}
	return s.replaceTopic(changed)
}

func (s *Service) listTopics(ctx context.Context, in *api.ListTopicsInput) (*api.ListTopicsOutput, error) {
	who := callerOf(ctx)
	s.mu.RLock()
	var arns []string
	for arn, t := range s.topics {
		if t.arn.Account == who.account && t.arn.Region == who.region {
			arns = append(arns, arn)
		}
	}
	s.mu.RUnlock()
	slices.Sort(arns)
	page, next, err := pageOf("topics", arns, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &api.ListTopicsOutput{NextToken: next, Topics: make([]types.Topic, 0, len(page))}
	for _, arn := range page {
		out.Topics = append(out.Topics, types.Topic{TopicArn: &arn})
	}
	return out, nil
}
