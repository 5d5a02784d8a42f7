// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package notificationextension

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// refused checks the code and message that the SDK sees.
func refused(t *testing.T, err error, code, message string) {
	t.Helper()
	var api smithy.APIError
	require.ErrorAs(t, err, &api)
	assert.Equal(t, code, api.ErrorCode())
	assert.Contains(t, api.ErrorMessage(), message)
}

func TestTopicLifecycle(t *testing.T) {
	dir := t.TempDir()
	c := startIn(t, fast(t), dir)
	ctx := t.Context()
	attributes := map[string]string{"DisplayName": "Alerts", "DeliveryPolicy": `{"http":{"defaultHealthyRetryPolicy":{"numRetries":5}}}`}
	tags := []types.Tag{{Key: aws.String("team"), Value: aws.String("a")}}
	in := &sns.CreateTopicInput{Name: aws.String("alerts"), Attributes: attributes, Tags: tags}
	first, err := c.sns.CreateTopic(ctx, in)
	require.NoError(t, err)
	second, err := c.sns.CreateTopic(ctx, in)
	require.NoError(t, err)
	assert.Equal(t, first.TopicArn, second.TopicArn)
	_, err = c.sns.CreateTopic(ctx, &sns.CreateTopicInput{Name: in.Name})
	require.NoError(t, err)
	_, err = c.sns.CreateTopic(ctx, &sns.CreateTopicInput{Name: in.Name, Attributes: map[string]string{"DisplayName": "x"}})
	refused(t, err, "InvalidParameter", "Invalid parameter: Attributes Reason: Topic already exists with different attributes")
	_, err = c.sns.CreateTopic(ctx, &sns.CreateTopicInput{Name: in.Name, Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("b")}}})
	refused(t, err, "InvalidParameter", "Invalid parameter: Tags Reason: Topic already exists with different tags")
	c.stop()

	c = startIn(t, fast(t), dir) // everything is kept
	got, err := c.sns.GetTopicAttributes(ctx, &sns.GetTopicAttributesInput{TopicArn: first.TopicArn})
	require.NoError(t, err)
	assert.Equal(t, "Alerts", got.Attributes["DisplayName"])
	assert.Equal(t, account, got.Attributes["Owner"])
	assert.Equal(t, "0", got.Attributes["SubscriptionsConfirmed"])
	assert.Contains(t, got.Attributes["EffectiveDeliveryPolicy"], `"numRetries":5`)
	assert.Contains(t, got.Attributes["Policy"], "__default_policy_ID")
	_, err = c.sns.TagResource(ctx, &sns.TagResourceInput{ResourceArn: first.TopicArn, Tags: []types.Tag{{Key: aws.String("b"), Value: aws.String("c")}}})
	require.NoError(t, err)
	_, err = c.sns.UntagResource(ctx, &sns.UntagResourceInput{ResourceArn: first.TopicArn, TagKeys: []string{"team", "absent"}})
	require.NoError(t, err)
	list, err := c.sns.ListTagsForResource(ctx, &sns.ListTagsForResourceInput{ResourceArn: first.TopicArn})
	require.NoError(t, err)
	require.Len(t, list.Tags, 1)
	assert.Equal(t, "b", *list.Tags[0].Key)

	r := record(t)
	sub := c.subscribe(*first.TopicArn, r, nil)
	_, err = c.sns.DeleteTopic(ctx, &sns.DeleteTopicInput{TopicArn: first.TopicArn})
	require.NoError(t, err)
	_, err = c.sns.DeleteTopic(ctx, &sns.DeleteTopicInput{TopicArn: first.TopicArn})
	require.NoError(t, err)
	_, err = c.sns.GetTopicAttributes(ctx, &sns.GetTopicAttributesInput{TopicArn: first.TopicArn})
	refused(t, err, "NotFound", "Topic does not exist")
	_, err = c.sns.GetSubscriptionAttributes(ctx, &sns.GetSubscriptionAttributesInput{SubscriptionArn: &sub})
	refused(t, err, "NotFound", "Subscription does not exist")
	_, err = c.sns.ListTagsForResource(ctx, &sns.ListTagsForResourceInput{ResourceArn: first.TopicArn})
	refused(t, err, "ResourceNotFound", "Resource does not exist")
}

func TestPaging(t *testing.T) {
	c := start(t, fast(t))
	for i := range 150 {
		c.topic(fmt.Sprintf("t%03d", i))
	}
	var got []string
	var token *string
	for pages := 0; ; pages++ {
		out, err := c.sns.ListTopics(t.Context(), &sns.ListTopicsInput{NextToken: token})
		require.NoError(t, err)
		for _, topic := range out.Topics {
			got = append(got, (*topic.TopicArn)[strings.LastIndexByte(*topic.TopicArn, ':')+1:])
		}
		if token = out.NextToken; token == nil {
			assert.Equal(t, 1, pages)
			break
		}
		_, err = c.sns.ListSubscriptions(t.Context(), &sns.ListSubscriptionsInput{NextToken: token})
		refused(t, err, "InvalidParameter", "Invalid parameter: NextToken")
	}
	assert.Len(t, got, 150)
	assert.Equal(t, "t149", got[149])
}

