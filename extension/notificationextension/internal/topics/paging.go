// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package topics

import (
	"encoding/base64"
	"slices"
	"strings"

	"github.com/nephoscope/nephoscope/pkg/sns"
)

// pageSize is how many topics or subscriptions one answer has.
const pageSize = 100

// maxToken bounds what is decoded.
const maxToken = 4096

// pageOf is the page of sorted keys that follows token, and the next token. list says what is listed: a token of another
// list is refused.
func pageOf(list string, keys []string, token *string) (page []string, next *string, err error) {
	from := 0
	if token != nil {
		raw, err := base64.RawURLEncoding.DecodeString(*token)
		last, ok := strings.CutPrefix(string(raw), list+"\n")
		if err != nil || !ok || len(*token) > maxToken {
			return nil, nil, sns.Invalid("NextToken")
		}
		at, found := slices.BinarySearch(keys, last)
		if from = at; found {
			from++
		}
	}
	page = keys[from:]
	if len(page) > pageSize {
		page = page[:pageSize]
		text := base64.RawURLEncoding.EncodeToString([]byte(list + "\n" + page[pageSize-1]))
		next = &text
	}
	return page, next, nil
}
