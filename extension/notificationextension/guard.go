// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package notificationextension

import (
	"net"
	"net/http"

	"github.com/nephoscope/nephoscope/internal/crosssite"
)

// guard keeps an API that asks nobody for credentials from other machines, unless they are allowed, and from web pages that
// a browser on this machine shows.
func guard(next http.Handler, allowRemote bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !allowRemote && !fromLoopback(r.RemoteAddr):
			http.Error(w, `other machines are answered with "alertmanager_api::allow_remote" only`, http.StatusForbidden)
		case crosssite.FromAnotherSite(r):
			http.Error(w, "requests of other web sites are not answered", http.StatusForbidden)
		case !allowRemote && crosssite.PublicName(r.Host):
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
