// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awssession

import (
	"context"
	"errors"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// passingCodes are of requests that met another one.
var passingCodes = map[string]bool{"OperationAbortedException": true, "ConcurrentModificationException": true}

// credentialCodes are of requests that were not let in. Policies and credentials get mended while the collector runs, so
// that what was not let in now may be later.
var credentialCodes = map[string]bool{
	"AccessDenied": true, "AccessDeniedException": true, "ExpiredToken": true, "ExpiredTokenException": true,
	"IncompleteSignature": true, "InvalidClientTokenId": true, "InvalidSignatureException": true,
	"MissingAuthenticationToken": true, "MissingAuthenticationTokenException": true, "NotAuthorized": true,
	"OptInRequired": true, "RequestExpired": true, "SignatureDoesNotMatch": true, "UnrecognizedClientException": true,
}

// Throttled reports whether the service asks for fewer requests.
func Throttled(err error) bool {
	var api smithy.APIError
	if errors.As(err, &api) {
		if _, ok := retry.DefaultThrottleErrorCodes[api.ErrorCode()]; ok {
			return true
		}
	}
	return status(err) == http.StatusTooManyRequests
}

// Passing reports whether the same request may succeed later: it did not arrive, the service could not answer for now,
// or the credentials were not good.
func Passing(err error) bool {
	if err == nil {
		return false
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || Throttled(err) {
		return true
	}
	var invalid smithy.InvalidParamsError
	var unwritable *smithy.SerializationError
	if errors.As(err, &invalid) || errors.As(err, &unwritable) {
		return false
	}
	code := status(err)
	switch code {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusRequestTimeout, http.StatusProxyAuthRequired:
		return true // whatever it is called: services have names of their own for credentials that are not good
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		if _, ok := retry.DefaultRetryableErrorCodes[api.ErrorCode()]; ok ||
			credentialCodes[api.ErrorCode()] || passingCodes[api.ErrorCode()] {
			return true
		}
		return code >= http.StatusInternalServerError || api.ErrorFault() == smithy.FaultServer
	}
	// 0 is no answer.
	return code >= http.StatusInternalServerError || code < http.StatusBadRequest
}

func status(err error) int {
	var response *smithyhttp.ResponseError
	if errors.As(err, &response) && response.Response != nil && response.Response.Response != nil {
		return response.HTTPStatusCode()
	}
	return 0
}
