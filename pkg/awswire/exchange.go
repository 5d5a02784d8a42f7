// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awswire

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"runtime/debug"
	"slices"
	"strconv"
	"time"
	"unsafe"

	"go.uber.org/zap"
)

// exchange is one request and its answer.
type exchange struct {
	*Mux
	w     http.ResponseWriter
	r     *http.Request
	route route
	op    *Operation
	req   *Request
	start time.Time
	seen  Observation
	// wrote is set once the header is out and an error cannot be answered any more.
	wrote bool
}

// finish reports the request and survives a handler's panic.
func (x *exchange) finish() {
	if v := recover(); v != nil {
		if v == http.ErrAbortHandler { //nolint:errorlint // by convention compared as it is
			panic(v)
		}
		x.log.Error("operation panicked", x.fields(
			zap.String("panic", fmt.Sprint(v)), zap.ByteString("stack", debug.Stack()))...)
		if !x.wrote {
			x.fail(InternalFailure())
		}
	}
	if x.settings.Observe == nil {
		return
	}
	if x.route.service != nil {
		x.seen.Service = x.route.service.SigningName
	}
	x.seen.Protocol = x.route.protocol
	x.seen.Duration = x.settings.Now().Sub(x.start)
	x.settings.Observe(x.r.Context(), x.seen)
}

func (x *exchange) fields(more ...zap.Field) []zap.Field {
	list := []zap.Field{zap.String("request_id", x.req.ID), zap.String("operation", x.route.operation)}
	if x.route.service != nil {
		list = append(list, zap.String("service", x.route.service.SigningName))
	}
	return append(list, more...)
}

// serve does everything up to a successful answer.
func (x *exchange) serve() error {
	raw := buffers.Get().(*bytes.Buffer)
	defer putBuffer(raw)
	limit := x.limit()
	if err := readBody(x.w, x.r, limit, raw); err != nil {
		x.guessService()
		return err
	}
	body := raw.Bytes()
	x.seen.RequestBytes = len(body)
	if x.route.err != nil {
		return x.route.err
	}
	inflated := buffers.Get().(*bytes.Buffer)
	defer putBuffer(inflated)
	encoding := x.r.Header.Get("Content-Encoding")
	plain, err := body, error(nil)
	formErr := error(nil)
	if x.route.protocol == ProtocolQuery {
		// The operation stands in the body, so that it is read before the signature over it is verified.
		if plain, err = inflate(encoding, body, limit, inflated); err != nil {
			x.guessService()
			return err
		}
		formErr = x.readForm(x.r, &x.route, plain)
		if int64(len(plain)) > x.limitOf(x.route.service) {
			return tooLarge()
		}
	}
	s := x.route.service
	x.req.Service, x.req.Operation, x.req.Protocol = s, x.route.operation, x.route.protocol
	if formErr == nil || s != x.unknown {
		if err := x.authenticate(body); err != nil {
			return err
		}
	}
	if formErr != nil {
		return formErr
	}
	if err := x.lookup(); err != nil {
		return err
	}
	if x.route.protocol != ProtocolQuery {
		if plain, err = inflate(encoding, body, limit, inflated); err != nil {
			return err
		}
	}
	if x.op.MaxBody > 0 && int64(len(plain)) > x.op.MaxBody {
		return tooLarge()
	}
	x.req.BodyBytes = len(plain)
	in := reflect.New(x.op.Input)
	switch x.route.protocol {
	case ProtocolQuery:
		err = decodeQuery(x.route.params, len(plain), x.op.in, in.UnsafePointer())
	case ProtocolCBOR:
		err = decodeCBOR(plain, x.op.in, in.UnsafePointer())
	default:
		err = decodeJSON(plain, x.op.in, in.UnsafePointer(), s.MillisecondTimestamps)
	}
	if err != nil {
		e := serializationError(err)
		if code := x.req.Service.SerializationCode; code != "" && e.Code == codeSerialization {
			e.Code = code
		}
		return e
	}
	ctx := WithRequest(x.r.Context(), x.req)
	if x.op.stream != nil {
		return x.stream(ctx, in.Interface())
	}
	out, err := x.op.call(ctx, in.Interface())
	if err != nil {
		return err
	}
	return x.succeed(out)
}

// limit is how many bytes a body may have.
func (x *exchange) limit() int64 {
	if x.route.service != nil {
		return x.limitOf(x.route.service)
	}
	limit := int64(0)
	for _, s := range x.services {
		if slices.Contains(s.Protocols, ProtocolQuery) {
			limit = max(limit, x.limitOf(s))
		}
	}
	return limit
}

func (m *Mux) limitOf(s *Service) int64 {
	switch {
	case s.MaxBody > 0:
		return s.MaxBody
	case m.maxBody > 0:
		return m.maxBody
	case s.defaultMaxBody > 0:
		return s.defaultMaxBody
	default:
		return defaultMaxBody
	}
}

// guessService makes an answer possible when the body, which names the service, cannot be read.
func (x *exchange) guessService() {
	if x.route.service == nil {
		x.route.service = x.queryServiceOfHost(x.r)
	}
}

func (x *exchange) authenticate(body []byte) error {
	id, err := x.auth.Authenticate(x.r, body, x.route.service, x.route.operation)
	if err != nil {
		return err
	}
	x.req.Account, x.req.Region, x.req.AccessKey = id.Account, id.Region, id.AccessKey
	return nil
}

