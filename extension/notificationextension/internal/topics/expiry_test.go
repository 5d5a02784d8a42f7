// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package topics

import (
	"context"
	"net/url"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/goleak"
	"go.uber.org/zap"

	"github.com/nephoscope/nephoscope/extension/notificationextension/internal/queue"
	"github.com/nephoscope/nephoscope/extension/notificationextension/internal/records"
	"github.com/nephoscope/nephoscope/pkg/awswire"
	"github.com/nephoscope/nephoscope/pkg/sns"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fixture is a service whose clock and queue are the test's.
type fixture struct {
	*Service
	now   time.Time
	items []*queue.Item
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	store := records.New(storage.NewNopClient())
	t.Cleanup(func() { require.NoError(t, store.Close(context.Background())) })
	var err error
	f.Service, err = Open(t.Context(), Settings{
		Store: store, URL: func(region string) string { return "http://" + region }, Logger: zap.NewNop(),
		Now: func() time.Time { return f.now }, MaxTopics: 10, MaxSubscriptions: 10, RetryDelayScale: 1,
		Enqueue: func(_ context.Context, items []*queue.Item, also func(*records.Change)) error {
			f.items = append(f.items, items...)
			if also == nil {
				return nil
			}
			return store.Commit(also)
		},
	})
	require.NoError(t, err)
	return f
}

func as(ctx context.Context, accessKey string) context.Context {
	return awswire.WithRequest(ctx, &awswire.Request{Account: "123456789012", Region: "us-east-1", AccessKey: accessKey})
}

// token is what the last subscriber was sent.
func (f *fixture) token(t *testing.T) string {
	t.Helper()
	var newest *subscription
	for _, sub := range f.subscriptions {
		if newest == nil || sub.TokenExpires.After(newest.TokenExpires) {
			newest = sub
		}
	}
	u, err := url.Parse("http://x/?Token=" + newest.Token)
	require.NoError(t, err)
	return u.Query().Get("Token")
}

func TestTokensExpire(t *testing.T) {
	f := newFixture(t)
	ctx := as(t.Context(), "AKID")
	topic, err := f.createTopic(ctx, &api.CreateTopicInput{Name: aws.String("a")})
	require.NoError(t, err)
	in := &api.SubscribeInput{TopicArn: topic.TopicArn, Protocol: aws.String("http"), Endpoint: aws.String("http://x"), ReturnSubscriptionArn: true}
	first, err := f.subscribe(ctx, in)
	require.NoError(t, err)
	old := f.token(t)
	f.now = f.now.Add(time.Hour)
	again, err := f.subscribe(ctx, in)
	require.NoError(t, err)
	assert.Equal(t, first.SubscriptionArn, again.SubscriptionArn, "the same one, with another token")
	assert.Len(t, f.items, 2)
	confirm := func(ctx context.Context, token, forOwner string) error {
		_, err := f.confirmSubscription(ctx, &api.ConfirmSubscriptionInput{TopicArn: topic.TopicArn, Token: &token, AuthenticateOnUnsubscribe: &forOwner})
		return err
	}
	require.EqualError(t, confirm(ctx, old, ""), "Invalid parameter: Token")
	require.EqualError(t, confirm(ctx, f.token(t), "maybe"), "Invalid parameter: AuthenticateOnUnsubscribe")
	f.now = f.now.Add(tokenLife + time.Second)
	require.EqualError(t, confirm(ctx, f.token(t), ""), "Invalid parameter: Token")
	f.sweep()
	assert.Empty(t, f.subscriptions)

	// Only its owner ends a subscription that asks for that.
	second, err := f.subscribe(ctx, in)
	require.NoError(t, err)
	require.NoError(t, confirm(ctx, f.token(t), "true"))
	require.NoError(t, confirm(ctx, f.token(t), "true"), "twice is once")
	end := &api.UnsubscribeInput{SubscriptionArn: second.SubscriptionArn}
	require.ErrorContains(t, f.unsubscribe(as(t.Context(), ""), end), "only its owner may end the subscription")
	require.NoError(t, f.unsubscribe(ctx, end))
	require.NoError(t, f.unsubscribe(ctx, end))
	assert.Equal(t, stateDeleted, f.subscriptions[*second.SubscriptionArn].State)
	// Subscribed again, the deleted one cannot come back beside it.
	token := f.token(t)
	f.now = f.now.Add(time.Minute)
	_, err = f.subscribe(ctx, in)
	require.NoError(t, err)
	require.EqualError(t, confirm(ctx, token, ""), "Invalid parameter: Token")
}

func TestUnconfirmedIsNotSentTo(t *testing.T) {
	f := newFixture(t)
	ctx := as(t.Context(), "")
	topic, err := f.createTopic(ctx, &api.CreateTopicInput{Name: aws.String("a")})
	require.NoError(t, err)
	_, err = f.subscribe(ctx, &api.SubscribeInput{TopicArn: topic.TopicArn, Protocol: aws.String("http"), Endpoint: aws.String("http://x")})
	require.NoError(t, err)
	_, items, err := f.Publish(*topic.TopicArn, sns.Structured(map[string]string{"default": "m"}, nil))
	require.NoError(t, err)
	assert.Empty(t, items)
}
