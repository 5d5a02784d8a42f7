// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package pipelines

import (
	"errors"

	"go.opentelemetry.io/collector/consumer/consumererror"

	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/pkg/awswire"
)

// AWSError says what a client is told of the error of a write. A missing pipeline, or a store that cannot take writes
// for now, makes the service unavailable; what is permanent is an internal failure; all other errors pass, and ask
// the client to slow down. An error that already is one of AWS's is returned as it is.
func AWSError(err error) error {
	if err == nil {
		return nil
	}
	var aws *awswire.Error
	if errors.As(err, &aws) {
		return aws
	}
	var none *NoPipelineError
	switch {
	case errors.As(err, &none):
		return awswire.Unavailable(none.Error())
	case errors.Is(err, store.ErrUnavailable):
		return awswire.Unavailable("The store cannot accept writes for now.")
	case consumererror.IsPermanent(err):
		return awswire.InternalFailure()
	}
	return awswire.Throttled()
}
