// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package sns is the domain of Amazon SNS: the ARNs of topics and subscriptions, what may be published, the documents that
// are posted to HTTP subscribers and their signatures, delivery policies and filter policies.
//
// It does no I/O and knows no time but what it is given.
package sns

import "fmt"

// Error is something that SNS refuses, with its code and message.
type Error struct {
	// Code is the shape's name: InvalidParameterException, InvalidParameterValueException …
	Code    string
	Message string
}

func (e *Error) Error() string { return e.Message }

// Codes of errors.
const (
	CodeInvalidParameter      = "InvalidParameterException"
	CodeInvalidParameterValue = "InvalidParameterValueException"
	CodeNotFound              = "NotFoundException"
)

// Invalid is SNS's error for a parameter: "Invalid parameter: " and what is given.
func Invalid(format string, args ...any) error {
	return &Error{Code: CodeInvalidParameter, Message: "Invalid parameter: " + fmt.Sprintf(format, args...)}
}
