// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awswire

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// maxDepth bounds the nesting of a request. AWS's own inputs nest a dozen levels.
const maxDepth = 64

// codeSerialization is what most services call a request that cannot be read.
const codeSerialization = "SerializationException"

// errTooBig says that a request would take more memory than its size warrants.
var errTooBig = errors.New("request expands to too many elements")

// decodeError is a request that cannot be read. Its path is collected from the inside out.
type decodeError struct {
	text string
	path []string
}

func (e *decodeError) Error() string {
	if len(e.path) == 0 {
		return e.text
	}
	path := slices.Clone(e.path)
	slices.Reverse(path)
	return e.text + " at '" + strings.Join(path, ".") + "'"
}

func malformed(text string) error { return &decodeError{text: text} }

// inMember adds a structure's member or a map's key to the path of err.
func inMember(err error, name string) error {
	if d, ok := err.(*decodeError); ok { //nolint:errorlint // made here, never wrapped
		d.path = append(d.path, lowerFirst(name))
	}
	return err
}

// inElement adds a list's element, counted from 0, to the path of err.
func inElement(err error, i int) error {
	if d, ok := err.(*decodeError); ok { //nolint:errorlint // made here, never wrapped
		d.path = append(d.path, strconv.Itoa(i+1)+".member")
	}
	return err
}

// cannotConvert is AWS's text for a value of the wrong type.
func cannotConvert(token string, want kind) error {
	return malformed(token + " can not be converted to " + kindNames[want])
}

// serializationError turns an error of decoding into what the client sees.
func serializationError(err error) *Error {
	if errors.Is(err, errTooBig) {
		return &Error{Code: "RequestEntityTooLargeException", Message: err.Error(), Status: http.StatusRequestEntityTooLarge}
	}
	return &Error{Code: codeSerialization, Message: err.Error()}
}
