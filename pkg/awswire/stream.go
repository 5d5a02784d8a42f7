// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awswire

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
)

// EventStream is the answer of an operation that goes on for a while. Nothing is sent before the first call of Start
// or Send, so that an operation may still answer with an ordinary error. It is not safe for concurrent use.
type EventStream struct {
	w       http.ResponseWriter
	flush   *http.ResponseController
	started bool
	buf     []byte
	payload []byte
	sent    int64
}

const (
	contentTypeEvents = "application/vnd.amazon.eventstream"
	contentTypeJSON   = "application/json"
)

// HandleStream adds an operation that answers with a stream of events (StartLiveTail). An error that fn returns
// before the stream has started is answered as usual; after that it is the stream's last message.
func HandleStream[I any](s *Service, name string, fn func(context.Context, *I, *EventStream) error) *Operation {
	op := &Operation{
		Name:  name,
		Input: reflect.TypeFor[I](),
		stream: func(ctx context.Context, in any, out *EventStream) error {
			return fn(ctx, in.(*I), out)
		},
	}
	s.add(op)
	return op
}

// Start sends the response's header and the initial message, for which SDKs wait.
func (e *EventStream) Start() error {
	if e.started {
		return nil
	}
	e.started = true
	e.w.Header().Set("Content-Type", contentTypeEvents)
	e.w.WriteHeader(http.StatusOK)
	return e.message([]EventHeader{
		{":message-type", "event"}, {":event-type", "initial-response"}, {":content-type", contentTypeJSON},
	}, []byte("{}"))
}

// Send sends an event. Its type is the name of the stream's member (sessionUpdate), its payload a struct of the SDK
// or a pointer to one.
func (e *EventStream) Send(eventType string, payload any) error {
	if err := e.Start(); err != nil {
		return err
	}
	var err error
	if e.payload, err = appendAny(e.payload[:0], jsonForm, payload, 0); err != nil {
		return fmt.Errorf("encode event %s: %w", eventType, err)
	}
	return e.message([]EventHeader{
		{":message-type", "event"}, {":event-type", eventType}, {":content-type", contentTypeJSON},
	}, e.payload)
}

// fail ends the stream with an exception, or with an error when the service's model does not have it.
func (e *EventStream) fail(s *Service, f *failure) error {
	if _, modelled := s.MessageMember[f.shape]; !modelled {
		return e.message([]EventHeader{
			{":message-type", "error"}, {":error-code", f.shape}, {":error-message", f.message},
		}, nil)
	}
	payload, err := appendJSONFailure(nil, s, ProtocolRESTJSON, f)
	if err != nil {
		return err
	}
	return e.message([]EventHeader{
		{":message-type", "exception"}, {":exception-type", f.shape}, {":content-type", contentTypeJSON},
	}, payload)
}

func (e *EventStream) message(headers []EventHeader, payload []byte) error {
	var err error
	if e.buf, err = AppendEvent(e.buf[:0], headers, payload); err != nil {
		return err
	}
	n, err := e.w.Write(e.buf)
	e.sent += int64(n)
	if err != nil {
		return err
	}
	if err := e.flush.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil
}
