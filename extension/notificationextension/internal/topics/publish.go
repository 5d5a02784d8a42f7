// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package topics

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	api "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"github.com/nephoscope/nephoscope/extension/notificationextension/internal/queue"
	"github.com/nephoscope/nephoscope/pkg/sns"
)

func (s *Service) publishOperation(ctx context.Context, in *api.PublishInput) (*api.PublishOutput, error) {
	member, arn := attrTopicARN, value(in.TopicArn)
	switch {
	case value(in.PhoneNumber) != "":
		if arn != "" || value(in.TargetArn) != "" {
			return nil, sns.Invalid("TopicArn or TargetArn Reason: no value for required parameter")
		}
		return nil, notImplemented("Publish with the parameter PhoneNumber")
	case arn == "" && value(in.TargetArn) != "":
		if member, arn = "TargetArn", value(in.TargetArn); strings.Contains(arn, ":endpoint/") {
			return nil, notImplemented("Publish to a platform endpoint")
		}
	case arn == "":
		return nil, sns.Invalid("TopicArn or TargetArn Reason: no value for required parameter")
	}
	m, err := sns.NewMessage(value(in.Message), in.Subject, value(in.MessageStructure), attributesOf(in.MessageAttributes))
	if err != nil {
		return nil, err
	}
	s.mu.RLock()
	t, err := s.topicOf(ctx, member, arn, "Publish")
	s.mu.RUnlock()
	if err != nil {
		return nil, err
	}
	if err := t.checkFIFO(in.MessageGroupId, in.MessageDeduplicationId); err != nil {
		return nil, err
	}
	id, items, err := s.fanOut(t.ARN, m)
	if err != nil {
		return nil, err
	}
	if err := s.set.Enqueue(ctx, items, nil); err != nil {
		return nil, err
	}
	return &api.PublishOutput{MessageId: &id, SequenceNumber: s.sequenceNumber(t)}, nil
}

// checkFIFO checks the parameters that FIFO topics need. A FIFO topic has no subscribers here, so that nothing depends on
// the order or on duplicates.
func (t *topic) checkFIFO(group, deduplication *string) error {
	if !t.arn.FIFO() {
		if value(deduplication) != "" {
			return sns.Invalid("MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not valid for this topic type")
		}
		return nil
	}
	if value(group) == "" {
		return sns.Invalid("The MessageGroupId parameter is required for FIFO topics")
	}
	if value(deduplication) == "" && t.Attributes[attrContentBasedDeduplication] != "true" {
		return sns.Invalid("The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly")
	}
	return nil
}

// sequenceNumber is the number of a message of a FIFO topic: 20 digits that grow.
func (s *Service) sequenceNumber(t *topic) *string {
	if !t.arn.FIFO() {
		return nil
	}
	n := fmt.Sprintf("1%019d", s.sequence.Add(1))
	return &n
}

func attributesOf(given map[string]types.MessageAttributeValue) sns.Attributes {
	out := make(sns.Attributes, len(given))
	for name, a := range given {
		v := sns.Attribute{DataType: value(a.DataType)}
		if base, _, _ := strings.Cut(v.DataType, "."); base == "Binary" {
			v.Value = base64.StdEncoding.EncodeToString(a.BinaryValue)
		} else {
			v.Value = value(a.StringValue)
		}
		out[name] = v
	}
	return out
}

// Publish makes the deliveries of a message to the topic's subscribers.
func (s *Service) Publish(arn string, m *sns.Message) (id string, items []*queue.Item, err error) {
	return s.fanOut(arn, m)
}

func (s *Service) fanOut(arn string, m *sns.Message) (id string, items []*queue.Item, err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	t := s.topics[arn]
	if t == nil {
		return "", nil, notFound("Topic")
	}
	id = newID()
	now := s.set.Now()
	signed := map[string]*sns.Envelope{} // by protocol
	for _, sub := range t.subscriptions {
		if sub.State != stateConfirmed || !sub.filter.Match(m.For(sub.Protocol), m.Attributes) {
			continue
		}
		e := signed[sub.Protocol]
		if e == nil {
			e = &sns.Envelope{
				Type: sns.Notification, MessageID: id, TopicARN: t.ARN, Subject: m.Subject, Message: m.For(sub.Protocol),
				Timestamp: sns.FormatTime(now), SigningCertURL: s.certificateURL(t), Attributes: m.Attributes,
			}
			if err := s.signer.Sign(e, t.signatureVersion()); err != nil {
				return "", nil, err
			}
			signed[sub.Protocol] = e
		}
		own := *e // the link is not signed
		own.UnsubscribeURL = s.set.URL(t.arn.Region) + "/?Action=Unsubscribe&SubscriptionArn=" + sub.ARN
		text := []byte(e.Message)
		if !sub.raw {
			text = own.JSON()
		}
		item, err := s.newDelivery(t, sub, &own, text)
		if err != nil {
			return "", nil, err
		}
		items = append(items, item)
	}
	return id, items, nil
}

