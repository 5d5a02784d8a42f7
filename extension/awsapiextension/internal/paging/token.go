// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package paging makes the opaque NextToken of an answer and reads it back. A token is bound to the request that
// it continues: with another one it is an error, as at AWS.
package paging

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
)

// ErrToken is returned for a token that was not made here, or not for this request.
var ErrToken = errors.New("invalid token")

// maxTokenLength bounds what is decoded.
const maxTokenLength = 64 << 10

type token struct {
	Query    []byte          `json:"q"`
	Position json.RawMessage `json:"p"`
}

// Encode returns the token that continues query at position. Query is everything that the following request must
// repeat.
func Encode(query, position any) (string, error) {
	sum, err := fingerprint(query)
	if err != nil {
		return "", err
	}
	pos, err := json.Marshal(position)
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(token{Query: sum, Position: pos})
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(text), nil
}

// Decode reads the position of a token that was made for query.
func Decode(query any, text string, position any) error {
	if len(text) > maxTokenLength {
		return ErrToken
	}
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return ErrToken
	}
	var t token
	if json.Unmarshal(raw, &t) != nil {
		return ErrToken
	}
	sum, err := fingerprint(query)
	if err != nil {
		return err
	}
	if string(sum) != string(t.Query) || json.Unmarshal(t.Position, position) != nil {
		return ErrToken
	}
	return nil
}

func fingerprint(query any) ([]byte, error) {
	text, err := json.Marshal(query)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(text)
	return sum[:12], nil
}
