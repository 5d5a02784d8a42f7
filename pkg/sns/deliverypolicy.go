// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package sns

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"mime"
	"strings"
	"time"
)

// DefaultContentType is the content type of what is posted to subscribers.
const DefaultContentType = "text/plain; charset=UTF-8"

// The functions by which delays grow.
const (
	backoffLinear      = "linear"
	backoffArithmetic  = "arithmetic"
	backoffGeometric   = "geometric"
	backoffExponential = "exponential"
)

const (
	maxRetries      = 100
	maxDelay        = 3600 // seconds
	maxRetryTime    = 3600 // seconds
	maxPolicyLength = 256 << 10
)

// RetryPolicy says when a failed delivery over HTTP is tried again. Delays are in seconds.
type RetryPolicy struct {
	MinDelayTarget     int    `json:"minDelayTarget"`
	MaxDelayTarget     int    `json:"maxDelayTarget"`
	NumRetries         int    `json:"numRetries"`
	NumMaxDelayRetries int    `json:"numMaxDelayRetries"`
	NumNoDelayRetries  int    `json:"numNoDelayRetries"`
	NumMinDelayRetries int    `json:"numMinDelayRetries"`
	BackoffFunction    string `json:"backoffFunction"`
}

// DefaultRetryPolicy is the policy of subscriptions that have none.
func DefaultRetryPolicy() RetryPolicy {
	return RetryPolicy{MinDelayTarget: 20, MaxDelayTarget: 20, NumRetries: 3, BackoffFunction: backoffLinear}
}

