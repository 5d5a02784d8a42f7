// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package notificationextension

import (
	"io"
	"mime/quotedprintable"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/pkg/alarm"
	domain "github.com/nephoscope/nephoscope/pkg/sns"
)

// subscribe subscribes a receiver and confirms as a subscriber does: by following the link.
func (c *collector) subscribe(topic string, r *recorder, attributes map[string]string) string {
	c.t.Helper()
	out, err := c.sns.Subscribe(c.t.Context(), &sns.SubscribeInput{
		TopicArn: &topic, Protocol: aws.String("http"), Endpoint: aws.String(r.URL + "/hook"),
		Attributes: attributes, ReturnSubscriptionArn: true,
	})
	require.NoError(c.t, err)
	e := next(c.t, r.requests).envelope(c.t)
	require.Equal(c.t, domain.SubscriptionConfirmation, e.Type)
	status, body := get(c.t, e.SubscribeURL)
	require.Equal(c.t, http.StatusOK, status, body)
	require.Contains(c.t, body, "<SubscriptionArn>"+*out.SubscriptionArn+"</SubscriptionArn>")
	return *out.SubscriptionArn
}

func verify(t *testing.T, e *domain.Envelope) {
	t.Helper()
	status, certificate := get(t, e.SigningCertURL)
	require.Equal(t, http.StatusOK, status)
	require.NoError(t, domain.Verify(e, []byte(certificate)))
	require.Regexp(t, `/SimpleNotificationService-[0-9a-f]{32}\.pem$`, e.SigningCertURL)
}

