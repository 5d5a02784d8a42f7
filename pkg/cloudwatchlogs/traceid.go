// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package cloudwatchlogs

import "strings"

// TraceID reads a trace id in W3C's form (32 hex digits), in X-Ray's (1-8-24), or as the Root of an
// X-Amzn-Trace-Id header.
func TraceID(s string) (id [16]byte, ok bool) {
	if len(s) > 35 {
		if s, ok = headerPart(s, "Root="); !ok {
			return id, false
		}
	}
	ok = readTraceID(&id, s)
	return id, ok && id != [16]byte{}
}

func readTraceID(id *[16]byte, s string) bool {
	switch {
	case len(s) == 32:
		return unhex(id[:], s)
	case len(s) == 35 && s[0] == '1' && s[1] == '-' && s[10] == '-':
		return unhex(id[:4], s[2:10]) && unhex(id[4:], s[11:])
	}
	return false
}

// SpanID reads a span or segment id of 16 hex digits.
func SpanID(s string) (id [8]byte, ok bool) {
	ok = len(s) == 16 && unhex(id[:], s)
	return id, ok && id != [8]byte{}
}

// headerPart is the value of one part of a tracing header: Root=…;Parent=…;Sampled=1.
func headerPart(header, key string) (string, bool) {
	for part := range strings.SplitSeq(header, ";") {
		if v, ok := strings.CutPrefix(strings.TrimSpace(part), key); ok && len(v) <= 35 {
			return v, true
		}
	}
	return "", false
}

func unhex(dst []byte, s string) bool {
	for i := range dst {
		hi, lo := hexDigit[s[2*i]], hexDigit[s[2*i+1]]
		if hi|lo > 15 {
			return false
		}
		dst[i] = hi<<4 | lo
	}
	return true
}

// hexDigit is the value of a hex digit, 255 for other bytes.
var hexDigit = func() (t [256]byte) {
	for i := range t {
		switch c := byte(i); {
		case c >= '0' && c <= '9':
			t[i] = c - '0'
		case c >= 'a' && c <= 'f':
			t[i] = c - 'a' + 10
		case c >= 'A' && c <= 'F':
			t[i] = c - 'A' + 10
		default:
			t[i] = 255
		}
	}
	return t
}()
