// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package notificationextension

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/configoptional"

	"github.com/nephoscope/nephoscope/internal/awssession"
	"github.com/nephoscope/nephoscope/pkg/alarm"
)

func forwardTo(url string) configoptional.Optional[ForwardConfig] {
	session := awssession.NewDefaultConfig()
	session.Region, session.Endpoint, session.LocalMode = "us-east-1", url, true
	session.AccessKeyID, session.SecretAccessKey = "AKID", "secret"
	return configoptional.Some(ForwardConfig{Session: session})
}

func (r request) form(t *testing.T) url.Values {
	t.Helper()
	form, err := url.ParseQuery(r.body)
	require.NoError(t, err)
	return form
}

func TestForward(t *testing.T) {
	amazon := record(t)
	cfg := fast(t)
	cfg.Forward = forwardTo(amazon.URL)
	c := start(t, cfg)
	delivered := func(a string) request {
		t.Helper()
		act := action(a, a, "cpu", alarm.StateAlarm)
		act.Event = `{"alarmData":{"state":{"reasonData":"{\"recentDatapoints\":[1.5,90.5],\"threshold\":80.0}"}}}`
		c.dispatch(act)
		return next(t, amazon.requests)
	}

	amazon.answerWith(http.StatusOK, `<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>`)
	topic := "arn:aws:sns:us-west-2:123456789012:elsewhere.fifo"
	form := delivered(topic).form(t)
	assert.Equal(t, topic, form.Get("TopicArn"))
	assert.Equal(t, "json", form.Get("MessageStructure"))
	assert.JSONEq(t, `{"default":"{\"AlarmName\":\"cpu\"}","sms":"sms","email":"email"}`, form.Get("Message"))
	assert.Equal(t, `ALARM: "cpu" in EU (Ireland)`, form.Get("Subject"))
	assert.Len(t, form.Get("MessageGroupId"), 64)
	res := c.result()
	require.NoError(t, res.Err)
	assert.JSONEq(t, `{"AlarmName":"cpu"}`, res.Message)

	amazon.answerWith(http.StatusAccepted, "")
	req := delivered("arn:aws:lambda:eu-west-1:123456789012:function:f:live")
	assert.Equal(t, "Event", req.header.Get("X-Amz-Invocation-Type"))
	assert.Contains(t, req.path, "/functions/arn:aws:lambda:eu-west-1:123456789012:function:f:live/invocations")
	assert.Contains(t, req.header.Get("Authorization"), "/eu-west-1/lambda/")
	assert.Contains(t, req.body, "alarmData")
	require.NoError(t, c.result().Err)

	amazon.answerWith(http.StatusOK, `{"OpsItemId":"oi-1"}`)
	doc := delivered("arn:aws:ssm:eu-west-1:123456789012:opsitem:2#CATEGORY=Availability").decode(t)
	assert.Equal(t, "2", doc["Severity"])
	assert.Equal(t, "Availability", doc["Category"])
	assert.Contains(t, doc["Title"], "'cpu' is in ALARM state")
	require.NoError(t, c.result().Err)

	amazon.answerBy(func(r request) (int, string) {
		if strings.Contains(r.body, "DescribePolicies") {
			return http.StatusOK, `<DescribePoliciesResponse xmlns="http://autoscaling.amazonaws.com/doc/2011-01-01/"><DescribePoliciesResult>` +
				`<ScalingPolicies><member><PolicyType>StepScaling</PolicyType></member></ScalingPolicies></DescribePoliciesResult></DescribePoliciesResponse>`
		}
		return http.StatusOK, `<ExecutePolicyResponse xmlns="http://autoscaling.amazonaws.com/doc/2011-01-01/"/>`
	})
	policy := "arn:aws:autoscaling:eu-west-1:123456789012:scalingPolicy:id:autoScalingGroupName/web:policyName/up"
	delivered(policy)
	form = next(t, amazon.requests).form(t)
	assert.Equal(t, "ExecutePolicy", form.Get("Action"))
	assert.Equal(t, policy, form.Get("PolicyName"))
	assert.Equal(t, "web", form.Get("AutoScalingGroupName"))
	assert.Equal(t, "90.5", form.Get("MetricValue"))
	assert.Equal(t, "80", form.Get("BreachThreshold"))
	require.NoError(t, c.result().Err)

	// Faults of AWS are tried again, refusals are not.
	n := 0
	amazon.answerBy(func(request) (int, string) {
		if n++; n < 3 {
			return http.StatusInternalServerError, `{}`
		}
		return http.StatusBadRequest, `{"__type":"OpsItemInvalidParameterException","message":"no such severity"}`
	})
	c.dispatch(action("x", "arn:aws:ssm:eu-west-1:123456789012:opsitem:9", "cpu", alarm.StateAlarm))
	require.ErrorContains(t, c.result().Err, "no such severity")
	assert.Len(t, amazon.requests, 3)

	arn := "arn:aws:automate:eu-west-1:ec2:stop"
	c.dispatch(action("y", arn, "cpu", alarm.StateAlarm))
	require.ErrorContains(t, c.result().Err, arn)
}

func TestRouteHidesForwarding(t *testing.T) {
	amazon, hook := record(t), record(t)
	amazon.answerWith(http.StatusOK, `<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>`)
	both := pagerTopic + "-both"
	cfg := hookConfig(t, hook.URL)
	cfg.Forward = forwardTo(amazon.URL)
	cfg.Routes = append(cfg.Routes, RouteConfig{ARN: both, Receiver: "hook", Forward: true})
	c := start(t, cfg)
	c.dispatch(action("1", pagerTopic, "cpu", alarm.StateAlarm))
	next(t, hook.requests)
	require.NoError(t, c.result().Err)
	c.dispatch(action("2", both, "cpu", alarm.StateAlarm))
	next(t, hook.requests)
	assert.Equal(t, both, next(t, amazon.requests).form(t).Get("TopicArn"))
	require.NoError(t, c.result().Err)
	assert.Empty(t, amazon.requests)
	assert.Empty(t, c.results)
}
