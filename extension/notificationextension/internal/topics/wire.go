// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package topics

import (
	"context"

	api "github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/nephoscope/nephoscope/pkg/awswire"
)

// AddOperations adds the operations of SNS to w. get returns the service, nil while it does not run.
func AddOperations(w *awswire.Service, get func() *Service) {
	// AWS answers these without a signature, so that subscribers can follow the links that they are sent.
	w.Unsigned = append(w.Unsigned, "ConfirmSubscription", "Unsubscribe")
	AddLinks(w, get)

	handle(w, get, "CreateTopic", (*Service).createTopic)
	handleNoOutput(w, get, "DeleteTopic", (*Service).deleteTopic)
	handle(w, get, "GetTopicAttributes", (*Service).getTopicAttributes)
	handleNoOutput(w, get, "SetTopicAttributes", (*Service).setTopicAttributes)
	handle(w, get, "ListTopics", (*Service).listTopics)

	handle(w, get, "Subscribe", (*Service).subscribe)
	handle(w, get, "ListSubscriptions", (*Service).listSubscriptions)
	handle(w, get, "ListSubscriptionsByTopic", (*Service).listSubscriptionsByTopic)
	handle(w, get, "GetSubscriptionAttributes", (*Service).getSubscriptionAttributes)
	handleNoOutput(w, get, "SetSubscriptionAttributes", (*Service).setSubscriptionAttributes)

	handle(w, get, "Publish", (*Service).publishOperation)
	handle(w, get, "PublishBatch", (*Service).publishBatch)

	handle(w, get, "TagResource", (*Service).tagResource)
	handle(w, get, "UntagResource", (*Service).untagResource)
	handle(w, get, "ListTagsForResource", (*Service).listTagsForResource)
	handle(w, get, "GetDataProtectionPolicy", (*Service).getDataProtectionPolicy)
}

// AddLinks adds the operations behind the links that subscribers are sent.
func AddLinks(w *awswire.Service, get func() *Service) {
	handle(w, get, "ConfirmSubscription", (*Service).confirmSubscription)
	handleNoOutput(w, get, "Unsubscribe", (*Service).unsubscribe)
}

func handle[I, O any](
	w *awswire.Service, get func() *Service, name string, f func(*Service, context.Context, *I) (*O, error),
) {
	awswire.Handle(w, name, func(ctx context.Context, in *I) (*O, error) {
		s := get()
		if s == nil {
			return nil, errNotRunning()
		}
		out, err := f(s, ctx, in)
		return out, answered(err)
	})
}

func handleNoOutput[I any](
	w *awswire.Service, get func() *Service, name string, f func(*Service, context.Context, *I) error,
) {
	awswire.HandleNoOutput(w, name, func(ctx context.Context, in *I) error {
		s := get()
		if s == nil {
			return errNotRunning()
		}
		return answered(f(s, ctx, in))
	})
}

func (s *Service) getDataProtectionPolicy(
	ctx context.Context, in *api.GetDataProtectionPolicyInput,
) (*api.GetDataProtectionPolicyOutput, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if _, err := s.topicOf(ctx, "ResourceArn", value(in.ResourceArn), "GetDataProtectionPolicy"); err != nil {
		return nil, err
	}
	return &api.GetDataProtectionPolicyOutput{}, nil // there is none: it cannot be put
}

func value(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}
