// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package notificationextension

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestStopWhileSubscriberVerifies: a subscriber that is being told when the collector ends can fetch the certificate until it
// is let go, and is told again after the start. It would refuse what it cannot verify, for good.
func TestStopWhileSubscriberVerifies(t *testing.T) {
	dir := t.TempDir()
	c := startIn(t, fast(t), dir)
	topic := c.topic("alerts")
	told, again := make(chan struct{}), make(chan struct{})
	var tellings, unverified atomic.Int32
	confirmations, holding := make(chan request, 1), make(chan net.Conn, 1)
	subscriber := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return
		}
		got := request{body: string(body)}
		if req.Header.Get("X-Amz-Sns-Message-Type") != "Notification" {
			confirmations <- got
			return
		}
		if tellings.Add(1) > 1 {
			close(again)
			return
		}
		defer func() { _ = (<-holding).Close() }()
		close(told)
		url := got.envelope(t).SigningCertURL
		for req.Context().Err() == nil {
			fetch, err := http.NewRequestWithContext(req.Context(), http.MethodGet, url, http.NoBody)
			if err != nil {
				return
			}
			fetch.Close = true
			resp, err := http.DefaultClient.Do(fetch)
			if err == nil {
				_ = resp.Body.Close() // nothing of it is of interest
				continue
			}
			// That it was let go may reach it a moment later than that the server has ended, which takes its time.
			select {
			case <-req.Context().Done():
			case <-time.After(shutdownGrace / 2):
				unverified.Add(1)
				w.WriteHeader(http.StatusBadRequest)
			}
			return
		}
	}))
	t.Cleanup(subscriber.Close)
	_, err := c.sns.Subscribe(t.Context(), &sns.SubscribeInput{TopicArn: &topic, Protocol: aws.String("http"), Endpoint: &subscriber.URL})
	require.NoError(t, err)
	confirmation := next(t, confirmations)
	status, body := get(t, confirmation.envelope(t).SubscribeURL)
	require.Equal(t, http.StatusOK, status, body)
	// A request that does not end keeps the server from ending, for a while.
	stuck, err := net.Dial("tcp", c.ext.Endpoint())
	require.NoError(t, err)
	t.Cleanup(func() { _ = stuck.Close() }) // it was closed already
	_, err = io.WriteString(stuck, "GET /")
	require.NoError(t, err)
	holding <- stuck
	_, err = c.sns.Publish(t.Context(), &sns.PublishInput{TopicArn: &topic, Message: aws.String("hello")})
	require.NoError(t, err)
	next(t, told)
	c.stop()
	assert.Zero(t, unverified.Load())
	startIn(t, fast(t), dir)
	next(t, again)
}
