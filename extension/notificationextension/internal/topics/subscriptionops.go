// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package topics

import (
	"context"
	"maps"
	"slices"

	api "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"github.com/nephoscope/nephoscope/pkg/sns"
)

// subscriptionOf is the subscription that a request names, with its topic. The lock is held.
func (s *Service) subscriptionOf(ctx context.Context, arn, action string) (*subscription, *topic, error) {
	parsed, _, err := sns.ParseSubscriptionARN("SubscriptionArn", arn)
	if err != nil {
		return nil, nil, err
	}
	who := callerOf(ctx)
	sub := s.subscriptions[arn]
	if sub == nil || sub.State == stateDeleted {
		if err := who.may(parsed, "SubscriptionArn", action); err != nil {
			return nil, nil, err
		}
		return nil, nil, notFound("Subscription")
	}
	if sub.Owner != who.account {
		if err := who.may(parsed, "SubscriptionArn", action); err != nil {
			return nil, nil, err
		}
	}
	return sub, s.topics[sub.TopicARN], nil
}

func (s *Service) getSubscriptionAttributes(
	ctx context.Context, in *api.GetSubscriptionAttributesInput,
) (*api.GetSubscriptionAttributesOutput, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	sub, t, err := s.subscriptionOf(ctx, value(in.SubscriptionArn), "GetSubscriptionAttributes")
	if err != nil {
		return nil, err
	}
	return &api.GetSubscriptionAttributesOutput{Attributes: sub.describe(t)}, nil
}

func (s *Service) setSubscriptionAttributes(ctx context.Context, in *api.SetSubscriptionAttributesInput) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	sub, t, err := s.subscriptionOf(ctx, value(in.SubscriptionArn), "SetSubscriptionAttributes")
	if err != nil {
		return err
	}
	name, v := value(in.AttributeName), value(in.AttributeValue)
	if name == attrFilterPolicyScope && sub.filter == nil {
		return sns.Invalid("FilterPolicyScope: FilterPolicyScope is not allowed without FilterPolicy")
	}
	if err := checkSubscriptionAttribute(name, v); err != nil {
		return err
	}
	if err := checkProtocol(sub.Protocol, name, v); err != nil {
		return err
	}
	attributes := maps.Clone(sub.Attributes)
	if attributes == nil {
		attributes = map[string]string{}
	}
	if attributes[name] = v; v == "" {
		delete(attributes, name)
	}
	changed, err := sub.with(attributes)
	if err != nil {
		return err
	}
	return s.replaceSubscription(t, changed)
}

func (s *Service) listSubscriptions(ctx context.Context, in *api.ListSubscriptionsInput) (*api.ListSubscriptionsOutput, error) {
	who := callerOf(ctx)
	s.mu.RLock()
	defer s.mu.RUnlock()
	var arns []string
	for arn, sub := range s.subscriptions {
		if sub.State != stateDeleted && sub.Owner == who.account && s.topics[sub.TopicARN].arn.Region == who.region {
			arns = append(arns, arn)
		}
	}
	list, next, err := s.page("subscriptions", arns, in.NextToken)
	return &api.ListSubscriptionsOutput{Subscriptions: list, NextToken: next}, err
}

func (s *Service) listSubscriptionsByTopic(
	ctx context.Context, in *api.ListSubscriptionsByTopicInput,
) (*api.ListSubscriptionsByTopicOutput, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	t, err := s.topicOf(ctx, attrTopicARN, value(in.TopicArn), "ListSubscriptionsByTopic")
	if err != nil {
		return nil, err
	}
	var arns []string
	for arn, sub := range t.subscriptions {
		if sub.State != stateDeleted {
			arns = append(arns, arn)
		}
	}
	list, next, err := s.page(t.ARN, arns, in.NextToken)
	return &api.ListSubscriptionsByTopicOutput{Subscriptions: list, NextToken: next}, err
}

// page is a page of subscriptions. The lock is held.
func (s *Service) page(list string, arns []string, token *string) ([]types.Subscription, *string, error) {
	slices.Sort(arns)
	arns, next, err := pageOf(list, arns, token)
	if err != nil {
		return nil, nil, err
	}
	out := make([]types.Subscription, 0, len(arns))
	for _, arn := range arns {
		sub := s.subscriptions[arn]
		shown := sub.listedARN()
		out = append(out, types.Subscription{
			SubscriptionArn: &shown, TopicArn: &sub.TopicARN, Owner: &sub.Owner, Protocol: &sub.Protocol, Endpoint: &sub.Endpoint,
		})
	}
	return out, next, nil
}
