// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsapiextension

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/nephoscope/nephoscope/pkg/awswire"
	"github.com/nephoscope/nephoscope/pkg/sigv4"
)

// handler answers requests, a bounded number of them at once.
type handler struct {
	mux *awswire.Mux
	// busy has the same services, and tells everybody to slow down.
	busy  *awswire.Mux
	slots chan struct{}
	// open says that nobody has to sign, so that web pages have to be kept out.
	open bool
	// throttled is told of the service, as far as it is known, of every request that got no slot.
	throttled func(r *http.Request, service string)
}

// tooBusy refuses everybody.
type tooBusy struct{}

func (tooBusy) Authenticate(*http.Request, []byte, *awswire.Service, string) (awswire.Identity, error) {
	return awswire.Identity{}, awswire.Throttled()
}

func (e *awsAPI) newHandler(services []*awswire.Service) (*handler, error) {
	auth, err := e.newAuthenticator()
	if err != nil {
		return nil, err
	}
	settings := awswire.MuxSettings{
		Services:        services,
		Authenticator:   auth,
		Fallback:        e.newOTLPHandler(auth),
		Logger:          e.logger,
		MaxBody:         e.cfg.MaxRequestBodySize,
		OnUnimplemented: e.observeUnimplemented,
		Observe:         e.observeRequest,
		Now:             e.now,
	}
	mux, err := awswire.NewMux(settings)
	if err != nil {
		return nil, err
	}
	settings.Authenticator = tooBusy{}
	settings.Fallback = e.newOTLPHandler(tooBusy{})
	busy, err := awswire.NewMux(settings)
	if err != nil {
		return nil, err
	}
	return &handler{
		mux: mux, busy: busy,
		slots:     make(chan struct{}, e.cfg.MaxConcurrentRequests),
		open:      e.cfg.Auth.Mode != AuthModeStrict,
		throttled: e.observeThrottled,
	}, nil
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case !h.open:
	case fromAnotherSite(r):
		http.Error(w, "requests of other web sites need signatures", http.StatusForbidden)
		return
	case publicName(r.Host):
		http.Error(w, "an endpoint that needs no signatures answers to addresses and local names only, such as 127.0.0.1 and "+
			"localhost: a web site could make its own name mean this machine", http.StatusForbidden)
		return
	}
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
		h.mux.ServeHTTP(w, r)
	default:
		h.refuse(w, r)
	}
}

// fromAnotherSite recognises what a browser sends on behalf of a page from elsewhere. An endpoint that listens on
// loopback only can still be reached by all pages that the machine's user looks at. SDKs send neither header.
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

// localDomains cannot be registered, or are AWS's own, which a machine may be told to find here.
var localDomains = []string{
	"localhost", "local", "localdomain", "internal", "test", "lan", "home.arpa", "amazonaws.com", "amazonaws.com.cn", "api.aws",
}

// publicName is whether the owner of a domain may have chosen the host that a request was sent to. To a browser, such a
// name that is made to mean this machine is the same site as the page that uses it.
func publicName(host string) bool {
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

// wait returns when no request is being served. None may come any more: it takes all slots.
func (h *handler) wait(ctx context.Context) error {
	for taken := range cap(h.slots) {
		select {
		case h.slots <- struct{}{}:
		case <-ctx.Done():
			for range taken { // so that it can be waited for again
				<-h.slots
			}
			return fmt.Errorf("wait for requests to end: %w", ctx.Err())
		}
	}
	return nil
}

// refuse answers without reading the body, so that what is refused costs no memory. Unsigned requests of old
// protocols name their service in the body only; they get a status that all clients try again on.
func (h *handler) refuse(w http.ResponseWriter, r *http.Request) {
	service := sigv4.Scope(r).Service
	h.throttled(r, service)
	if service == "" && r.Header.Get("X-Amz-Target") == "" && r.Header.Get("Smithy-Protocol") == "" {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	r = r.Clone(r.Context())
	r.Body, r.ContentLength = http.NoBody, 0
	r.Header.Del("Content-Encoding")
	h.busy.ServeHTTP(w, r)
}
