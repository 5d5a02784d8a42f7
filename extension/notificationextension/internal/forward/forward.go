// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package forward hands the actions of alarms to AWS: messages to SNS topics, invocations to Lambda functions, OpsItems to
// Systems Manager, and scaling policies to Auto Scaling.
package forward

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/nephoscope/nephoscope/internal/actions"
	"github.com/nephoscope/nephoscope/internal/awssession"
)

// The kinds of deliveries, which are the services.
const (
	KindSNS         = "aws_sns"
	KindLambda      = "aws_lambda"
	KindSSM         = "aws_ssm"
	KindAutoScaling = "aws_autoscaling"
)

// Services are the names of the services that can be forwarded to.
func Services() []string { return []string{"sns", "lambda", "ssm", "autoscaling"} }

// Forwarder has the clients.
type Forwarder struct {
	session  *awssession.Session
	services []string

	mu      sync.Mutex
	regions map[string]*clients
}

// clients are those of one region.
type clients struct {
	sns         *sns.Client
	lambda      *lambda.Client
	ssm         *ssm.Client
	autoscaling *autoscaling.Client
}

// New returns a forwarder to the given services, all when there are none.
func New(session *awssession.Session, services []string) *Forwarder {
	if len(services) == 0 {
		services = Services()
	}
	return &Forwarder{session: session, services: services, regions: map[string]*clients{}}
}

// Close gives connections back.
func (f *Forwarder) Close() { f.session.Close() }

// arn are the parts of an action's ARN.
type arn struct {
	service, region, account, resource string
}

func parseARN(text string) (a arn, ok bool) {
	parts := strings.SplitN(text, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[3] == "" || parts[5] == "" {
		return arn{}, false
	}
	return arn{service: parts[2], region: parts[3], account: parts[4], resource: parts[5]}, true
}

// Kind is the kind of delivery that an ARN is forwarded as, "" for one that is not.
func (f *Forwarder) Kind(target string) string {
	a, ok := parseARN(target)
	if !ok || !slices.Contains(f.services, a.service) {
		return ""
	}
	switch {
	case a.service == "sns" && !strings.Contains(a.resource, ":"):
		return KindSNS
	case a.service == "lambda" && strings.HasPrefix(a.resource, "function:"):
		return KindLambda
	case a.service == "ssm" && strings.HasPrefix(a.resource, "opsitem:"):
		return KindSSM
	case a.service == "autoscaling" && strings.HasPrefix(a.resource, "scalingPolicy:"):
		return KindAutoScaling
	}
	return ""
}

// maxRegions bounds the clients that are kept.
const maxRegions = 64

func (f *Forwarder) clients(region string) *clients {
	f.mu.Lock()
	defer f.mu.Unlock()
	if c := f.regions[region]; c != nil {
		return c
	}
	cfg := f.session.AWS.Copy()
	cfg.Region = region
	// The queue tries again, and does not hold up other targets meanwhile.
	cfg.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	endpoint := f.session.Endpoint
	c := &clients{
		sns:         sns.NewFromConfig(cfg, func(o *sns.Options) { o.BaseEndpoint = orOwn(endpoint, o.BaseEndpoint) }),
		lambda:      lambda.NewFromConfig(cfg, func(o *lambda.Options) { o.BaseEndpoint = orOwn(endpoint, o.BaseEndpoint) }),
		ssm:         ssm.NewFromConfig(cfg, func(o *ssm.Options) { o.BaseEndpoint = orOwn(endpoint, o.BaseEndpoint) }),
		autoscaling: autoscaling.NewFromConfig(cfg, func(o *autoscaling.Options) { o.BaseEndpoint = orOwn(endpoint, o.BaseEndpoint) }),
	}
	if len(f.regions) < maxRegions {
		f.regions[region] = c
	}
	return c
}

func orOwn(endpoint, own *string) *string {
	if endpoint != nil {
		return endpoint
	}
	return own
}

// Deliver forwards an action. message is what was published.
func (f *Forwarder) Deliver(ctx context.Context, a *actions.Action) (message string, permanent bool, err error) {
	target, ok := parseARN(a.Target)
	if !ok {
		return "", true, fmt.Errorf("%q is not the ARN of an action", a.Target)
	}
	c := f.clients(target.region)
	switch f.Kind(a.Target) {
	case KindSNS:
		message, err = a.Message, c.publish(ctx, a, target)
	case KindLambda:
		message, err = a.Event, c.invoke(ctx, a)
	case KindSSM:
		message, err = c.openOpsItem(ctx, a, target)
	case KindAutoScaling:
		err = c.scale(ctx, a, target)
	default:
		return "", true, fmt.Errorf("actions of %q are not forwarded to AWS", a.Target)
	}
	if err != nil {
		return "", !awssession.Passing(err), err
	}
	return message, false, nil
}
