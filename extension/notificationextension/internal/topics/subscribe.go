// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package topics

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	api "github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/nephoscope/nephoscope/extension/notificationextension/internal/queue"
	"github.com/nephoscope/nephoscope/extension/notificationextension/internal/records"
	"github.com/nephoscope/nephoscope/pkg/awswire"
	"github.com/nephoscope/nephoscope/pkg/sns"
)

// pendingResult is what Subscribe answers for a subscription that is not confirmed.
const pendingResult = "pending confirmation"

func (s *Service) subscribe(ctx context.Context, in *api.SubscribeInput) (*api.SubscribeOutput, error) {
	protocol, endpoint := value(in.Protocol), value(in.Endpoint)
	if endpoint == "" {
		return nil, sns.Invalid("Endpoint")
	}
	attributes, err := subscriptionAttributes(in.Attributes)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep()
	t, err := s.topicOf(ctx, attrTopicARN, value(in.TopicArn), "Subscribe")
	if err != nil {
		return nil, err
	}
	if err := s.checkEndpoint(protocol, endpoint); err != nil {
		return nil, err
	}
	for name, v := range attributes {
		if err := checkProtocol(protocol, name, v); err != nil {
			return nil, err
		}
	}
	if t.arn.FIFO() {
		return nil, sns.Invalid("Invalid parameter: Endpoint Reason: Please use FIFO SQS queue")
	}
	sub := t.find(protocol, endpoint)
	switch {
	case sub == nil:
		if len(s.subscriptions) >= s.set.MaxSubscriptions {
			return nil, &awswire.Error{
				Code: "SubscriptionLimitExceededException", Status: http.StatusForbidden,
				Message: "The number of subscriptions exceeds the limit: max_subscriptions of the notifications extension",
			}
		}
		sub = &subscription{
			ARN: t.ARN + ":" + newID(), TopicARN: t.ARN, Owner: callerOf(ctx).account,
			Protocol: protocol, Endpoint: endpoint, Attributes: attributes,
		}
	case !sub.sameAttributes(attributes):
		return nil, sns.Invalid("Attributes Reason: Subscription already exists with different attributes")
	case sub.State == stateConfirmed:
		return &api.SubscribeOutput{SubscriptionArn: &sub.ARN}, nil
	}
	pending := *sub
	pending.State = statePending
	pending.Token, pending.TokenExpires = newToken(), s.set.Now().Add(tokenLife)
	if err := pending.parse(); err != nil {
		return nil, err
	}
	if err := s.sendConfirmation(ctx, t, &pending, sns.SubscriptionConfirmation); err != nil {
		return nil, err
	}
	s.add(t, &pending)
	result := pendingResult
	if in.ReturnSubscriptionArn {
		result = pending.ARN
	}
	return &api.SubscribeOutput{SubscriptionArn: &result}, nil
}

func subscriptionAttributes(given map[string]string) (map[string]string, error) {
	out := make(map[string]string, len(given))
	for _, k := range slices.Sorted(maps.Keys(given)) {
		if err := checkSubscriptionAttribute(k, given[k]); err != nil {
			return nil, err
		}
		if given[k] != "" {
			out[k] = given[k]
		}
	}
	return out, nil
}

// find is the topic's subscription of an endpoint that was not deleted.
func (t *topic) find(protocol, endpoint string) *subscription {
	for _, sub := range t.subscriptions {
		if sub.Protocol == protocol && sub.Endpoint == endpoint && sub.State != stateDeleted {
			return sub
		}
	}
	return nil
}

