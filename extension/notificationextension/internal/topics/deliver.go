// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package topics

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/nephoscope/nephoscope/extension/notificationextension/internal/queue"
	"github.com/nephoscope/nephoscope/pkg/sns"
)

// The kinds of the deliveries to subscribers.
const (
	KindHTTP  = "sns_http"
	KindEmail = "sns_email"
)

// maxAnswer bounds what is read of a subscriber's answer, so that the connection can be used again.
const maxAnswer = 64 << 10

// delivery is what is posted to a subscriber.
type delivery struct {
	Endpoint     string          `json:"endpoint"`
	Type         sns.Type        `json:"type"`
	MessageID    string          `json:"messageId"`
	TopicARN     string          `json:"topic"`
	Subscription string          `json:"subscription,omitempty"`
	Raw          bool            `json:"raw,omitempty"`
	ContentType  string          `json:"contentType"`
	Retry        sns.RetryPolicy `json:"retry"`
	// Subject is that of a letter.
	Subject string `json:"subject,omitempty"`
	Body    string `json:"body"`
}

// newDelivery makes the delivery of an envelope, which text is, to a subscriber.
func (s *Service) newDelivery(t *topic, sub *subscription, e *sns.Envelope, text []byte) (*queue.Item, error) {
	retry, contentType := sns.Effective(t.policy, sub.policy)
	d := delivery{
		Endpoint: sub.Endpoint, Type: e.Type, MessageID: e.MessageID, TopicARN: t.ARN,
		ContentType: contentType, Retry: retry, Body: string(text),
	}
	if e.Type != sns.SubscriptionConfirmation {
		d.Subscription = sub.ARN
		d.Raw = sub.raw && e.Type == sns.Notification
	}
	kind := KindHTTP
	if sub.Protocol == protocolEmail || sub.Protocol == protocolEmailJSON {
		kind = KindEmail
		d.Subject = subjectOf(e)
	}
	if sub.Protocol == protocolEmail {
		d.Body = letterOf(e)
	}
	body, err := json.Marshal(&d)
	if err != nil {
		return nil, fmt.Errorf("encode a delivery to %s: %w", sub.ARN, err)
	}
	now := s.set.Now()
	return &queue.Item{ID: newID(), Kind: kind, Target: sub.ARN, Enqueued: now, Next: now, Body: body}, nil
}

// Deliver posts or mails to a subscriber.
func (s *Service) Deliver(ctx context.Context, it *queue.Item) queue.Outcome {
	var d delivery
	if err := json.Unmarshal(it.Body, &d); err != nil {
		return queue.Outcome{Err: fmt.Errorf("decode a delivery: %w", err), Permanent: true}
	}
	if d.Type == sns.Notification && !s.subscribed(d.Subscription) {
		return queue.Outcome{Withheld: "unsubscribed"}
	}
	ctx, cancel := context.WithTimeout(ctx, s.set.RequestTimeout)
	defer cancel()
	if it.Kind == KindEmail {
		if s.set.Mail == nil {
			return queue.Outcome{Err: errors.New("no mail server is configured any more"), Permanent: true}
		}
		again, err := s.set.Mail(ctx, d.Endpoint, d.Subject, d.Body)
		return queue.Outcome{Err: err, Permanent: !again}
	}
	permanent, err := s.post(ctx, &d)
	return queue.Outcome{Err: err, Permanent: permanent, Retry: func(attempts int) (time.Duration, bool) {
		delay, ok := d.Retry.Delay(attempts - 1)
		return time.Duration(float64(delay) * s.set.RetryDelayScale), ok
	}}
}

func (s *Service) subscribed(arn string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	sub := s.subscriptions[arn]
	return sub != nil && sub.State == stateConfirmed
}

func (s *Service) post(ctx context.Context, d *delivery) (permanent bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.Endpoint, strings.NewReader(d.Body))
	if err != nil {
		return true, fmt.Errorf("post to the subscriber: %w", hideURL(err))
	}
	h := req.Header
	h.Set("Content-Type", d.ContentType)
	h.Set("User-Agent", "Amazon Simple Notification Service Agent")
	h.Set("Accept-Encoding", "gzip,deflate")
	h.Set("Connection", "Keep-Alive")
	h.Set("X-Amz-Sns-Message-Type", string(d.Type))
	h.Set("X-Amz-Sns-Message-Id", d.MessageID)
	h.Set("X-Amz-Sns-Topic-Arn", d.TopicARN)
	if d.Subscription != "" {
		h.Set("X-Amz-Sns-Subscription-Arn", d.Subscription)
	}
	if d.Raw {
		h.Set("X-Amz-Sns-Rawdelivery", "true")
	}
	resp, err := s.set.Client.Do(req)
	if err != nil {
		return false, fmt.Errorf("post to the subscriber: %w", hideURL(err))
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxAnswer)) // only so that the connection lives on
	_ = resp.Body.Close()
	switch status := resp.StatusCode; {
	case status >= http.StatusOK && status < http.StatusMultipleChoices:
		return false, nil
	case status == http.StatusTooManyRequests || status >= http.StatusInternalServerError:
		return false, fmt.Errorf("the subscriber answered %s", resp.Status)
	default:
		return true, fmt.Errorf("the subscriber answered %s", resp.Status)
	}
}

// hideURL leaves the address out of an error: it may hold a password.
func hideURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// NewClient returns the client that posts to subscribers. It follows no redirects.
func NewClient() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			DialContext:            (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
			TLSHandshakeTimeout:    10 * time.Second,
			MaxIdleConns:           256,
			MaxIdleConnsPerHost:    8,
			IdleConnTimeout:        90 * time.Second,
			ExpectContinueTimeout:  time.Second,
			DisableCompression:     true,
			MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
