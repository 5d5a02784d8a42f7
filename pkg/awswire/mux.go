// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awswire

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"time"

	"go.uber.org/zap"
)

// MuxSettings is what a [Mux] is made of.
type MuxSettings struct {
	// Services by whom requests are answered.
	Services []*Service
	// Authenticator says who asks. Nil accepts everybody, as [NewAuthenticator] with no verifier does.
	Authenticator Authenticator
	// Logger of failures that clients do not get to see. Nil logs nothing.
	Logger *zap.Logger
	// MaxBody bounds the bodies of services that set no limit of their own; 0 is what [Service] says.
	MaxBody int64
	// Fallback answers what is for no API: the paths that AWS serves beside them, and what is neither signed nor of AWS's
	// protocols. Nil answers 404. A signed request for another service is answered 404 in the shape of AWS's errors.
	Fallback http.Handler
	// OnUnimplemented is told of operations that AWS has and no handler here.
	OnUnimplemented func(service, operation string)
	// Observe is told of every request that was for some service, after the answer.
	Observe func(context.Context, Observation)
	// Now is the clock, time.Now when nil.
	Now func() time.Time
	// NewRequestID makes request ids, random UUIDs when nil.
	NewRequestID func() string
}

// Observation is what a request came to.
type Observation struct {
	Service   string // signing name; "" when it was not found out
	Operation string // "" when the service has no such operation
	Protocol  Protocol
	Status    int
	Code      string // the error's shape, "" for a success
	Duration  time.Duration
	// RequestBytes is the size of the body before decompression.
	RequestBytes  int
	ResponseBytes int64
}

// Mux answers the requests of AWS clients for several services on one address: it finds out which service, protocol
// and operation a request is for, has it authenticated, and calls the operation.
type Mux struct {
	settings MuxSettings
	services []*Service
	// unknown stands for a service that could not be told.
	unknown *Service
	auth    Authenticator
	log     *zap.Logger
	maxBody int64
}

// NewMux returns a Mux, or an error when an operation's types cannot be read or written.
func NewMux(settings MuxSettings) (*Mux, error) {
	m := &Mux{
		settings: settings,
		services: settings.Services,
		unknown:  &Service{XMLNamespace: "http://webservices.amazon.com/AWSFault/2005-15-09"},
		auth:     settings.Authenticator,
		log:      settings.Logger,
		maxBody:  settings.MaxBody,
	}
	if m.auth == nil {
		m.auth = NewAuthenticator(AuthenticatorSettings{})
	}
	if m.log == nil {
		m.log = zap.NewNop()
	}
	if m.settings.Now == nil {
		m.settings.Now = time.Now
	}
	if m.settings.NewRequestID == nil {
		m.settings.NewRequestID = newUUID
	}
	for _, s := range m.services {
		for _, op := range s.operations {
			if err := op.prepare(); err != nil {
				return nil, fmt.Errorf("%s %s: %w", s.SigningName, op.Name, err)
			}
		}
	}
	return m, nil
}

// prepare builds the plans of an operation's types.
func (op *Operation) prepare() error {
	var err error
	if op.in, err = planFor(op.Input); err != nil {
		return err
	}
	if op.NoOutput || op.Output == nil {
		return nil
	}
	op.out, err = planFor(op.Output)
	return err
}

// newUUID returns a random UUID, version 4.
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	var out [36]byte
	hex.Encode(out[:8], b[:4])
	hex.Encode(out[9:13], b[4:6])
	hex.Encode(out[14:18], b[6:8])
	hex.Encode(out[19:23], b[8:10])
	hex.Encode(out[24:], b[10:])
	out[8], out[13], out[18], out[23] = '-', '-', '-', '-'
	return string(out[:])
}

// ServeHTTP answers a request.
func (m *Mux) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rt, ok := m.detect(r)
	if !ok {
		if m.settings.Fallback == nil {
			http.NotFound(w, r)
			return
		}
		m.settings.Fallback.ServeHTTP(w, r)
		return
	}
	x := &exchange{Mux: m, w: w, r: r, route: rt, start: m.settings.Now()}
	x.req = &Request{
		ID:             m.settings.NewRequestID(),
		Header:         r.Header,
		ResponseHeader: w.Header(),
		QueryMode:      strings.EqualFold(r.Header.Get("X-Amzn-Query-Mode"), "true"),
	}
	w.Header().Set("X-Amzn-Requestid", x.req.ID)
	w.Header().Set("Date", x.start.UTC().Format(http.TimeFormat))
	defer x.finish()                  //nolint:contextcheck // it has the request's
	if err := x.serve(); err != nil { //nolint:contextcheck // it has the request's
		x.fail(err)
	}
}