func TestSubscriptionAttributes(t *testing.T) {
	c := start(t, fast(t))
	topic := c.topic("alerts")
	sub := c.subscribe(topic, record(t), nil)
	set := func(name, value string) error {
		_, err := c.sns.SetSubscriptionAttributes(t.Context(), &sns.SetSubscriptionAttributesInput{
			SubscriptionArn: &sub, AttributeName: &name, AttributeValue: &value,
		})
		return err
	}
	require.NoError(t, set("RawMessageDelivery", "true"))
	require.NoError(t, set("FilterPolicy", `{"a":["b"]}`))
	require.NoError(t, set("FilterPolicyScope", "MessageBody"))
	out, err := c.sns.GetSubscriptionAttributes(t.Context(), &sns.GetSubscriptionAttributesInput{SubscriptionArn: &sub})
	require.NoError(t, err)
	for name, want := range map[string]string{
		"SubscriptionArn": sub, "TopicArn": topic, "Owner": account, "Protocol": "http", "PendingConfirmation": "false",
		"RawMessageDelivery": "true", "FilterPolicy": `{"a":["b"]}`, "FilterPolicyScope": "MessageBody", "ConfirmationWasAuthenticated": "false",
		"SubscriptionPrincipal": "arn:aws:iam::123456789012:root",
	} {
		assert.Equal(t, want, out.Attributes[name], name)
	}
	assert.Contains(t, out.Attributes["EffectiveDeliveryPolicy"], `"numRetries":3`)
	for _, c := range []struct{ name, value, message string }{
		{"RawMessageDelivery", "maybe", "Invalid parameter: RawMessageDelivery: invalid value [maybe]. Must be true or false."},
		{"FilterPolicyScope", "x", "Please use either MessageBody or MessageAttributes"},
		{"FilterPolicy", `{"a":"b"}`, `"a" must be an object or an array`},
		{"Nope", "x", "Invalid parameter: AttributeName"},
		{"DeliveryPolicy", `{"healthyRetryPolicy":{"numRetries":101}}`, "numRetries must be between 0 and 100"},
	} {
		refused(t, set(c.name, c.value), "InvalidParameter", c.message)
	}
	refused(t, set("RedrivePolicy", `{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:1:q"}`), "NotImplemented", "The attribute RedrivePolicy")
	// Setting the scope back would have to make sense of the policy.
	require.NoError(t, set("FilterPolicy", `{"a":{"b":["c"]}}`))
	refused(t, set("FilterPolicyScope", "MessageAttributes"), "InvalidParameter", "does not support nested filter policy")
	require.NoError(t, set("FilterPolicy", ""))
	refused(t, set("FilterPolicyScope", "MessageBody"), "InvalidParameter", "FilterPolicyScope is not allowed without FilterPolicy")
}

