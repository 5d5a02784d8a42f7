// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsapiextension

import (
	"context"
	"fmt"
	"net/http"

	"github.com/nephoscope/nephoscope/internal/crosssite"
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
	case crosssite.FromAnotherSite(r):
		http.Error(w, "requests of other web sites need signatures", http.StatusForbidden)
		return
	case crosssite.PublicName(r.Host):
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
