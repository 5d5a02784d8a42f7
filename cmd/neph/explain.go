// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/aws/smithy-go"

	"github.com/nephoscope/nephoscope/cmd/neph/internal/insights"
)

// explain says in the user's words why a call failed.
func (a *app) explain(err error) error {
	if err == nil {
		return nil
	}
	var syntax *insights.SyntaxError
	var api smithy.APIError
	var operation *smithy.OperationError
	switch {
	case errors.As(err, &syntax):
		return syntax
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("nothing answers at %s: start a collector (bin/nephoscope --config examples/local.yaml), "+
			"or say where it is with AWS_ENDPOINT_URL", a.target.Endpoint)
	case errors.As(err, &api) && errors.As(err, &operation):
		return fmt.Errorf("%s: %s: %s", operation.Operation(), api.ErrorCode(), api.ErrorMessage())
	}
	return err
}