func TestSubscriber(t *testing.T) {
	c := start(t, fast(t))
	r := record(t)
	topic := c.topic("alerts")
	assert.Equal(t, "arn:aws:sns:eu-west-1:123456789012:alerts", topic)

	out, err := c.sns.Subscribe(t.Context(), &sns.SubscribeInput{
		TopicArn: &topic, Protocol: aws.String("http"), Endpoint: aws.String(r.URL + "/hook"),
	})
	require.NoError(t, err)
	assert.Equal(t, "pending confirmation", *out.SubscriptionArn)
	req := next(t, r.requests)
	assert.Equal(t, http.MethodPost, req.method)
	assert.Equal(t, "/hook", req.path)
	assert.Equal(t, "SubscriptionConfirmation", req.header.Get("x-amz-sns-message-type"))
	assert.Equal(t, topic, req.header.Get("x-amz-sns-topic-arn"))
	assert.Empty(t, req.header.Get("x-amz-sns-subscription-arn"))
	assert.Equal(t, "text/plain; charset=UTF-8", req.header.Get("Content-Type"))
	assert.Equal(t, "Amazon Simple Notification Service Agent", req.header.Get("User-Agent"))
	e := req.envelope(t)
	assert.Equal(t, req.header.Get("x-amz-sns-message-id"), e.MessageID)
	assert.Equal(t, "You have chosen to subscribe to the topic "+topic+
		".\nTo confirm the subscription, visit the SubscribeURL included in this message.", e.Message)
	verify(t, e)

	// Nothing is sent before the confirmation.
	_, err = c.sns.Publish(t.Context(), &sns.PublishInput{TopicArn: &topic, Message: aws.String("too early")})
	require.NoError(t, err)
	list, err := c.sns.ListSubscriptionsByTopic(t.Context(), &sns.ListSubscriptionsByTopicInput{TopicArn: &topic})
	require.NoError(t, err)
	require.Len(t, list.Subscriptions, 1)
	assert.Equal(t, "PendingConfirmation", *list.Subscriptions[0].SubscriptionArn)

	status, body := get(t, e.SubscribeURL)
	require.Equal(t, http.StatusOK, status, body)
	list, err = c.sns.ListSubscriptionsByTopic(t.Context(), &sns.ListSubscriptionsByTopicInput{TopicArn: &topic})
	require.NoError(t, err)
	arn := *list.Subscriptions[0].SubscriptionArn
	assert.True(t, strings.HasPrefix(arn, topic+":"))

	published, err := c.sns.Publish(t.Context(), &sns.PublishInput{
		TopicArn: &topic, Message: aws.String("hello <ü> & \"you\"\n"), Subject: aws.String("greeting"),
		MessageAttributes: map[string]types.MessageAttributeValue{
			"k": {DataType: aws.String("String"), StringValue: aws.String("v")},
			"b": {DataType: aws.String("Binary"), BinaryValue: []byte{1, 2, 3}},
		},
	})
	require.NoError(t, err)
	req = next(t, r.requests)
	assert.Equal(t, "Notification", req.header.Get("x-amz-sns-message-type"))
	assert.Equal(t, arn, req.header.Get("x-amz-sns-subscription-arn"))
	assert.Equal(t, *published.MessageId, req.header.Get("x-amz-sns-message-id"))
	e = req.envelope(t)
	assert.Equal(t, "hello <ü> & \"you\"\n", e.Message)
	assert.Equal(t, "greeting", *e.Subject)
	assert.Equal(t, domain.Attributes{"k": {DataType: "String", Value: "v"}, "b": {DataType: "Binary", Value: "AQID"}}, e.Attributes)
	assert.Equal(t, "1", e.SignatureVersion)
	verify(t, e)
	forged := *e
	forged.Message = "other"
	_, certificate := get(t, e.SigningCertURL)
	require.Error(t, domain.Verify(&forged, []byte(certificate)))

	// Signature version 2, and no subject.
	_, err = c.sns.SetTopicAttributes(t.Context(), &sns.SetTopicAttributesInput{
		TopicArn: &topic, AttributeName: aws.String("SignatureVersion"), AttributeValue: aws.String("2"),
	})
	require.NoError(t, err)
	_, err = c.sns.Publish(t.Context(), &sns.PublishInput{
		TopicArn: &topic, Message: aws.String(`{"default":"d","http":"h"}`), MessageStructure: aws.String("json"),
	})
	require.NoError(t, err)
	req = next(t, r.requests)
	e = req.envelope(t)
	assert.Equal(t, "h", e.Message)
	assert.NotContains(t, req.body, "Subject")
	assert.Equal(t, "2", e.SignatureVersion)
	verify(t, e)

	// The link in a notification ends the subscription, and the one in the answer to that restores it.
	status, body = get(t, e.UnsubscribeURL)
	require.Equal(t, http.StatusOK, status, body)
	bye := next(t, r.requests).envelope(t)
	assert.Equal(t, domain.UnsubscribeConfirmation, bye.Type)
	assert.Contains(t, bye.Message, "You have chosen to deactivate subscription "+arn)
	verify(t, bye)
	list, err = c.sns.ListSubscriptionsByTopic(t.Context(), &sns.ListSubscriptionsByTopicInput{TopicArn: &topic})
	require.NoError(t, err)
	assert.Empty(t, list.Subscriptions)
	status, body = get(t, bye.SubscribeURL)
	require.Equal(t, http.StatusOK, status, body)
	list, err = c.sns.ListSubscriptionsByTopic(t.Context(), &sns.ListSubscriptionsByTopicInput{TopicArn: &topic})
	require.NoError(t, err)
	require.Len(t, list.Subscriptions, 1)
	assert.Equal(t, arn, *list.Subscriptions[0].SubscriptionArn)
}

