// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package sns

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func delays(p RetryPolicy) []time.Duration {
	var out []time.Duration
	for i := 0; ; i++ {
		d, ok := p.Delay(i)
		if !ok {
			return out
		}
		out = append(out, d.Round(time.Second)/time.Second)
	}
}

func TestRetryPolicy(t *testing.T) {
	assert.Equal(t, []time.Duration{20, 20, 20}, delays(DefaultRetryPolicy()))
	// The example of the developer guide: 50 attempts in the four phases.
	guide := RetryPolicy{
		MinDelayTarget: 1, MaxDelayTarget: 60, NumRetries: 50, NumNoDelayRetries: 3, NumMinDelayRetries: 2,
		NumMaxDelayRetries: 35, BackoffFunction: "exponential",
	}
	got := delays(guide)
	require.Len(t, got, 50)
	assert.Equal(t, []time.Duration{0, 0, 0, 1, 1}, got[:5])
	assert.IsIncreasing(t, got[10:15])
	assert.Equal(t, time.Duration(60), got[14])
	for _, d := range got[15:] {
		assert.Equal(t, time.Duration(60), d)
	}
	for _, f := range []string{"linear", "arithmetic", "geometric", "exponential"} {
		p := RetryPolicy{MinDelayTarget: 10, MaxDelayTarget: 100, NumRetries: 9, BackoffFunction: f}
		got := delays(p)
		assert.IsNonDecreasing(t, got, f)
		assert.Equal(t, time.Duration(100), got[8], f)
		assert.GreaterOrEqual(t, got[0], time.Duration(10), f)
	}
	assert.Empty(t, delays(RetryPolicy{}))
}

func TestParsePolicies(t *testing.T) {
	topic, err := ParseTopicPolicy(`{"http":{"defaultHealthyRetryPolicy":{"numRetries":5,"minDelayTarget":30},"disableSubscriptionOverrides":true,` +
		`"defaultRequestPolicy":{"headerContentType":"application/json"}}}`)
	require.NoError(t, err)
	sub, err := ParseSubscriptionPolicy(`{"healthyRetryPolicy":{"numRetries":7},"sicklyRetryPolicy":null,"throttlePolicy":null,"guaranteed":false}`)
	require.NoError(t, err)
	retry, contentType := Effective(topic, sub)
	assert.Equal(t, 5, retry.NumRetries)
	assert.Equal(t, 30, retry.MaxDelayTarget)
	assert.Equal(t, "application/json", contentType)
	topic.DisableOverrides = false
	retry, contentType = Effective(topic, sub)
	assert.Equal(t, 7, retry.NumRetries)
	assert.Equal(t, "application/json", contentType)
	retry, contentType = Effective(nil, nil)
	assert.Equal(t, DefaultRetryPolicy(), retry)
	assert.Equal(t, DefaultContentType, contentType)
	assert.JSONEq(t, `{"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":20,"maxDelayTarget":20,"numRetries":3,"numMaxDelayRetries":0,`+
		`"numNoDelayRetries":0,"numMinDelayRetries":0,"backoffFunction":"linear"},"disableSubscriptionOverrides":false,`+
		`"defaultRequestPolicy":{"headerContentType":"text/plain; charset=UTF-8"}}}`, EffectiveTopicPolicy(nil))
	assert.Contains(t, EffectiveSubscriptionPolicy(nil, sub), `"numRetries":7`)

	for text, want := range map[string]string{
		`x`:           "failed to parse JSON",
		`{} {}`:       "there is more after the object",
		`{"nope":{}}`: `unknown field "nope"`,
		`{"healthyRetryPolicy":{"minDelayTarget":0}}`:                                                                                "minDelayTarget must be between 1 and 3600",
		`{"healthyRetryPolicy":{"minDelayTarget":3601}}`:                                                                             "minDelayTarget must be between 1 and 3600",
		`{"healthyRetryPolicy":{"minDelayTarget":9,"maxDelayTarget":8}}`:                                                             "maxDelayTarget must be between minDelayTarget and 3600",
		`{"healthyRetryPolicy":{"numRetries":-1}}`:                                                                                   "numRetries must be between 0 and 100",
		`{"healthyRetryPolicy":{"numRetries":1,"numNoDelayRetries":2}}`:                                                              "greater than or equal to total",
		`{"healthyRetryPolicy":{"numRetries":100,"numNoDelayRetries":9223372036854775807,"numMinDelayRetries":9223372036854775807}}`: "greater than or equal to total",
		`{"healthyRetryPolicy":{"backoffFunction":"square"}}`:                                                                        "backoffFunction must be one of",
		`{"healthyRetryPolicy":{"numRetries":100,"minDelayTarget":60,"maxDelayTarget":60}}`:                                          "must not be longer than 3600 seconds in total",
		`{"throttlePolicy":{"maxReceivesPerSecond":1}}`:                                                                              "throttlePolicy.maxReceivesPerSecond is not supported",
		`{"sicklyRetryPolicy":{}}`:                                                                                                   "sicklyRetryPolicy is not supported",
		`{"guaranteed":true}`:                                                                                                        "guaranteed is not supported",
		`{"requestPolicy":{"headerContentType":"a b"}}`:                                                                              "requestPolicy.headerContentType is not a content type",
	} {
		_, err := ParseSubscriptionPolicy(text)
		require.ErrorContains(t, err, want, text)
		require.ErrorContains(t, err, "Invalid parameter: DeliveryPolicy: ")
	}
	_, err = ParseTopicPolicy(`{"http":{"defaultThrottlePolicy":{"maxReceivesPerSecond":1}}}`)
	require.ErrorContains(t, err, "http.defaultThrottlePolicy.maxReceivesPerSecond is not supported")
	_, err = ParseTopicPolicy(`{"http":{"defaultSicklyRetryPolicy":{}}}`)
	require.ErrorContains(t, err, "defaultSicklyRetryPolicy is not supported")
}