// lookup finds the operation.
func (x *exchange) lookup() error {
	s, name := x.route.service, x.route.operation
	if op := s.operations[name]; op != nil {
		x.op = op
		x.seen.Operation = name
		return nil
	}
	for _, known := range s.Known {
		if known != name {
			continue
		}
		x.seen.Operation = name
		if x.settings.OnUnimplemented != nil {
			x.settings.OnUnimplemented(s.SigningName, name)
		}
		return NotImplemented("Operation " + s.SigningName + ":" + name)
	}
	if x.route.protocol == ProtocolQuery {
		return invalidAction(name, s.Version)
	}
	return &Error{
		Code:    "UnknownOperationException",
		Message: "Operation " + clip([]byte(name)) + " of " + s.SigningName + " does not exist.",
	}
}

// succeed writes an operation's output.
func (x *exchange) succeed(out any) error {
	if plain := x.req.plain; plain != nil {
		x.w.Header().Set("Content-Type", plain.contentType)
		x.write(http.StatusOK, plain.body)
		return nil
	}
	buf := buffers.Get().(*bytes.Buffer)
	defer putBuffer(buf)
	v := reflect.ValueOf(out)
	op, empty := x.op, !v.IsValid() || v.IsNil()
	dst := buf.AvailableBuffer()
	var err error
	header := x.w.Header()
	switch x.route.protocol {
	case ProtocolQuery:
		header.Set("Content-Type", "text/xml")
		var p unsafe.Pointer
		if !empty && op.out != nil {
			p = v.UnsafePointer()
		}
		dst, err = appendXMLResponse(dst, x.route.service, op.Name, op.out, p, x.req.ID)
	case ProtocolCBOR:
		header.Set("Smithy-Protocol", "rpc-v2-cbor")
		if op.out == nil {
			break
		}
		header.Set("Content-Type", "application/cbor")
		if empty {
			dst = append(dst, cborMapOpen, cborBreak)
			break
		}
		dst, err = appendCBOR(dst, op.out, v.UnsafePointer())
	default:
		header.Set("Content-Type", x.jsonType())
		if op.out == nil {
			break
		}
		if empty {
			dst = append(dst, '{', '}')
			break
		}
		dst, err = appendJSON(dst, op.out, v.UnsafePointer())
	}
	if err != nil {
		return fmt.Errorf("encode output: %w", err)
	}
	x.write(http.StatusOK, dst)
	// The answer may have outgrown the buffer it was begun in.
	*buf = *bytes.NewBuffer(dst)
	return nil
}

func (x *exchange) jsonType() string {
	switch {
	case x.route.protocol == ProtocolRESTJSON:
		return contentTypeJSON
	case x.route.json != "":
		return x.route.json
	case x.route.protocol == ProtocolJSON10:
		return "application/x-amz-json-1.0"
	default:
		return "application/x-amz-json-1.1"
	}
}

func (x *exchange) write(status int, body []byte) {
	x.wrote = true
	x.w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	x.w.WriteHeader(status)
	n, err := x.w.Write(body)
	if err != nil {
		x.log.Debug("answer not delivered", x.fields(zap.Error(err))...)
	}
	x.seen.Status, x.seen.ResponseBytes = status, int64(n)
}

// fail answers with an error.
func (x *exchange) fail(err error) {
	s, protocol := x.route.service, x.route.protocol
	if s == nil {
		s = x.unknown
	}
	f, internal := failureOf(s, protocol, x.req.QueryMode, err)
	switch {
	case !internal:
	case errors.Is(err, context.Canceled) && x.r.Context().Err() != nil:
		x.log.Debug("client went away", x.fields(zap.Error(err))...)
	default:
		x.log.Error("operation failed", x.fields(zap.Error(err))...)
	}
	x.seen.Code = f.shape
	body, err := failureBody(s, protocol, f, x.req.ID)
	if err != nil {
		x.log.Error("error not encoded", x.fields(zap.Error(err))...)
		f.members = nil
		body, _ = failureBody(s, protocol, f, x.req.ID) // texts alone always encode
	}
	header := x.w.Header()
	switch protocol {
	case ProtocolQuery:
		header.Set("Content-Type", "text/xml")
	case ProtocolCBOR:
		header.Set("Smithy-Protocol", "rpc-v2-cbor")
		header.Set("Content-Type", "application/cbor")
	default:
		header.Set("Content-Type", x.jsonType())
		if protocol == ProtocolRESTJSON {
			header.Set("X-Amzn-Errortype", f.shape)
		}
	}
	if x.req.QueryMode && len(s.QueryErrors) > 0 && protocol != ProtocolQuery {
		fault := "Sender"
		if f.fault == FaultReceiver {
			fault = "Receiver"
		}
		header.Set("X-Amzn-Query-Error", f.queryCode+";"+fault)
	}
	x.write(f.status, body)
}

// stream runs an operation that answers with events.
func (x *exchange) stream(ctx context.Context, in any) error {
	e := &EventStream{w: x.w, flush: http.NewResponseController(x.w)}
	defer func() {
		x.wrote = e.started
		if e.started {
			x.seen.Status, x.seen.ResponseBytes = http.StatusOK, e.sent
		}
	}()
	err := x.op.stream(ctx, in, e)
	if !e.started {
		if err != nil {
			return err
		}
		return e.Start()
	}
	if err == nil || x.r.Context().Err() != nil {
		return nil
	}
	f, internal := failureOf(x.route.service, x.route.protocol, false, err)
	if internal {
		x.log.Error("operation failed", x.fields(zap.Error(err))...)
	}
	x.seen.Code = f.shape
	if err := e.fail(x.route.service, f); err != nil {
		x.log.Debug("answer not delivered", x.fields(zap.Error(err))...)
	}
	return nil
}