func TestRawDeliveryAndFilters(t *testing.T) {
	c := start(t, fast(t))
	raw, filtered, body := record(t), record(t), record(t)
	topic := c.topic("alerts")
	c.subscribe(topic, raw, map[string]string{
		"RawMessageDelivery": "true", "DeliveryPolicy": `{"requestPolicy":{"headerContentType":"application/json"}}`,
	})
	c.subscribe(topic, filtered, map[string]string{"FilterPolicy": `{"store":["a"],"price":[{"numeric":[">",10]}]}`})
	c.subscribe(topic, body, map[string]string{"FilterPolicy": `{"detail":{"n":[1]}}`, "FilterPolicyScope": "MessageBody"})
	attribute := func(t, v string) types.MessageAttributeValue {
		return types.MessageAttributeValue{DataType: &t, StringValue: &v}
	}
	for _, m := range []struct {
		text         string
		store, price string
	}{
		{`{"detail":{"n":1}}`, "a", "5"},
		{`{"detail":{"n":2}}`, "a", "10.5"},
		{`plain`, "b", "11"},
	} {
		_, err := c.sns.Publish(t.Context(), &sns.PublishInput{
			TopicArn: &topic, Message: &m.text,
			MessageAttributes: map[string]types.MessageAttributeValue{"store": attribute("String", m.store), "price": attribute("Number", m.price)},
		})
		require.NoError(t, err)
	}
	var texts []string
	for range 3 {
		req := next(t, raw.requests)
		assert.Equal(t, "true", req.header.Get("x-amz-sns-rawdelivery"))
		assert.Equal(t, "application/json", req.header.Get("Content-Type"))
		texts = append(texts, req.body)
	}
	assert.ElementsMatch(t, []string{`{"detail":{"n":1}}`, `{"detail":{"n":2}}`, `plain`}, texts)
	assert.JSONEq(t, `{"detail":{"n":2}}`, next(t, filtered.requests).envelope(t).Message)
	assert.JSONEq(t, `{"detail":{"n":1}}`, next(t, body.requests).envelope(t).Message)
	assert.Empty(t, filtered.requests)
	assert.Empty(t, body.requests)
}

func TestPublishBatch(t *testing.T) {
	c := start(t, fast(t))
	r := record(t)
	topic := c.topic("alerts")
	c.subscribe(topic, r, nil)
	out, err := c.sns.PublishBatch(t.Context(), &sns.PublishBatchInput{TopicArn: &topic, PublishBatchRequestEntries: []types.PublishBatchRequestEntry{
		{Id: aws.String("1"), Message: aws.String("one")},
		{Id: aws.String("2"), Message: aws.String("two"), Subject: aws.String("a\nb")},
		{Id: aws.String("3"), Message: aws.String("three")},
	}})
	require.NoError(t, err)
	require.Len(t, out.Successful, 2)
	require.Len(t, out.Failed, 1)
	assert.Equal(t, "InvalidParameter", *out.Failed[0].Code)
	assert.Equal(t, "Invalid parameter: Subject", *out.Failed[0].Message)
	assert.True(t, out.Failed[0].SenderFault)
	var got []string
	for range 2 {
		got = append(got, next(t, r.requests).envelope(t).Message)
	}
	assert.ElementsMatch(t, []string{"one", "three"}, got)
}

func TestRetriesOfSubscriptions(t *testing.T) {
	c := start(t, fast(t))
	topic := c.topic("alerts")
	r := record(t)
	policy := `{"healthyRetryPolicy":{"minDelayTarget":1,"maxDelayTarget":2,"numRetries":4,"numNoDelayRetries":1,"backoffFunction":"exponential"}}`
	c.subscribe(topic, r, map[string]string{"DeliveryPolicy": policy})
	publish := func(text string) {
		_, err := c.sns.Publish(t.Context(), &sns.PublishInput{TopicArn: &topic, Message: &text})
		require.NoError(t, err)
	}
	// Faults of the subscriber's server are tried again, with the same message id.
	answers := []int{500, 503, 429, 504, 200}
	n := 0
	r.answerBy(func(request) (int, string) {
		n++
		return answers[n-1], ""
	})
	publish("again")
	ids := map[string]bool{}
	for range answers {
		ids[next(t, r.requests).header.Get("x-amz-sns-message-id")] = true
	}
	assert.Len(t, ids, 1)

	// Other faults are final.
	r.answerBy(func(req request) (int, string) {
		if strings.Contains(req.body, "refused") {
			return http.StatusForbidden, ""
		}
		return http.StatusOK, ""
	})
	publish("refused")
	next(t, r.requests)
	publish("taken")
	assert.Equal(t, "taken", next(t, r.requests).envelope(t).Message)
	assert.Empty(t, r.requests)
}

