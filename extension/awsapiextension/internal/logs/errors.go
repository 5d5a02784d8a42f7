// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logs

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/pkg/awswire"
)

// Shape names of CloudWatch Logs' errors.
const (
	codeInvalidParameter = "InvalidParameterException"
	codeInvalidOperation = "InvalidOperationException"
	codeNotFound         = "ResourceNotFoundException"
	codeAlreadyExists    = "ResourceAlreadyExistsException"
	codeLimitExceeded    = "LimitExceededException"
	codeTooManyTags      = "TooManyTagsException"
	codeValidation       = "ValidationException"
	codeMalformedQuery   = "MalformedQueryException"
	codeUnavailable      = "ServiceUnavailableException"
)

// Errors with fixed texts.
var (
	errNoGroup      = &awswire.Error{Code: codeNotFound, Message: "The specified log group does not exist."}
	errNoStream     = &awswire.Error{Code: codeNotFound, Message: "The specified log stream does not exist."}
	errGroupExists  = &awswire.Error{Code: codeAlreadyExists, Message: "The specified log group already exists"}
	errStreamExists = &awswire.Error{Code: codeAlreadyExists, Message: "The specified log stream already exists"}
	errLimit        = &awswire.Error{Code: codeLimitExceeded, Message: "Resource limit exceeded."}
	errToken        = &awswire.Error{Code: codeInvalidParameter, Message: "The specified nextToken is invalid."}
)

func invalidParameter(format string, args ...any) error {
	return &awswire.Error{Code: codeInvalidParameter, Message: fmt.Sprintf(format, args...)}
}

func validationError(format string, args ...any) error {
	return &awswire.Error{Code: codeValidation, Message: fmt.Sprintf(format, args...)}
}

func notFound(format string, args ...any) error {
	return &awswire.Error{Code: codeNotFound, Message: fmt.Sprintf(format, args...)}
}

// unsupported refuses a member of a request that this server does not act on.
func unsupported(member, what string) error {
	return invalidParameter("%s: %s is not supported by this endpoint.", member, what)
}

// storageError says what a client is told of an error of the store or of the storage of settings.
func storageError(doing string, err error) error {
	var aws *awswire.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &aws):
		return aws
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, store.ErrUnavailable), errors.Is(err, store.ErrClosed):
		return &awswire.Error{
			Code: codeUnavailable, Message: "The store cannot answer for now.",
			Status: http.StatusServiceUnavailable, Fault: awswire.FaultReceiver,
		}
	case errors.Is(err, storage.ErrStorageFull):
		return &awswire.Error{
			Code: codeUnavailable, Message: "The storage of settings is full.",
			Status: http.StatusServiceUnavailable, Fault: awswire.FaultReceiver,
		}
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// errProtected answers deletions in a group that is protected against them.
var errProtected = &awswire.Error{
	Code: codeValidation, Message: "The log group has deletion protection enabled. Disable it before deleting.",
}