func TestRefusals(t *testing.T) {
	c := start(t, fast(t))
	topic := c.topic("alerts")
	other := strings.Replace(topic, region, "us-east-1", 1)
	foreign := strings.Replace(topic, account, "210987654321", 1)
	fifo, err := c.sns.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: aws.String("q.fifo"), Attributes: map[string]string{"FifoTopic": "true"}})
	require.NoError(t, err)
	long := strings.Repeat("x", 256<<10+1)
	text := func(s string) *string { return &s }
	attribute := func(typ, value string) map[string]types.MessageAttributeValue {
		return map[string]types.MessageAttributeValue{"k": {DataType: &typ, StringValue: &value}}
	}
	create := func(name string, attributes map[string]string) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := c.sns.CreateTopic(ctx, &sns.CreateTopicInput{Name: &name, Attributes: attributes})
			return err
		}
	}
	subscribe := func(topic, protocol, endpoint string) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := c.sns.Subscribe(ctx, &sns.SubscribeInput{TopicArn: &topic, Protocol: &protocol, Endpoint: &endpoint})
			return err
		}
	}
	publish := func(in sns.PublishInput) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := c.sns.Publish(ctx, &in)
			return err
		}
	}
	batch := func(n int, id func(int) string, message string) func(context.Context) error {
		return func(ctx context.Context) error {
			in := &sns.PublishBatchInput{TopicArn: &topic, PublishBatchRequestEntries: []types.PublishBatchRequestEntry{}}
			for i := range n {
				in.PublishBatchRequestEntries = append(in.PublishBatchRequestEntries, types.PublishBatchRequestEntry{Id: text(id(i)), Message: &message})
			}
			_, err := c.sns.PublishBatch(ctx, in)
			return err
		}
	}
	number := strconv.Itoa
	for name, tt := range map[string]struct {
		call          func(context.Context) error
		code, message string
	}{
		"topic name":       {create("a b", nil), "InvalidParameter", "Invalid parameter: Topic Name"},
		"fifo name":        {create("q", map[string]string{"FifoTopic": "true"}), "InvalidParameter", "Fifo Topic names must end with .fifo"},
		"name like a fifo": {create("q.fifo", nil), "InvalidParameter", "Topic Name"},
		"topic attribute":  {create("a", map[string]string{"Nope": "x"}), "InvalidParameter", "AttributeName"},
		"encryption":       {create("a", map[string]string{"KmsMasterKeyId": "k"}), "NotImplemented", "KmsMasterKeyId"},
		"delivery logging": {create("a", map[string]string{"HTTPSuccessFeedbackRoleArn": "r"}), "NotImplemented", "HTTPSuccessFeedbackRoleArn"},
		"deduplication":    {create("a", map[string]string{"ContentBasedDeduplication": "true"}), "InvalidParameter", "can only be set for FIFO topics"},

		"no topic":          {subscribe(topic+"x", "http", "http://a"), "NotFound", "Topic does not exist"},
		"another region":    {subscribe(other, "http", "http://a"), "InvalidParameter", "Invalid parameter: TopicArn"},
		"another account":   {subscribe(foreign, "http", "http://a"), "AuthorizationError", "not authorized to perform: SNS:Subscribe"},
		"bad arn":           {subscribe("x", "http", "http://a"), "InvalidParameter", "An ARN must have at least 6 elements, not 1"},
		"unknown protocol":  {subscribe(topic, "pigeon", "coop"), "InvalidParameter", "Amazon SNS does not support this protocol string: pigeon"},
		"sqs":               {subscribe(topic, "sqs", "arn:aws:sqs:eu-west-1:1:q"), "NotImplemented", "A subscription with the protocol sqs"},
		"lambda":            {subscribe(topic, "lambda", "arn"), "NotImplemented", "A subscription with the protocol lambda"},
		"sms":               {subscribe(topic, "sms", "+1"), "NotImplemented", "A subscription with the protocol sms"},
		"endpoint":          {subscribe(topic, "https", "http://a"), "InvalidParameter", "Endpoint must match the specified protocol"},
		"http of fifo":      {subscribe(*fifo.TopicArn, "http", "http://a"), "InvalidParameter", "Please use FIFO SQS queue"},
		"empty message":     {publish(sns.PublishInput{TopicArn: &topic, Message: text("")}), "InvalidParameter", "Invalid parameter: Empty message"},
		"long message":      {publish(sns.PublishInput{TopicArn: &topic, Message: &long}), "InvalidParameter", "Invalid parameter: Message too long"},
		"subject":           {publish(sns.PublishInput{TopicArn: &topic, Message: text("m"), Subject: text("a\nb")}), "InvalidParameter", "Invalid parameter: Subject"},
		"structure":         {publish(sns.PublishInput{TopicArn: &topic, Message: text("m"), MessageStructure: text("xml")}), "InvalidParameter", "Invalid parameter: MessageStructure"},
		"structure no json": {publish(sns.PublishInput{TopicArn: &topic, Message: text("m"), MessageStructure: text("json")}), "InvalidParameter", "JSON message body failed to parse"},
		"no default":        {publish(sns.PublishInput{TopicArn: &topic, Message: text(`{"http":"x"}`), MessageStructure: text("json")}), "InvalidParameter", "No default entry in JSON message body"},
		"no target":         {publish(sns.PublishInput{Message: text("m")}), "InvalidParameter", "TopicArn or TargetArn Reason: no value for required parameter"},
		"phone":             {publish(sns.PublishInput{PhoneNumber: text("+1"), Message: text("m")}), "NotImplemented", "PhoneNumber"},
		"attribute type":    {publish(sns.PublishInput{TopicArn: &topic, Message: text("m"), MessageAttributes: attribute("Date", "x")}), "ParameterValueInvalid", "The message attribute 'k' has an invalid message attribute type"},
		"attribute value":   {publish(sns.PublishInput{TopicArn: &topic, Message: text("m"), MessageAttributes: attribute("String", "")}), "ParameterValueInvalid", "must contain non-empty message attribute value for message attribute type 'String'"},
		"attribute number":  {publish(sns.PublishInput{TopicArn: &topic, Message: text("m"), MessageAttributes: attribute("Number", "x")}), "ParameterValueInvalid", "Could not cast message attribute 'k' value to number."},
		"group id":          {publish(sns.PublishInput{TopicArn: fifo.TopicArn, Message: text("m")}), "InvalidParameter", "The MessageGroupId parameter is required for FIFO topics"},
		"deduplication id":  {publish(sns.PublishInput{TopicArn: fifo.TopicArn, Message: text("m"), MessageGroupId: text("g")}), "InvalidParameter", "ContentBasedDeduplication enabled or MessageDeduplicationId provided"},

		"empty batch":    {batch(0, number, "m"), "EmptyBatchRequest", "The batch request doesn't contain any entries."},
		"long batch":     {batch(11, number, "m"), "TooManyEntriesInBatchRequest", "more entries than permissible"},
		"equal ids":      {batch(2, func(int) string { return "a" }, "m"), "BatchEntryIdsNotDistinct", "Two or more batch entries"},
		"batch id":       {batch(1, func(int) string { return "a b" }, "m"), "InvalidBatchEntryId", "doesn't abide by the specification"},
		"too much batch": {batch(3, number, long[:100<<10]), "BatchRequestTooLong", "more than the limit"},

		"token": {func(ctx context.Context) error {
			_, err := c.sns.ConfirmSubscription(ctx, &sns.ConfirmSubscriptionInput{TopicArn: &topic, Token: text("x")})
			return err
		}, "InvalidParameter", "Invalid parameter: Token"},
		"unsubscribe": {func(ctx context.Context) error {
			_, err := c.sns.Unsubscribe(ctx, &sns.UnsubscribeInput{SubscriptionArn: text("x")})
			return err
		}, "InvalidParameter", "SubscriptionArn Reason: An ARN must have at least 6 elements, not 1"},
		"unsubscribe a topic": {func(ctx context.Context) error {
			_, err := c.sns.Unsubscribe(ctx, &sns.UnsubscribeInput{SubscriptionArn: &topic})
			return err
		}, "InvalidParameter", "SubscriptionArn Reason"},
		"permissions": {func(ctx context.Context) error {
			_, err := c.sns.AddPermission(ctx, &sns.AddPermissionInput{
				TopicArn: &topic, Label: text("l"), AWSAccountId: []string{account}, ActionName: []string{"Publish"},
			})
			return err
		}, "NotImplemented", "AddPermission"},
	} {
		t.Run(name, func(t *testing.T) { refused(t, tt.call(t.Context()), tt.code, tt.message) })
	}
	out, err := c.sns.Publish(t.Context(), &sns.PublishInput{
		TopicArn: fifo.TopicArn, Message: text("m"), MessageGroupId: text("g"), MessageDeduplicationId: text("d"),
	})
	require.NoError(t, err)
	assert.Len(t, *out.SequenceNumber, 20)
	_, err = c.sns.Unsubscribe(t.Context(), &sns.UnsubscribeInput{SubscriptionArn: text(topic + ":00000000-0000-0000-0000-000000000000")})
	require.NoError(t, err, "it is not there any more")
}