func TestActionPublishesToTopic(t *testing.T) {
	c := start(t, fast(t))
	topic := c.topic("alerts")
	r := record(t)
	c.subscribe(topic, r, nil)
	a := action("1", topic, "cpu", alarm.StateAlarm)
	c.dispatch(a)
	e := next(t, r.requests).envelope(t)
	assert.Equal(t, a.Message, e.Message)
	assert.Equal(t, `ALARM: "cpu" in EU (Ireland)`, *e.Subject)
	verify(t, e)
	res := c.result()
	require.NoError(t, res.Err)
	assert.Equal(t, a.Message, res.Message)
	assert.Equal(t, "1", res.ActionID)
	assert.Equal(t, topic, res.Target)

	// An action that is handed over again is not delivered again.
	c.dispatch(a)
	c.dispatch(action("2", topic, "cpu", alarm.StateOK))
	assert.Equal(t, `OK: "cpu" in EU (Ireland)`, *next(t, r.requests).envelope(t).Subject)
	assert.Equal(t, "2", c.result().ActionID)

	// What nothing delivers fails with an error that names it.
	arn := "arn:aws:sns:eu-west-1:123456789012:nobody"
	c.dispatch(action("3", arn, "cpu", alarm.StateAlarm))
	res = c.result()
	require.ErrorContains(t, res.Err, arn)
	assert.Empty(t, res.Message)
}

func TestEmailSubscription(t *testing.T) {
	mail := listenSMTP(t)
	cfg := fast(t)
	cfg.Alertmanager = m{
		"global":    m{"smtp_smarthost": mail.address, "smtp_from": "sns@example.com", "smtp_require_tls": false},
		"receivers": []any{m{"name": "none"}},
	}
	c := start(t, cfg)
	topic := c.topic("alerts")
	subscribe := func(protocol, endpoint string) error {
		_, err := c.sns.Subscribe(t.Context(), &sns.SubscribeInput{TopicArn: &topic, Protocol: &protocol, Endpoint: &endpoint})
		return err
	}
	refused(t, subscribe("email", "nobody"), "InvalidParameter", "Invalid parameter: Email address")
	require.NoError(t, subscribe("email", "ops@example.com"))
	letter := next(t, mail.letters)
	assert.Contains(t, letter, "To: ops@example.com")
	assert.Contains(t, letter, "Subject: AWS Notification - Subscription Confirmation")
	link := regexp.MustCompile(`http://\S+`).FindString(unquote(t, letter))
	status, body := get(t, link)
	require.Equal(t, http.StatusOK, status, body)

	a := action("1", topic, "cpu", alarm.StateAlarm)
	a.Email = "You are receiving this {{ .Nothing }} email because …"
	c.dispatch(a)
	letter = next(t, mail.letters)
	assert.Contains(t, letter, `Subject: ALARM: "cpu" in EU (Ireland)`)
	assert.Contains(t, unquote(t, letter), "You are receiving this {{ .Nothing }} email because …")
	assert.Contains(t, unquote(t, letter), "Action=Unsubscribe&SubscriptionArn="+topic)
	require.NoError(t, c.result().Err)

	out, err := c.sns.ListSubscriptionsByTopic(t.Context(), &sns.ListSubscriptionsByTopicInput{TopicArn: &topic})
	require.NoError(t, err)
	_, err = c.sns.SetSubscriptionAttributes(t.Context(), &sns.SetSubscriptionAttributesInput{
		SubscriptionArn: out.Subscriptions[0].SubscriptionArn, AttributeName: aws.String("RawMessageDelivery"), AttributeValue: aws.String("true"),
	})
	refused(t, err, "InvalidParameter", "Delivery protocol [email] does not support raw message delivery.")

	plain := start(t, fast(t))
	topic = plain.topic("alerts")
	_, err = plain.sns.Subscribe(t.Context(), &sns.SubscribeInput{TopicArn: &topic, Protocol: aws.String("email"), Endpoint: aws.String("a@b.c")})
	refused(t, err, "NotImplemented", "A subscription with the protocol email without alertmanager::global::smtp_smarthost")
}

// unquote is the text of a letter.
func unquote(t *testing.T, letter string) string {
	t.Helper()
	text, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(letter)))
	require.NoError(t, err)
	return string(text)
}
