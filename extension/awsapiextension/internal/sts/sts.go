// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package sts serves the one operation of the Security Token Service that clients call before all others.
package sts

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/nephoscope/nephoscope/pkg/awswire"
)

// New returns the service.
func New() *awswire.Service {
	w := awswire.NewService("sts")
	awswire.Handle(w, "GetCallerIdentity", getCallerIdentity)
	return w
}

// getCallerIdentity answers with the account that the request is counted to. There are no users here: whoever has
// a key is the account's root user, whose id at AWS is the account's number, too.
func getCallerIdentity(ctx context.Context, _ *sts.GetCallerIdentityInput) (*sts.GetCallerIdentityOutput, error) {
	account := awswire.RequestFrom(ctx).Account
	arn := "arn:aws:iam::" + account + ":root"
	return &sts.GetCallerIdentityOutput{Account: &account, Arn: &arn, UserId: &account}, nil
}
