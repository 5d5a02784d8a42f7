// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package duckdb

import "github.com/cespare/xxhash/v2"

// A token is a longest run of ASCII letters, digits, underscores and bytes beyond ASCII.
var tokenByte = func() (t [256]bool) {
	for c := range t {
		t[c] = c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c == '_' || c >= 0x80
	}
	return t
}()

// eachToken calls yield with every token of the text.
func eachToken(text string, yield func(token string)) {
	for i := 0; i < len(text); {
		for i < len(text) && !tokenByte[text[i]] {
			i++
		}
		begin := i
		for i < len(text) && tokenByte[text[i]] {
			i++
		}
		if i > begin {
			yield(text[begin:i])
		}
	}
}

// wholeTokens appends the hashes of the tokens that every text containing the needle has. A token at the edge of the
// needle is not one: in the text it may go on.
func wholeTokens(dst []uint64, needle string) []uint64 {
	first, last := 0, len(needle)
	for first < last && tokenByte[needle[first]] {
		first++
	}
	for last > first && tokenByte[needle[last-1]] {
		last--
	}
	eachToken(needle[first:last], func(token string) { dst = append(dst, hashToken(token)) })
	return dst
}

func hashToken(token string) uint64 { return xxhash.Sum64String(token) }

// hashTraceID is the hash of a promoted trace id, kept apart from the tokens of messages.
func hashTraceID(id string) uint64 { return xxhash.Sum64String("\x00trace\x00" + id) }
