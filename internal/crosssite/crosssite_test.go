// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package crosssite

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestPublicName(t *testing.T) {
	for host, public := range map[string]bool{
		"127.0.0.1:4566": false, "127.0.0.1": false, "stream-127.0.0.1:4566": false, "streaming-logs.127.0.0.1": false,
		"[::1]:4566": false, "[::1]": false, "localhost": false, "LOCALHOST.:4566": false, "logs.localhost:4566": false,
		"nephoscope:4566": false, "host.docker.internal:4566": false, "logs.us-east-1.amazonaws.com": false, "": false,
		"evil.example:4566": true, "evil.example": true, "rebind.com.": true, "127.0.0.1.evil.example": true,
		"evilamazonaws.com": true, "x.localhost.evil.com:80": true,
	} {
		assert.Equal(t, public, PublicName(host), host)
	}
}

func TestFromAnotherSite(t *testing.T) {
	for name, c := range map[string]struct {
		header, value string
		other         bool
	}{
		"an SDK":                 {"User-Agent", "aws-sdk-go-v2", false},
		"the same origin":        {"Sec-Fetch-Site", "same-origin", false},
		"the address bar":        {"Sec-Fetch-Site", "none", false},
		"the same site":          {"Sec-Fetch-Site", "same-site", true},
		"another site":           {"Sec-Fetch-Site", "cross-site", true},
		"an older browser":       {"Origin", "https://evil.example", true},
		"an origin without name": {"Origin", "null", true},
		"its own origin":         {"Origin", "http://localhost:4566", false},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://localhost:4566/", nil)
			r.Header.Set(c.header, c.value)
			assert.Equal(t, c.other, FromAnotherSite(r))
		})
	}
}
