// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package awswire is the server side of the protocols that AWS SDKs speak: awsQuery, awsJson 1.0 and 1.1,
// rest-json and smithy rpc-v2-cbor, over the input and output types of the AWS SDK for Go v2.
//
// A [Service] is a table of [Operation]s. Codecs are built by reflection over the SDK's types and cached, so
// that no operation has marshalling code of its own.
package awswire

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"slices"
)

// Protocol is one of AWS's wire protocols.
type Protocol int

// The protocols.
const (
	ProtocolUnknown Protocol = iota
	ProtocolQuery
	ProtocolJSON10
	ProtocolJSON11
	ProtocolRESTJSON
	ProtocolCBOR
)

// Service describes one AWS service's API and holds its operations.
type Service struct {
	// SigningName is the name in the credential scope: monitoring, logs, xray, sts …
	SigningName string
	// Protocols that the service's SDKs speak.
	Protocols []Protocol
	// TargetPrefix stands before the dot of X-Amz-Target and in the path of rpc-v2-cbor.
	TargetPrefix string
	// Version is the API version of awsQuery, 2010-08-01.
	Version string
	// XMLNamespace is the namespace of awsQuery answers.
	XMLNamespace string
	// ErrorNamespace is put before '#' in __type of awsJson1_0 and CBOR errors, by error code; "" is the default.
	ErrorNamespace map[string]string
	// QueryErrors maps an error's shape name to its awsQuery code and HTTP status (awsQueryCompatible).
	QueryErrors map[string]QueryError
	// Known lists every operation that exists in AWS, so that one that is not served here is told from one that
	// does not exist.
	Known []string
	// Paths maps a rest-json request path to its operation's name.
	Paths map[string]string
	// MaxBody bounds a request's body in bytes, before and after decompression; 0 takes the Mux's, and when that is 0
	// too, 10 MiB for logs and X-Ray and 4 MiB for others.
	MaxBody int64
	// ValidationCode is the code of errors that [Validation] makes; "" is ValidationException.
	ValidationCode string
	// SerializationCode is the code of a request that cannot be read; "" is SerializationException.
	SerializationCode string
	// ThrottlingCode is the code of errors that [Throttled] makes; "" is ThrottlingException.
	ThrottlingCode string
	// MillisecondTimestamps makes numbers in JSON that are too great for seconds be read as milliseconds. The samplers
	// of X-Ray's SDK and of OpenTelemetry for Java send such, and AWS takes them.
	MillisecondTimestamps bool
	// Unsigned lists operations that AWS accepts without a signature.
	Unsigned []string
	// MessageMember is the name of the message's member by error code; "" is the default.
	MessageMember map[string]string
	// ErrorStatus is the HTTP status by error code, where it is not 400 or 500.
	ErrorStatus map[string]int

	// noOutput has the operations whose model has no output.
	noOutput       map[string]bool
	defaultMaxBody int64
	operations     map[string]*Operation
}

// QueryError is how awsQuery names a modelled error.
type QueryError struct {
	Code   string
	Status int
}

// Operation is one operation of a service.
type Operation struct {
	Name          string
	Input, Output reflect.Type // struct types; Output is nil when the operation answers nothing
	// NoOutput marks an operation whose model has no output: its answer has an empty body.
	NoOutput bool
	// MaxBody bounds the body of this operation's requests below the service's limit; 0 is no further bound.
	MaxBody int64
	call    func(ctx context.Context, in any) (any, error)
	stream  func(ctx context.Context, in any, s *EventStream) error
	in, out *plan // out is nil when there is no output
}

// Handle adds an operation to the service. I and O are the SDK's XInput and XOutput. An operation whose model has
// no output (PutMetricData) is answered without a body, whatever fn returns beside its error. It panics when the
// service is known to have no such operation.
//
// The input and what it points to belong to fn. An error that fn returns is answered as [Error] says.
func Handle[I, O any](s *Service, name string, fn func(context.Context, *I) (*O, error)) *Operation {
	op := &Operation{
		Name:     name,
		Input:    reflect.TypeFor[I](),
		Output:   reflect.TypeFor[O](),
		NoOutput: s.noOutput[name],
		call: func(ctx context.Context, in any) (any, error) {
			out, err := fn(ctx, in.(*I))
			if err != nil {
				return nil, err
			}
			return out, nil
		},
	}
	s.add(op)
	return op
}

func (s *Service) add(op *Operation) {
	if len(s.Known) > 0 && !slices.Contains(s.Known, op.Name) {
		panic(fmt.Sprintf("awswire: %s has no operation %q", s.SigningName, op.Name))
	}
	if s.operations == nil {
		s.operations = make(map[string]*Operation)
	}
	s.operations[op.Name] = op
}

// HandleNoOutput adds an operation that has nothing to answer. Its answer has no body, or an empty structure when
// that is what the operation's model has.
func HandleNoOutput[I any](s *Service, name string, fn func(context.Context, *I) error) *Operation {
	op := Handle(s, name, func(ctx context.Context, in *I) (*struct{}, error) {
		return nil, fn(ctx, in)
	})
	if len(s.noOutput) == 0 || s.noOutput[name] {
		op.Output, op.NoOutput = nil, true
	}
	return op
}

// Request is what a handler may know of the request it answers, beside its input.
type Request struct {
	ID        string // x-amzn-RequestId
	Service   *Service
	Operation string
	Protocol  Protocol
	// QueryMode is true when the client sent x-amzn-query-mode.
	QueryMode bool
	// BodyBytes is the size of the request's body after decompression.
	BodyBytes int
	Account   string
	Region    string
	AccessKey string
	Header    http.Header
	// ResponseHeader may be added to until the handler returns.
	ResponseHeader http.Header

	plain *plainBody
}

type requestKey struct{}

// WithRequest returns a context that carries r.
func WithRequest(ctx context.Context, r *Request) context.Context {
	return context.WithValue(ctx, requestKey{}, r)
}

// RequestFrom returns the request that ctx carries, or nil.
func RequestFrom(ctx context.Context) *Request {
	r, _ := ctx.Value(requestKey{}).(*Request)
	return r
}

// Fault says whose error it is.
type Fault int

// Faults.
const (
	FaultSender Fault = iota
	FaultReceiver
)

// Error is an error as AWS clients see it. Handlers return it, or one of the SDK's own error types
// (*types.ResourceNotFoundException); anything else is answered as an internal failure without its text.
type Error struct {
	// Code is the error's shape name: ResourceNotFoundException, ValidationException …
	Code    string
	Message string
	// Status is the HTTP status; 0 is 400 for the sender's faults and 500 for the receiver's, or what
	// the service's table of query errors says.
	Status int
	Fault  Fault
	// Fields are further members of the error's structure (queryCompileError …).
	Fields map[string]any

	// generic is set by constructors whose code depends on the service.
	generic genericCode
}

func (e *Error) Error() string {
	if e.Message == "" {
		return e.Code
	}
	return e.Code + ": " + e.Message
}