func (t *topic) signatureVersion() string {
	if v := t.Attributes[attrSignatureVersion]; v != "" {
		return v
	}
	return sns.SignatureVersion1
}

func (s *Service) certificateURL(t *topic) string {
	return s.set.URL(t.arn.Region) + "/" + s.signer.CertificateName()
}

const (
	maxBatchEntries = 10
	maxBatchID      = 80
)

func (s *Service) publishBatch(ctx context.Context, in *api.PublishBatchInput) (*api.PublishBatchOutput, error) {
	s.mu.RLock()
	t, err := s.topicOf(ctx, attrTopicARN, value(in.TopicArn), "Publish")
	s.mu.RUnlock()
	if err != nil {
		return nil, err
	}
	entries := in.PublishBatchRequestEntries
	if err := checkBatch(entries); err != nil {
		return nil, err
	}
	out := &api.PublishBatchOutput{}
	var items []*queue.Item
	for _, e := range entries {
		id, list, err := s.publishEntry(t, &e)
		var refused *sns.Error
		switch {
		case err == nil:
			items = append(items, list...)
			out.Successful = append(out.Successful, types.PublishBatchResultEntry{
				Id: e.Id, MessageId: &id, SequenceNumber: s.sequenceNumber(t),
			})
		case errors.As(err, &refused):
			code := queryCode(refused.Code)
			out.Failed = append(out.Failed, types.BatchResultErrorEntry{
				Id: e.Id, Code: &code, Message: &refused.Message, SenderFault: true,
			})
		default:
			return nil, err
		}
	}
	return out, s.set.Enqueue(ctx, items, nil)
}

// queryCode is what awsQuery calls the error of an entry.
func queryCode(shape string) string {
	switch shape {
	case sns.CodeInvalidParameterValue:
		return "ParameterValueInvalid"
	default:
		return strings.TrimSuffix(shape, "Exception")
	}
}

func checkBatch(entries []types.PublishBatchRequestEntry) error {
	switch {
	case len(entries) == 0:
		return &sns.Error{Code: "EmptyBatchRequestException", Message: "The batch request doesn't contain any entries."}
	case len(entries) > maxBatchEntries:
		return &sns.Error{Code: "TooManyEntriesInBatchRequestException", Message: "The batch request contains more entries than permissible."}
	}
	ids := map[string]bool{}
	size := 0
	for i := range entries {
		id := value(entries[i].Id)
		if !validBatchID(id) {
			return &sns.Error{Code: "InvalidBatchEntryIdException", Message: "The Id of a batch entry in a batch request doesn't abide by the specification."}
		}
		if ids[id] {
			return &sns.Error{Code: "BatchEntryIdsNotDistinctException", Message: "Two or more batch entries in the request have the same Id."}
		}
		ids[id] = true
		size += len(value(entries[i].Message))
		for name, a := range entries[i].MessageAttributes {
			size += len(name) + len(value(a.DataType)) + len(value(a.StringValue)) + len(a.BinaryValue)
		}
	}
	if size > sns.MaxMessageSize {
		return &sns.Error{Code: "BatchRequestTooLongException", Message: "The length of all the messages put together is more than the limit."}
	}
	return nil
}

func validBatchID(id string) bool {
	if id == "" || len(id) > maxBatchID {
		return false
	}
	return strings.Trim(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == ""
}

func (s *Service) publishEntry(t *topic, e *types.PublishBatchRequestEntry) (string, []*queue.Item, error) {
	m, err := sns.NewMessage(value(e.Message), e.Subject, value(e.MessageStructure), attributesOf(e.MessageAttributes))
	if err != nil {
		return "", nil, err
	}
	if err := t.checkFIFO(e.MessageGroupId, e.MessageDeduplicationId); err != nil {
		return "", nil, err
	}
	return s.fanOut(t.ARN, m)
}
