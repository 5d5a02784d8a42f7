// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package topics

import (
	"maps"
	"net/mail"
	"net/url"
	"strconv"
	"time"

	"github.com/nephoscope/nephoscope/pkg/sns"
)

// The attributes of subscriptions.
const (
	attrFilterPolicy        = "FilterPolicy"
	attrFilterPolicyScope   = "FilterPolicyScope"
	attrRawMessageDelivery  = "RawMessageDelivery"
	attrRedrivePolicy       = "RedrivePolicy"
	attrReplayPolicy        = "ReplayPolicy"
	attrSubscriptionRoleARN = "SubscriptionRoleArn"
)

// The protocols of subscriptions by email.
const (
	protocolEmail     = "email"
	protocolEmailJSON = "email-json"
)

// tokenLife is how long a subscription may be confirmed, or a deleted one restored.
const tokenLife = 72 * time.Hour

// subscriptionState says where a subscription stands.
type subscriptionState string

const (
	statePending   subscriptionState = "pending"
	stateConfirmed subscriptionState = "confirmed"
	// stateDeleted is one that its subscriber may restore.
	stateDeleted subscriptionState = "deleted"
)

// subscription is one subscription. One that is in the service's maps is not changed but replaced.
type subscription struct {
	ARN      string            `json:"arn"`
	TopicARN string            `json:"topic"`
	Owner    string            `json:"owner"`
	Protocol string            `json:"protocol"`
	Endpoint string            `json:"endpoint"`
	State    subscriptionState `json:"state"`
	Token    string            `json:"token"`
	// TokenExpires is when a subscription that was not confirmed is forgotten.
	TokenExpires time.Time `json:"tokenExpires"`
	// Authenticated is whether the request that confirmed was signed, ForOwner whether only the owner may unsubscribe.
	Authenticated bool              `json:"authenticated,omitempty"`
	ForOwner      bool              `json:"forOwner,omitempty"`
	Attributes    map[string]string `json:"attributes,omitempty"`

	filter *sns.FilterPolicy
	policy *sns.DeliveryPolicy
	raw    bool
}

// parse fills what is derived from the attributes.
func (s *subscription) parse() (err error) {
	s.filter, s.policy = nil, nil
	s.raw = s.Attributes[attrRawMessageDelivery] == "true"
	if text := s.Attributes[attrFilterPolicy]; text != "" {
		if s.filter, err = sns.ParseFilterPolicy(text, s.Attributes[attrFilterPolicyScope]); err != nil {
			return err
		}
	}
	if text := s.Attributes[attrDeliveryPolicy]; text != "" {
		s.policy, err = sns.ParseSubscriptionPolicy(text)
	}
	return err
}

// with is a copy with other attributes.
func (s *subscription) with(attributes map[string]string) (*subscription, error) {
	c := *s
	c.Attributes = attributes
	return &c, c.parse()
}

// listedARN is the ARN that lists show.
func (s *subscription) listedARN() string {
	if s.State == statePending {
		return "PendingConfirmation"
	}
	return s.ARN
}

// checkProtocol checks that the protocol knows an attribute that is to be set.
func checkProtocol(protocol, name, value string) error {
	if protocol == "http" || protocol == "https" || value == "" {
		return nil
	}
	switch {
	case name == attrRawMessageDelivery && value == "true":
		return sns.Invalid("Attributes Reason: Delivery protocol [%s] does not support raw message delivery.", protocol)
	case name == attrDeliveryPolicy:
		return sns.Invalid("Attributes Reason: Delivery protocol [%s] does not support delivery policies.", protocol)
	}
	return nil
}

// checkSubscriptionAttribute checks an attribute that is to be set, before it is parsed.
func checkSubscriptionAttribute(name, value string) error {
	switch name {
	case attrDeliveryPolicy, attrFilterPolicy:
	case attrFilterPolicyScope:
		if value != sns.ScopeMessageAttributes && value != sns.ScopeMessageBody {
			return sns.Invalid("FilterPolicyScope: Invalid value [%s]. Please use either MessageBody or MessageAttributes", value)
		}
	case attrRawMessageDelivery:
		if value != "true" && value != "false" {
			return sns.Invalid("RawMessageDelivery: invalid value [%s]. Must be true or false.", value)
		}
	case attrRedrivePolicy, attrReplayPolicy, attrSubscriptionRoleARN:
		if value != "" {
			return notImplemented("The attribute " + name)
		}
	default:
		return sns.Invalid("AttributeName")
	}
	return nil
}

// sameAttributes is whether a subscription that is there already is as a request to subscribe wants it.
func (s *subscription) sameAttributes(want map[string]string) bool {
	for name, value := range want {
		if s.Attributes[name] != value {
			return false
		}
	}
	return true
}

// describe is the subscription's attributes as GetSubscriptionAttributes has them.
func (s *subscription) describe(t *topic) map[string]string {
	out := maps.Clone(s.Attributes)
	if out == nil {
		out = map[string]string{}
	}
	out["SubscriptionArn"], out[attrTopicARN], out[attrOwner] = s.ARN, s.TopicARN, s.Owner
	out["Protocol"], out["Endpoint"] = s.Protocol, s.Endpoint
	out["PendingConfirmation"] = strconv.FormatBool(s.State == statePending)
	out["ConfirmationWasAuthenticated"] = strconv.FormatBool(s.Authenticated)
	out["SubscriptionPrincipal"] = "arn:" + t.arn.Partition + ":iam::" + s.Owner + ":root"
	out[attrRawMessageDelivery] = strconv.FormatBool(s.raw)
	if s.filter != nil && out[attrFilterPolicyScope] == "" {
		out[attrFilterPolicyScope] = sns.ScopeMessageAttributes
	}
	if s.filter == nil {
		delete(out, attrFilterPolicyScope)
	}
	out[attrEffectiveDeliveryPolicy] = sns.EffectiveSubscriptionPolicy(t.policy, s.policy)
	return out
}

// maxEndpoint is the greatest length of an endpoint.
const maxEndpoint = 2048

// checkEndpoint checks a protocol and its endpoint.
func (s *Service) checkEndpoint(protocol, endpoint string) error {
	switch protocol {
	case "http", "https":
	case protocolEmail, protocolEmailJSON:
		if s.set.Mail == nil {
			return notImplemented("A subscription with the protocol " + protocol +
				" without alertmanager::global::smtp_smarthost and smtp_from in the configuration of the notifications extension")
		}
		if a, err := mail.ParseAddress(endpoint); err != nil || a.Address != endpoint || len(endpoint) > maxEndpoint {
			return sns.Invalid("Email address")
		}
		return nil
	case "sms", "sqs", "application", "lambda", "firehose":
		return notImplemented("A subscription with the protocol " + protocol)
	default:
		return sns.Invalid("Amazon SNS does not support this protocol string: %s", protocol)
	}
	u, err := url.Parse(endpoint)
	if err != nil || len(endpoint) > maxEndpoint {
		return sns.Invalid("Endpoint")
	}
	if u.Scheme != protocol || u.Host == "" {
		return sns.Invalid("Endpoint must match the specified protocol")
	}
	return nil
}
