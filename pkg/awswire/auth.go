// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awswire

import (
	"errors"
	"net/http"
	"slices"

	"github.com/nephoscope/nephoscope/pkg/sigv4"
)

// Identity is who sent a request.
type Identity struct {
	Account, Region, AccessKey string
}

// Authenticator says who sent a request, or why it is refused. body is what was sent, before decompression.
type Authenticator interface {
	Authenticate(r *http.Request, body []byte, s *Service, operation string) (Identity, error)
}

// AuthenticatorSettings is what [NewAuthenticator] is made of.
type AuthenticatorSettings struct {
	// Verifier of signatures; nil verifies nothing.
	Verifier *sigv4.Verifier
	// Account and Region of requests that do not say theirs: 000000000000 and us-east-1 when empty.
	Account, Region string
}

// NewAuthenticator returns an Authenticator of SigV4.
func NewAuthenticator(s AuthenticatorSettings) Authenticator {
	if s.Verifier == nil {
		s.Verifier = sigv4.NewVerifier(sigv4.Settings{Mode: sigv4.ModeOff})
	}
	if s.Account == "" {
		s.Account = "000000000000"
	}
	if s.Region == "" {
		s.Region = "us-east-1"
	}
	return &authenticator{s}
}

type authenticator struct {
	AuthenticatorSettings
}

func (a *authenticator) Authenticate(r *http.Request, body []byte, s *Service, operation string) (Identity, error) {
	id, err := a.Verifier.Verify(r, body, s.SigningName)
	var refused *sigv4.Error
	switch {
	case err == nil:
	case !errors.As(err, &refused):
		return Identity{}, err
	case refused.Kind == sigv4.MissingAuthentication && slices.Contains(s.Unsigned, operation):
	default:
		return Identity{}, signatureError(s, refused)
	}
	out := Identity{Account: id.Account, Region: id.Region, AccessKey: id.AccessKey}
	if out.Account == "" {
		out.Account = a.Account
	}
	if out.Region == "" {
		out.Region = a.Region
	}
	return out, nil
}

// signatureError is a refused request as the JSON protocols call it; the others' names follow from it.
func signatureError(s *Service, e *sigv4.Error) *Error {
	out := &Error{Message: e.Message}
	switch e.Kind {
	case sigv4.MissingAuthentication:
		out.Code = "MissingAuthenticationTokenException"
	case sigv4.Incomplete:
		out.Code = "IncompleteSignatureException"
	case sigv4.UnknownKey:
		out.Code = "UnrecognizedClientException"
	default:
		out.Code = "InvalidSignatureException"
		if len(s.Protocols) > 0 && !slices.Contains(s.Protocols, ProtocolQuery) {
			out.Message += e.Detail()
		}
	}
	return out
}
