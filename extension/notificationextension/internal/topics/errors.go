// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package topics

import (
	"context"
	"errors"
	"net/http"

	"github.com/nephoscope/nephoscope/extension/notificationextension/internal/queue"
	"github.com/nephoscope/nephoscope/pkg/awswire"
	"github.com/nephoscope/nephoscope/pkg/sns"
)

func notFound(what string) error {
	return &sns.Error{Code: sns.CodeNotFound, Message: what + " does not exist"}
}

func resourceNotFound() error {
	return &sns.Error{Code: "ResourceNotFoundException", Message: "Resource does not exist"}
}

// notImplemented is the answer to what SNS has and this server has not.
func notImplemented(what string) error { return awswire.NotImplemented(what) }

// answered is an error as clients are told of it.
func answered(err error) error {
	var refused *sns.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refused):
		return &awswire.Error{Code: refused.Code, Message: refused.Message}
	case errors.Is(err, queue.ErrFull):
		return awswire.Throttled()
	default:
		return err
	}
}

// errNotRunning is the answer while the extension does not run.
func errNotRunning() error { return awswire.Unavailable("Topics are not served at the moment.") }

// caller is who sends a request.
type caller struct {
	account, region string
}

func callerOf(ctx context.Context) caller {
	r := awswire.RequestFrom(ctx)
	if r == nil {
		return caller{account: "000000000000", region: "us-east-1"}
	}
	return caller{account: r.Account, region: r.Region}
}

// may is whether the caller may do something with a topic: it is of the caller's account and region.
func (c caller) may(arn sns.TopicARN, member, action string) error {
	if arn.Region != c.region {
		return sns.Invalid("%s", member)
	}
	if arn.Account != c.account {
		return &awswire.Error{
			Code: "AuthorizationErrorException", Status: http.StatusForbidden,
			Message: "User: arn:" + arn.Partition + ":iam::" + c.account + ":root is not authorized to perform: SNS:" + action +
				" on resource: " + arn.String() + " because no resource-based policy allows the SNS:" + action + " action",
		}
	}
	return nil
}
