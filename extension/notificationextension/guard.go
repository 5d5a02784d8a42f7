// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package notificationextension

import (
	"net"
	"net/http"
	"net/url"
	"strings"
)

// guard keeps an API that asks nobody for credentials from other machines, unless they are allowed, and from web pages that
// a browser on this machine shows.
func guard(next http.Handler, allowRemote bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !allowRemote && !fromLoopback(r.RemoteAddr):
			http.Error(w, `other machines are answered with "alertmanager_api::allow_remote" only`, http.StatusForbidden)
		case fromAnotherSite(r):
			http.Error(w, "requests of other web sites are not answered", http.StatusForbidden)
		case !allowRemote && !localName(r.Host):
			http.Error(w, "only addresses and local names are answered to, such as 127.0.0.1 and localhost", http.StatusForbidden)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func fromLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// fromAnotherSite recognises what a browser sends on behalf of a page from elsewhere.
func fromAnotherSite(r *http.Request) bool {
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

// localName is whether nobody else can have made the name mean this machine: it is an address, or localhost.
func localName(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || net.ParseIP(strings.Trim(host, "[]")) != nil
}
