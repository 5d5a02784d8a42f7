// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awscloudwatchexporter

import (
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"testing"
)

func newHTTPServer(tb testing.TB, handle http.HandlerFunc) (url string) {
	tb.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		handle(w, r)
	}))
	tb.Cleanup(s.Close)
	return s.URL
}

// noise is a number whose bytes follow no pattern.
func noise(i int) float64 {
	x := uint64(i)*0x9e3779b97f4a7c15 + 0x632be59bd9b4e019
	x ^= x >> 29
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 32
	return math.Float64frombits(x>>12 | 0x3ff0000000000000)
}
