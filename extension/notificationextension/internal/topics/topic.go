// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package topics

import (
	"encoding/json"
	"maps"
	"strconv"

	"github.com/nephoscope/nephoscope/pkg/sns"
)

// The attributes of topics.
const (
	attrTopicARN                  = "TopicArn"
	attrOwner                     = "Owner"
	attrPolicy                    = "Policy"
	attrDisplayName               = "DisplayName"
	attrDeliveryPolicy            = "DeliveryPolicy"
	attrEffectiveDeliveryPolicy   = "EffectiveDeliveryPolicy"
	attrSubscriptionsConfirmed    = "SubscriptionsConfirmed"
	attrSubscriptionsPending      = "SubscriptionsPending"
	attrSubscriptionsDeleted      = "SubscriptionsDeleted"
	attrSignatureVersion          = "SignatureVersion"
	attrTracingConfig             = "TracingConfig"
	attrKMSMasterKeyID            = "KmsMasterKeyId"
	attrFIFOTopic                 = "FifoTopic"
	attrContentBasedDeduplication = "ContentBasedDeduplication"
	attrFIFOThroughputScope       = "FifoThroughputScope"
	attrArchivePolicy             = "ArchivePolicy"
)

const (
	maxDisplayName = 100
	maxPolicy      = 30 << 10
)

// topic is one topic. A topic that is in the service's maps is not changed but replaced.
type topic struct {
	ARN string `json:"arn"`
	// Attributes are those that were set.
	Attributes map[string]string `json:"attributes,omitempty"`
	Tags       map[string]string `json:"tags,omitempty"`

	arn    sns.TopicARN
	policy *sns.DeliveryPolicy
	// subscriptions has those that are pending and deleted, too.
	subscriptions map[string]*subscription
}

// parse fills what is derived from the attributes.
func (t *topic) parse() (err error) {
	if t.arn, err = sns.ParseTopicARN(attrTopicARN, t.ARN); err != nil {
		return err
	}
	t.policy = nil
	if text := t.Attributes[attrDeliveryPolicy]; text != "" {
		t.policy, err = sns.ParseTopicPolicy(text)
	}
	return err
}

// with is a copy with other attributes.
func (t *topic) with(attributes map[string]string) (*topic, error) {
	c := *t
	c.Attributes = attributes
	return &c, c.parse()
}

// checkTopicAttribute checks an attribute that is to be set. An empty value removes it.
func checkTopicAttribute(name, value string, fifo bool) error {
	switch name {
	case attrDisplayName:
		if len(value) > maxDisplayName {
			return sns.Invalid("DisplayName")
		}
	case attrPolicy:
		if value != "" && (len(value) > maxPolicy || !isObject(value)) {
			return sns.Invalid("Policy Error: null")
		}
	case attrDeliveryPolicy: // parse checks it
	case attrSignatureVersion:
		if value != sns.SignatureVersion1 && value != sns.SignatureVersion2 {
			return sns.Invalid("SignatureVersion")
		}
	case attrTracingConfig:
		if value == "Active" {
			return notImplemented("The attribute TracingConfig with the value Active")
		}
		if value != "PassThrough" && value != "" {
			return sns.Invalid("TracingConfig")
		}
	case attrContentBasedDeduplication:
		if !fifo {
			return sns.Invalid("Content-based deduplication can only be set for FIFO topics")
		}
		if value != "true" && value != "false" {
			return sns.Invalid("ContentBasedDeduplication Reason: Invalid boolean value")
		}
	case attrFIFOThroughputScope:
		if !fifo || value != "Topic" && value != "MessageGroup" {
			return sns.Invalid("FifoThroughputScope")
		}
	case attrKMSMasterKeyID, attrArchivePolicy:
		if value != "" {
			return notImplemented("The attribute " + name)
		}
	default:
		if isFeedbackAttribute(name) {
			return notImplemented("The attribute " + name)
		}
		return sns.Invalid("AttributeName")
	}
	return nil
}

// isFeedbackAttribute is whether an attribute is of the logging of deliveries.
func isFeedbackAttribute(name string) bool {
	for _, protocol := range []string{"HTTP", "Firehose", "Lambda", "Application", "SQS"} {
		for _, kind := range []string{"SuccessFeedbackRoleArn", "SuccessFeedbackSampleRate", "FailureFeedbackRoleArn"} {
			if name == protocol+kind {
				return true
			}
		}
	}
	return false
}

func isObject(text string) bool {
	var object map[string]json.RawMessage
	return json.Unmarshal([]byte(text), &object) == nil && object != nil
}

// describe is the topic's attributes as GetTopicAttributes has them.
func (t *topic) describe() map[string]string {
	out := maps.Clone(t.Attributes)
	if out == nil {
		out = map[string]string{}
	}
	count := map[subscriptionState]int{}
	for _, sub := range t.subscriptions {
		count[sub.State]++
	}
	out[attrTopicARN], out[attrOwner] = t.ARN, t.arn.Account
	if out[attrDisplayName] == "" {
		out[attrDisplayName] = ""
	}
	if out[attrPolicy] == "" {
		out[attrPolicy] = defaultPolicy(t)
	}
	out[attrSubscriptionsConfirmed] = strconv.Itoa(count[stateConfirmed])
	out[attrSubscriptionsPending] = strconv.Itoa(count[statePending])
	out[attrSubscriptionsDeleted] = strconv.Itoa(count[stateDeleted])
	out[attrEffectiveDeliveryPolicy] = sns.EffectiveTopicPolicy(t.policy)
	return out
}

// defaultPolicy is the access policy that a new topic has at AWS: its owner may do everything.
func defaultPolicy(t *topic) string {
	type statement struct {
		SID       string            `json:"Sid"`
		Effect    string            `json:"Effect"`
		Principal map[string]string `json:"Principal"`
		Action    []string          `json:"Action"`
		Resource  string            `json:"Resource"`
		Condition any               `json:"Condition"`
	}
	text, _ := json.Marshal(struct { // texts alone always encode
		Version   string      `json:"Version"`
		ID        string      `json:"Id"`
		Statement []statement `json:"Statement"`
	}{"2008-10-17", "__default_policy_ID", []statement{{
		SID: "__default_statement_ID", Effect: "Allow", Principal: map[string]string{"AWS": "*"},
		Action: []string{
			"SNS:GetTopicAttributes", "SNS:SetTopicAttributes", "SNS:AddPermission", "SNS:RemovePermission",
			"SNS:DeleteTopic", "SNS:Subscribe", "SNS:ListSubscriptionsByTopic", "SNS:Publish",
		},
		Resource:  t.ARN,
		Condition: map[string]map[string]string{"StringEquals": {"AWS:SourceOwner": t.arn.Account}},
	}}})
	return string(text)
}