// Delay is how long to wait before the retry of that number, from 0 on; ok is false when there is none any more.
//
// AWS says which phases there are and how long, not the curve between the two delays.
func (p RetryPolicy) Delay(retry int) (d time.Duration, ok bool) {
	seconds := func(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
	lowest, highest := float64(p.MinDelayTarget), float64(p.MaxDelayTarget)
	backoff := p.NumRetries - p.NumNoDelayRetries - p.NumMinDelayRetries - p.NumMaxDelayRetries
	switch {
	case retry < 0 || retry >= p.NumRetries:
		return 0, false
	case retry < p.NumNoDelayRetries:
		return 0, true
	case retry < p.NumNoDelayRetries+p.NumMinDelayRetries:
		return seconds(lowest), true
	case retry >= p.NumRetries-p.NumMaxDelayRetries:
		return seconds(highest), true
	}
	x := float64(retry-p.NumNoDelayRetries-p.NumMinDelayRetries+1) / float64(backoff)
	switch p.BackoffFunction {
	case backoffArithmetic:
		x = x * (x + 1) / 2
	case backoffExponential:
		x = (math.Exp2(10*x) - 1) / 1023
	case backoffGeometric:
		return seconds(lowest * math.Pow(highest/lowest, x)), true
	}
	return seconds(lowest + (highest-lowest)*x), true
}

func (p RetryPolicy) check(member string) error {
	if p.MinDelayTarget < 1 || p.MinDelayTarget > maxDelay {
		return Invalid("DeliveryPolicy: %s.minDelayTarget must be between 1 and %d", member, maxDelay)
	}
	if p.MaxDelayTarget < p.MinDelayTarget || p.MaxDelayTarget > maxDelay {
		return Invalid("DeliveryPolicy: %s.maxDelayTarget must be between minDelayTarget and %d", member, maxDelay)
	}
	if p.NumRetries < 0 || p.NumRetries > maxRetries {
		return Invalid("DeliveryPolicy: %s.numRetries must be between 0 and %d", member, maxRetries)
	}
	if p.NumMaxDelayRetries < 0 || p.NumNoDelayRetries < 0 || p.NumMinDelayRetries < 0 ||
		p.NumMaxDelayRetries > maxRetries || p.NumNoDelayRetries > maxRetries || p.NumMinDelayRetries > maxRetries ||
		p.NumMaxDelayRetries+p.NumNoDelayRetries+p.NumMinDelayRetries > p.NumRetries {
		return Invalid("DeliveryPolicy: %s.numRetries must be greater than or equal to total of numMinDelayRetries, numNoDelayRetries and numMaxDelayRetries", member)
	}
	switch p.BackoffFunction {
	case backoffLinear, backoffArithmetic, backoffGeometric, backoffExponential:
	default:
		return Invalid("DeliveryPolicy: %s.backoffFunction must be one of arithmetic, exponential, geometric, linear", member)
	}
	total := time.Duration(0)
	for i := range p.NumRetries {
		d, _ := p.Delay(i)
		total += d
	}
	if total > maxRetryTime*time.Second {
		return Invalid("DeliveryPolicy: %s: the delays must not be longer than %d seconds in total", member, maxRetryTime)
	}
	return nil
}

type requestPolicy struct {
	HeaderContentType string `json:"headerContentType,omitempty"`
}

type throttlePolicy struct {
	MaxReceivesPerSecond *int `json:"maxReceivesPerSecond,omitempty"`
}

// retryMembers is a RetryPolicy of which members may be missing.
type retryMembers struct {
	MinDelayTarget     *int    `json:"minDelayTarget"`
	MaxDelayTarget     *int    `json:"maxDelayTarget"`
	NumRetries         *int    `json:"numRetries"`
	NumMaxDelayRetries *int    `json:"numMaxDelayRetries"`
	NumNoDelayRetries  *int    `json:"numNoDelayRetries"`
	NumMinDelayRetries *int    `json:"numMinDelayRetries"`
	BackoffFunction    *string `json:"backoffFunction"`
}

func (m *retryMembers) policy(member string) (*RetryPolicy, error) {
	if m == nil {
		return nil, nil //nolint:nilnil // there is none
	}
	p := DefaultRetryPolicy()
	set(&p.MinDelayTarget, m.MinDelayTarget)
	set(&p.MaxDelayTarget, m.MaxDelayTarget)
	if m.MaxDelayTarget == nil {
		p.MaxDelayTarget = max(p.MaxDelayTarget, p.MinDelayTarget)
	}
	set(&p.NumRetries, m.NumRetries)
	set(&p.NumMaxDelayRetries, m.NumMaxDelayRetries)
	set(&p.NumNoDelayRetries, m.NumNoDelayRetries)
	set(&p.NumMinDelayRetries, m.NumMinDelayRetries)
	set(&p.BackoffFunction, m.BackoffFunction)
	return &p, p.check(member)
}

func set[T any](dst, v *T) {
	if v != nil {
		*dst = *v
	}
}

// DeliveryPolicy is how a topic, or a subscription, is delivered over HTTP.
type DeliveryPolicy struct {
	// Retry is nil when the policy says nothing of it.
	Retry *RetryPolicy
	// ContentType is "" when the policy says nothing of it.
	ContentType string
	// DisableOverrides is of topics: the policies of their subscriptions do not count.
	DisableOverrides bool
}

// ParseTopicPolicy reads a topic's DeliveryPolicy.
func ParseTopicPolicy(text string) (*DeliveryPolicy, error) {
	var doc struct {
		HTTP *struct {
			Retry     *retryMembers   `json:"defaultHealthyRetryPolicy"`
			Disable   bool            `json:"disableSubscriptionOverrides"`
			Throttle  *throttlePolicy `json:"defaultThrottlePolicy"`
			Request   *requestPolicy  `json:"defaultRequestPolicy"`
			SickRetry json.RawMessage `json:"defaultSicklyRetryPolicy"`
		} `json:"http"`
	}
	if err := unmarshalPolicy("DeliveryPolicy", text, &doc); err != nil {
		return nil, err
	}
	if doc.HTTP == nil {
		return &DeliveryPolicy{}, nil
	}
	if doc.HTTP.SickRetry != nil && string(doc.HTTP.SickRetry) != "null" {
		return nil, Invalid("DeliveryPolicy: http.defaultSicklyRetryPolicy is not supported")
	}
	return newDeliveryPolicy("http.default", "http.defaultHealthyRetryPolicy", doc.HTTP.Retry, doc.HTTP.Throttle, doc.HTTP.Request, doc.HTTP.Disable)
}

// ParseSubscriptionPolicy reads a subscription's DeliveryPolicy.
func ParseSubscriptionPolicy(text string) (*DeliveryPolicy, error) {
	var doc struct {
		Retry     *retryMembers   `json:"healthyRetryPolicy"`
		SickRetry json.RawMessage `json:"sicklyRetryPolicy"`
		Throttle  *throttlePolicy `json:"throttlePolicy"`
		Request   *requestPolicy  `json:"requestPolicy"`
		Guarantee bool            `json:"guaranteed"`
	}
	if err := unmarshalPolicy("DeliveryPolicy", text, &doc); err != nil {
		return nil, err
	}
	if doc.SickRetry != nil && string(doc.SickRetry) != "null" {
		return nil, Invalid("DeliveryPolicy: sicklyRetryPolicy is not supported")
	}
	if doc.Guarantee {
		return nil, Invalid("DeliveryPolicy: guaranteed is not supported")
	}
	return newDeliveryPolicy("", "healthyRetryPolicy", doc.Retry, doc.Throttle, doc.Request, false)
}

func newDeliveryPolicy(
	prefix, retryMember string, retry *retryMembers, throttle *throttlePolicy, request *requestPolicy, disable bool,
) (*DeliveryPolicy, error) {
	p := &DeliveryPolicy{DisableOverrides: disable}
	var err error
	if p.Retry, err = retry.policy(retryMember); err != nil {
		return nil, err
	}
	if throttle != nil && throttle.MaxReceivesPerSecond != nil {
		return nil, Invalid("DeliveryPolicy: %s is not supported", prefixed(prefix, "throttlePolicy")+".maxReceivesPerSecond")
	}
	if request != nil && request.HeaderContentType != "" {
		member := prefixed(prefix, "requestPolicy") + ".headerContentType"
		if _, _, err := mime.ParseMediaType(request.HeaderContentType); err != nil {
			return nil, Invalid("DeliveryPolicy: %s is not a content type", member)
		}
		p.ContentType = request.HeaderContentType
	}
	return p, nil
}

func prefixed(prefix, name string) string {
	if prefix == "" {
		return name
	}
	return prefix + strings.ToUpper(name[:1]) + name[1:]
}

// unmarshalPolicy reads one JSON object; members that are not known are errors.
func unmarshalPolicy(attribute, text string, v any) error {
	if len(text) > maxPolicyLength {
		return Invalid("%s: too long", attribute)
	}
	dec := json.NewDecoder(bytes.NewReader([]byte(text)))
	dec.DisallowUnknownFields()
	err := dec.Decode(v)
	if err == nil {
		if _, tail := dec.Token(); !errors.Is(tail, io.EOF) {
			err = errors.New("there is more after the object")
		}
	}
	if err != nil {
		return Invalid("%s: failed to parse JSON. %s", attribute, strings.TrimPrefix(err.Error(), "json: "))
	}
	return nil
}

// Effective is the policy of a subscription: its own, where the topic's does not rule that out, the topic's, and the
// default. Either may be nil.
func Effective(topic, subscription *DeliveryPolicy) (RetryPolicy, string) {
	retry, contentType := DefaultRetryPolicy(), DefaultContentType
	apply := func(p *DeliveryPolicy) {
		if p == nil {
			return
		}
		if p.Retry != nil {
			retry = *p.Retry
		}
		if p.ContentType != "" {
			contentType = p.ContentType
		}
	}
	apply(topic)
	if topic == nil || !topic.DisableOverrides {
		apply(subscription)
	}
	return retry, contentType
}

// EffectiveTopicPolicy is the attribute EffectiveDeliveryPolicy of a topic.
func EffectiveTopicPolicy(topic *DeliveryPolicy) string {
	retry, contentType := Effective(topic, nil)
	doc := struct {
		HTTP struct {
			Retry   RetryPolicy   `json:"defaultHealthyRetryPolicy"`
			Disable bool          `json:"disableSubscriptionOverrides"`
			Request requestPolicy `json:"defaultRequestPolicy"`
		} `json:"http"`
	}{}
	doc.HTTP.Retry, doc.HTTP.Request.HeaderContentType = retry, contentType
	doc.HTTP.Disable = topic != nil && topic.DisableOverrides
	text, _ := json.Marshal(doc) // numbers and strings always encode
	return string(text)
}

// EffectiveSubscriptionPolicy is the attribute EffectiveDeliveryPolicy of a subscription.
func EffectiveSubscriptionPolicy(topic, subscription *DeliveryPolicy) string {
	retry, contentType := Effective(topic, subscription)
	text, _ := json.Marshal(struct { // numbers and strings always encode
		Retry   RetryPolicy   `json:"healthyRetryPolicy"`
		Request requestPolicy `json:"requestPolicy"`
	}{retry, requestPolicy{contentType}})
	return string(text)
}