// newToken is what only the subscriber knows.
func newToken() string {
	b := make([]byte, 128)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// sendConfirmation keeps a subscription and has its subscriber told how to confirm or restore it. The lock is held.
func (s *Service) sendConfirmation(ctx context.Context, t *topic, sub *subscription, typ sns.Type) error {
	base := s.set.URL(t.arn.Region)
	e := &sns.Envelope{
		Type: typ, MessageID: newID(), TopicARN: t.ARN, Token: sub.Token,
		Message: "You have chosen to subscribe to the topic " + t.ARN +
			".\nTo confirm the subscription, visit the SubscribeURL included in this message.",
		SubscribeURL:   base + "/?Action=ConfirmSubscription&TopicArn=" + t.ARN + "&Token=" + sub.Token,
		Timestamp:      sns.FormatTime(s.set.Now()),
		SigningCertURL: s.certificateURL(t),
	}
	if typ == sns.UnsubscribeConfirmation {
		e.Message = "You have chosen to deactivate subscription " + sub.ARN +
			".\nTo cancel this operation and restore the subscription, visit the SubscribeURL included in this message."
	}
	if err := s.signer.Sign(e, t.signatureVersion()); err != nil {
		return err
	}
	item, err := s.newDelivery(t, sub, e, e.JSON())
	if err != nil {
		return err
	}
	put, err := s.putSubscription(sub)
	if err != nil {
		return err
	}
	return s.set.Enqueue(ctx, []*queue.Item{item}, put)
}

func (s *Service) confirmSubscription(ctx context.Context, in *api.ConfirmSubscriptionInput) (*api.ConfirmSubscriptionOutput, error) {
	arn, err := sns.ParseTopicARN(attrTopicARN, value(in.TopicArn))
	if err != nil {
		return nil, err
	}
	forOwner := false
	switch strings.ToLower(value(in.AuthenticateOnUnsubscribe)) {
	case "", "false":
	case "true":
		forOwner = true
	default:
		return nil, sns.Invalid("AuthenticateOnUnsubscribe")
	}
	token := value(in.Token)
	if token == "" {
		return nil, sns.Invalid("Token")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.topics[arn.String()]
	if t == nil {
		return nil, notFound("Topic")
	}
	var sub *subscription
	for _, candidate := range t.subscriptions {
		if subtle.ConstantTimeCompare([]byte(candidate.Token), []byte(token)) == 1 {
			sub = candidate
		}
	}
	switch {
	case sub == nil:
		return nil, sns.Invalid("Token")
	case sub.State == stateConfirmed:
		return &api.ConfirmSubscriptionOutput{SubscriptionArn: &sub.ARN}, nil
	case s.set.Now().After(sub.TokenExpires):
		return nil, sns.Invalid("Token")
	case sub.State == stateDeleted && t.find(sub.Protocol, sub.Endpoint) != nil:
		return nil, sns.Invalid("Token") // the endpoint was subscribed again since
	}
	confirmed := *sub
	confirmed.State = stateConfirmed
	confirmed.Authenticated = signed(ctx)
	confirmed.ForOwner = forOwner && confirmed.Authenticated
	if err := s.replaceSubscription(t, &confirmed); err != nil {
		return nil, err
	}
	return &api.ConfirmSubscriptionOutput{SubscriptionArn: &confirmed.ARN}, nil
}

// signed is whether the request has a signature.
func signed(ctx context.Context) bool {
	r := awswire.RequestFrom(ctx)
	return r != nil && r.AccessKey != ""
}

// replaceSubscription makes a subscription durable and puts it into its place. The lock is held.
func (s *Service) replaceSubscription(t *topic, sub *subscription) error {
	put, err := s.putSubscription(sub)
	if err != nil {
		return err
	}
	if err := s.set.Store.Commit(put); err != nil {
		return err
	}
	s.add(t, sub)
	return nil
}

func (s *Service) unsubscribe(ctx context.Context, in *api.UnsubscribeInput) error {
	arn, _, err := sns.ParseSubscriptionARN("SubscriptionArn", value(in.SubscriptionArn))
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep()
	sub := s.subscriptions[value(in.SubscriptionArn)]
	if sub == nil || sub.State == stateDeleted {
		return nil // doing it twice is no error
	}
	if sub.ForOwner || signed(ctx) {
		if who := callerOf(ctx); !signed(ctx) || who.account != sub.Owner && who.account != arn.Account {
			return &awswire.Error{
				Code: "AuthorizationErrorException", Status: http.StatusForbidden,
				Message: "Not authorized: only its owner may end the subscription",
			}
		}
	}
	t := s.topics[sub.TopicARN]
	if sub.State == statePending {
		if err := s.set.Store.Commit(func(c *records.Change) { s.subscriptionTable.Delete(c, sub.ARN) }); err != nil {
			return err
		}
		s.forget(sub)
		return nil
	}
	deleted := *sub
	deleted.State = stateDeleted
	deleted.Token, deleted.TokenExpires = newToken(), s.set.Now().Add(tokenLife)
	if err := s.sendConfirmation(ctx, t, &deleted, sns.UnsubscribeConfirmation); err != nil {
		return fmt.Errorf("unsubscribe %s: %w", sub.ARN, err)
	}
	s.add(t, &deleted)
	return nil
}
