// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsxrayreceiver

import (
	"bytes"
	"encoding/json"
	"strings"
)

// Why a datagram is refused before its document is looked at.
const (
	reasonHeader = "header"
	reasonEmpty  = "empty"
)

// Headers as most SDKs write them.
var commonHeaders = [][]byte{
	[]byte(`{"format":"json","version":1}`),
	[]byte(`{"format": "json", "version": 1}`),
}

// maxHeader bounds what is parsed as a header.
const maxHeader = 1024

// document finds the segment document in a datagram: what stands behind the first line, which says how it is
// written. The reason is "" when there is one.
func document(datagram []byte) (doc []byte, reason string) {
	header, doc, ok := bytes.Cut(datagram, []byte{'\n'})
	if !ok || !goodHeader(header) {
		return nil, reasonHeader
	}
	if len(bytes.TrimSpace(doc)) == 0 {
		return nil, reasonEmpty
	}
	return doc, ""
}

func goodHeader(header []byte) bool {
	for _, h := range commonHeaders {
		if bytes.Equal(header, h) {
			return true
		}
	}
	if len(header) > maxHeader {
		return false
	}
	var h struct {
		Format  string `json:"format"`
		Version int    `json:"version"`
	}
	return json.Unmarshal(header, &h) == nil && strings.EqualFold(h.Format, "json") && h.Version == 1
}
