// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
)

// maxToken bounds what is decoded.
const maxToken = 8 << 10

// page is what a NextToken holds: a mark of the request that it goes on with, and where that was.
type page[P any] struct {
	Request []byte
	After   P
}

// mark tells requests apart. request is all of a request but its token and its page size.
func mark(request ...any) ([]byte, error) {
	text, err := json.Marshal(request)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(text)
	return sum[:9], nil
}

// nextToken is the token that goes on with the request behind a place.
func nextToken[P any](after P, request ...any) (*string, error) {
	m, err := mark(request...)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(page[P]{m, after})
	if err != nil {
		return nil, err
	}
	token := base64.RawURLEncoding.EncodeToString(text)
	return &token, nil
}

// readToken returns the place of a token, nil when there is no token.
func readToken[P any](token *string, request ...any) (*P, error) {
	if token == nil {
		return nil, nil //nolint:nilnil // no token is no place
	}
	if len(*token) > maxToken {
		return nil, invalidToken((*token)[:64] + "…")
	}
	m, err := mark(request...)
	if err != nil {
		return nil, err
	}
	text, err := base64.RawURLEncoding.DecodeString(*token)
	var p page[P]
	if err != nil || json.Unmarshal(text, &p) != nil || string(p.Request) != string(m) {
		return nil, invalidToken(*token)
	}
	return &p.After, nil
}