func TestLimits(t *testing.T) {
	cfg := fast(t)
	cfg.SNS.MaxTopics, cfg.SNS.MaxSubscriptions = 1, 1
	c := start(t, cfg)
	topic := c.topic("a")
	_, err := c.sns.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: aws.String("b")})
	refused(t, err, "TopicLimitExceeded", "max_topics")
	c.subscribe(topic, record(t), nil)
	_, err = c.sns.Subscribe(t.Context(), &sns.SubscribeInput{TopicArn: &topic, Protocol: aws.String("http"), Endpoint: aws.String("http://other")})
	refused(t, err, "SubscriptionLimitExceeded", "max_subscriptions")
}

func TestNotRunning(t *testing.T) {
	c := start(t, fast(t))
	topic := c.topic("a")
	c.stop()
	_, err := c.sns.Publish(t.Context(), &sns.PublishInput{TopicArn: &topic, Message: aws.String("m")})
	refused(t, err, "ServiceUnavailable", "")
	require.ErrorIs(t, c.ext.Dispatch(t.Context(), nil), errNotRunning)
}

func TestLinks(t *testing.T) {
	c := start(t, fast(t))
	base := "http://" + c.ext.Endpoint()
	for path, want := range map[string]int{
		"/?Action=ConfirmSubscription&TopicArn=arn:aws:sns:eu-west-1:123456789012:x&Token=t": http.StatusNotFound,
		"/?Action=CreateTopic&Name=x":               http.StatusNotImplemented,
		"/?Action=Nope":                             http.StatusBadRequest,
		"/SimpleNotificationService-0.pem":          http.StatusNotFound,
		"/alertmanager/api/v2/status":               http.StatusNotFound,
		"/?Action=Unsubscribe&SubscriptionArn=nope": http.StatusBadRequest,
	} {
		status, body := get(t, base+path)
		assert.Equal(t, want, status, "%s: %s", path, body)
	}
}
