// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package forward

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/smithy-go"

	"github.com/nephoscope/nephoscope/internal/actions"
)

// publish publishes the message as CloudWatch does: with texts of their own for SMS and email.
func (c *clients) publish(ctx context.Context, a *actions.Action, target arn) error {
	texts := map[string]string{"default": a.Message}
	if a.SMS != "" {
		texts["sms"] = a.SMS
	}
	if a.Email != "" {
		texts["email"] = a.Email
	}
	message, err := json.Marshal(texts)
	if err != nil {
		return err
	}
	in := &sns.PublishInput{
		TopicArn: &a.Target, Message: aws.String(string(message)), MessageStructure: aws.String("json"),
	}
	if a.Subject != "" {
		in.Subject = &a.Subject
	}
	if strings.HasSuffix(target.resource, ".fifo") {
		in.MessageGroupId, in.MessageDeduplicationId = aws.String(hashOf(a.AlarmARN)), aws.String(hashOf(a.ID))
	}
	_, err = c.sns.Publish(ctx, in)
	return err
}

func hashOf(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// invoke invokes a function without waiting for what it does.
func (c *clients) invoke(ctx context.Context, a *actions.Action) error {
	_, err := c.lambda.Invoke(ctx, &lambda.InvokeInput{
		FunctionName: &a.Target, InvocationType: lambdatypes.InvocationTypeEvent, Payload: []byte(a.Event),
	})
	return err
}

// maxTitle and maxDescription are the limits of OpsItems.
const (
	maxTitle       = 1024
	maxDescription = 2048
)

// openOpsItem opens an OpsItem; the ARN ends with opsitem:SEVERITY#CATEGORY=C.
func (c *clients) openOpsItem(ctx context.Context, a *actions.Action, target arn) (message string, err error) {
	severity, options, _ := strings.Cut(strings.TrimPrefix(target.resource, "opsitem:"), "#")
	in := &ssm.CreateOpsItemInput{
		Title:       aws.String(clip(fmt.Sprintf("CloudWatch alarm - '%s' is in %s state", a.AlarmName, a.New), maxTitle)),
		Description: aws.String(clip(fmt.Sprintf("CloudWatch alarm %s is in %s state: %s", a.AlarmName, a.New, a.Reason), maxDescription)),
		Source:      aws.String("CloudWatch Alarm"),
		Severity:    &severity,
		OperationalData: map[string]ssmtypes.OpsItemDataValue{
			"/aws/dedup":     {Type: ssmtypes.OpsItemDataTypeSearchableString, Value: aws.String(dedup(a.AlarmARN))},
			"/aws/resources": {Type: ssmtypes.OpsItemDataTypeSearchableString, Value: aws.String(resources(a.AlarmARN))},
			"alarmArn":       {Type: ssmtypes.OpsItemDataTypeString, Value: &a.AlarmARN},
		},
	}
	if category, ok := strings.CutPrefix(options, "CATEGORY="); ok {
		in.Category = &category
	}
	_, err = c.ssm.CreateOpsItem(ctx, in)
	var exists *ssmtypes.OpsItemAlreadyExistsException
	if errors.As(err, &exists) {
		err = nil // one that is open says the same
	}
	return *in.Description, err
}

func dedup(alarmARN string) string {
	text, _ := json.Marshal(map[string]string{"dedupString": "CloudWatch alarm " + alarmARN}) // a text always encodes
	return string(text)
}

func resources(alarmARN string) string {
	text, _ := json.Marshal([]map[string]string{{"arn": alarmARN}}) // a text always encodes
	return string(text)
}

func clip(s string, most int) string {
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	return string(r[:most-1]) + "…"
}

const stepScaling = "StepScaling"

// scale executes a policy. Policies with steps are told by how much the alarm breaches; others must not be.
func (c *clients) scale(ctx context.Context, a *actions.Action, target arn) error {
	group := ""
	for part := range strings.SplitSeq(target.resource, ":") {
		if name, ok := strings.CutPrefix(part, "autoScalingGroupName/"); ok {
			group = name
		}
	}
	list, err := c.autoscaling.DescribePolicies(ctx, &autoscaling.DescribePoliciesInput{
		AutoScalingGroupName: &group, PolicyNames: []string{a.Target},
	})
	if err != nil {
		return err
	}
	if len(list.ScalingPolicies) == 0 {
		return &smithy.GenericAPIError{Code: "ValidationError", Message: "policy " + a.Target + " not found", Fault: smithy.FaultClient}
	}
	in := &autoscaling.ExecutePolicyInput{PolicyName: &a.Target, AutoScalingGroupName: &group}
	if aws.ToString(list.ScalingPolicies[0].PolicyType) == stepScaling {
		if in.MetricValue, in.BreachThreshold = breach(a.Event); in.MetricValue == nil {
			return &smithy.GenericAPIError{
				Code: "ValidationError", Fault: smithy.FaultClient,
				Message: "the alarm's state has no value and threshold, which a policy with steps needs",
			}
		}
	} else {
		in.HonorCooldown = aws.Bool(true)
	}
	_, err = c.autoscaling.ExecutePolicy(ctx, in)
	return err
}

// breach is the newest value of an alarm and its threshold, from the event that its Lambda functions are given; nil when it
// has none.
func breach(event string) (value, threshold *float64) {
	var doc struct {
		AlarmData struct {
			State struct {
				ReasonData string `json:"reasonData"`
			} `json:"state"`
		} `json:"alarmData"`
	}
	var reason struct {
		RecentDatapoints []*float64 `json:"recentDatapoints"`
		Threshold        *float64   `json:"threshold"`
	}
	if json.Unmarshal([]byte(event), &doc) != nil || json.Unmarshal([]byte(doc.AlarmData.State.ReasonData), &reason) != nil {
		return nil, nil
	}
	n := len(reason.RecentDatapoints)
	if n == 0 || reason.RecentDatapoints[n-1] == nil || reason.Threshold == nil {
		return nil, nil
	}
	return reason.RecentDatapoints[n-1], reason.Threshold
}
