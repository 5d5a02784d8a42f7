// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package crosssite tells the requests that a browser makes for the pages of other web sites. An endpoint that asks nobody for
// credentials refuses them: listening on loopback does not keep them out.
package crosssite

import (
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// FromAnotherSite recognises what a browser sends on behalf of a page from elsewhere. An endpoint that listens on
// loopback only can still be reached by all pages that the machine's user looks at. SDKs send neither header.
func FromAnotherSite(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "same-origin", "none":
		return false
	case "":
		origin := r.Header.Get("Origin")
		if origin == "" {
			return false
		}
		u, err := url.Parse(origin)
		return err != nil || u.Host != r.Host
	}
	return true
}

// localDomains cannot be registered, or are AWS's own, which a machine may be told to find here.
var localDomains = []string{
	"localhost", "local", "localdomain", "internal", "test", "lan", "home.arpa", "amazonaws.com", "amazonaws.com.cn", "api.aws",
}

// PublicName is whether the owner of a domain may have chosen the host that a request was sent to. To a browser, such a
// name that is made to mean this machine is the same site as the page that uses it.
func PublicName(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	dot := strings.LastIndexByte(host, '.')
	if dot < 0 {
		return false // one label, or an address of IPv6
	}
	if last := host[dot+1:]; strings.Trim(last, "0123456789") == "" {
		return false // an address, before which SDKs may have put a prefix
	}
	return !slices.ContainsFunc(localDomains, func(d string) bool {
		return host == d || strings.HasSuffix(host, "."+d)
	})
}
