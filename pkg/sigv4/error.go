// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package sigv4

// ErrorKind is the reason for which a request was refused. Each protocol has codes of its own for them.
type ErrorKind int

// The kinds.
const (
	// MissingAuthentication: the request is not signed. MissingAuthenticationToken.
	MissingAuthentication ErrorKind = iota
	// Incomplete: the signature's parameters are missing or malformed. IncompleteSignature.
	Incomplete
	// UnknownKey: the access key, or the session token with it, is not known. InvalidClientTokenId.
	UnknownKey
	// WrongSignature: the signature is not that of this request. SignatureDoesNotMatch.
	WrongSignature
	// WrongScope: the credential scope is not the service's, or the request's time is off. SignatureDoesNotMatch.
	WrongScope
	// Unsupported: the signature's algorithm is one of AWS's that is not supported here.
	Unsupported
)

// Error is a refused request. Its message is AWS's text.
type Error struct {
	Kind    ErrorKind
	Message string
	// CanonicalRequest and StringToSign are what should have been signed, for a WrongSignature.
	CanonicalRequest, StringToSign string
}

func (e *Error) Error() string { return e.Message }

// Detail is the text that services of the JSON protocols append to a WrongSignature, "" for other kinds.
func (e *Error) Detail() string {
	if e.StringToSign == "" {
		return ""
	}
	return "\n\nThe Canonical String for this request should have been\n'" + e.CanonicalRequest +
		"'\n\nThe String-to-Sign should have been\n'" + e.StringToSign + "'\n"
}
