// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awswire

import (
	"errors"
	"net/http"
	"reflect"
	"slices"

	"github.com/aws/smithy-go"
)

// genericCode marks an error that each service calls by a name of its own.
type genericCode uint8

const (
	genericNone genericCode = iota
	genericValidation
	genericThrottling
	genericUnavailable
)

// Throttled is the answer to a client that asks too often or too much; SDKs retry with backoff. Its code is the
// service's: Throttling, ThrottlingException or ThrottledException.
func Throttled() *Error {
	return &Error{Code: "ThrottlingException", Message: "Rate exceeded", generic: genericThrottling}
}

// Unavailable is the answer while something that the service needs does not work; SDKs retry.
func Unavailable(message string) *Error {
	return &Error{
		Code: "ServiceUnavailable", Message: message, Status: http.StatusServiceUnavailable,
		Fault: FaultReceiver, generic: genericUnavailable,
	}
}

// InternalFailure is the answer to everything that went wrong inside and is no business of the client's.
func InternalFailure() *Error {
	return &Error{
		Code: "InternalFailure", Message: "An internal error occurred.",
		Status: http.StatusInternalServerError, Fault: FaultReceiver,
	}
}

// NotImplemented is the answer to an operation, or a part of one, that AWS has and this server has not. SDKs do not
// retry it.
func NotImplemented(what string) *Error {
	return &Error{
		Code: "NotImplemented", Message: what + " is not implemented.",
		Status: http.StatusNotImplemented, Fault: FaultReceiver,
	}
}

// InvalidParameter is a client's mistake that no constraint of the model describes. The code is the one the service
// uses for failed constraints.
func InvalidParameter(message string) *Error {
	return &Error{Code: "ValidationException", Message: message, generic: genericValidation}
}

// commonErrors are the errors that all services share, by their name in JSON: what awsQuery calls them, and the
// status that awsQuery and rest-json give them. awsJson answers them with 400, or 500 when the receiver is at fault.
var commonErrors = map[string]QueryError{
	"AccessDeniedException":               {Code: "AccessDenied", Status: http.StatusForbidden},
	"ExpiredTokenException":               {Code: "ExpiredToken", Status: http.StatusForbidden},
	"IncompleteSignatureException":        {Code: "IncompleteSignature", Status: http.StatusBadRequest},
	"InternalFailure":                     {Code: "InternalFailure", Status: http.StatusInternalServerError},
	"InvalidSignatureException":           {Code: "SignatureDoesNotMatch", Status: http.StatusForbidden},
	"MissingAuthenticationTokenException": {Code: "MissingAuthenticationToken", Status: http.StatusForbidden},
	"RequestEntityTooLargeException":      {Code: "RequestEntityTooLarge", Status: http.StatusRequestEntityTooLarge},
	"SerializationException":              {Code: "MalformedInput", Status: http.StatusBadRequest},
	"ThrottlingException":                 {Code: "Throttling", Status: http.StatusBadRequest},
	"UnknownOperationException":           {Code: "InvalidAction", Status: http.StatusBadRequest},
	"UnrecognizedClientException":         {Code: "InvalidClientTokenId", Status: http.StatusForbidden},
	"ValidationException":                 {Code: "ValidationError", Status: http.StatusBadRequest},
}

// failure is an error made ready for some protocol of some service.
type failure struct {
	shape     string // as in __type, without namespace
	queryCode string // as in awsQuery and x-amzn-query-error
	status    int
	fault     Fault
	message   string
	members   []failureMember
}

// failureMember is one more member of an error's structure.
type failureMember struct {
	name  string
	value any
}

// failureOf describes err as the service would. internal is true when the client does not get to see what happened.
func failureOf(s *Service, protocol Protocol, queryMode bool, err error) (f *failure, internal bool) {
	f = &failure{}
	var explicit int
	var e *Error
	var api smithy.APIError
	switch {
	case errors.As(err, &e):
		f.shape, f.message, f.fault, explicit = e.Code, e.Message, e.Fault, e.Status
		if explicit >= http.StatusInternalServerError {
			f.fault = FaultReceiver
		}
		for _, name := range sortedFields(e.Fields) {
			f.members = append(f.members, failureMember{name, e.Fields[name]})
		}
		switch e.generic {
		case genericValidation:
			if s.ValidationCode != "" {
				f.shape = s.ValidationCode
			}
		case genericThrottling:
			if s.ThrottlingCode != "" {
				f.shape = s.ThrottlingCode
			}
		case genericUnavailable:
			if _, ok := s.ErrorStatus["ServiceUnavailableException"]; ok {
				f.shape = "ServiceUnavailableException"
			}
		}
	case errors.As(err, &api):
		f.shape, f.message = api.ErrorCode(), api.ErrorMessage()
		if api.ErrorFault() == smithy.FaultServer {
			f.fault = FaultReceiver
		}
		f.fromSDK(api)
	default:
		internal = true
		e := InternalFailure()
		f.shape, f.message, f.fault, explicit = e.Code, e.Message, e.Fault, e.Status
	}
	f.settle(s, protocol, queryMode, explicit)
	return f, internal
}

// fromSDK takes the shape's name and the members of one of the SDK's own error types.
func (f *failure) fromSDK(err smithy.APIError) {
	v := reflect.ValueOf(err)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return
	}
	override := v.Elem().FieldByName("ErrorCodeOverride")
	if !override.IsValid() {
		return // smithy.GenericAPIError and the like: the code is all there is
	}
	if override.IsNil() {
		// What ErrorCode says is the code of awsQuery where the two differ.
		f.shape = v.Elem().Type().Name()
	}
	pl, errPlan := planFor(v.Elem().Type())
	if errPlan != nil {
		return
	}
	for i := range pl.fields {
		fd := &pl.fields[i]
		if lowerFirst(fd.name) == "message" || fd.present(v.UnsafePointer()) == nil {
			continue
		}
		f.members = append(f.members, failureMember{fd.name, reflect.NewAt(fd.plan.typ, fd.present(v.UnsafePointer())).Elem().Interface()})
	}
}

// settle finds the query code and the status.
func (f *failure) settle(s *Service, protocol Protocol, queryMode bool, explicit int) {
	common, isCommon := commonErrors[f.shape]
	query, isModelled := s.QueryErrors[f.shape]
	if !isModelled && isCommon {
		query = common
	}
	f.queryCode = query.Code
	if f.queryCode == "" {
		f.queryCode = f.shape
	}
	byFault := http.StatusBadRequest
	if f.fault == FaultReceiver {
		byFault = http.StatusInternalServerError
	}
	compatible := slices.Contains(s.Protocols, ProtocolQuery)
	switch {
	case explicit >= http.StatusInternalServerError,
		explicit == http.StatusRequestEntityTooLarge, explicit == http.StatusUnsupportedMediaType:
		// What proxies and retries go by is not the protocol's to change.
		f.status = explicit
	case protocol == ProtocolQuery || compatible && queryMode:
		f.status = firstNonZero(explicit, query.Status, s.ErrorStatus[f.shape], byFault)
	case protocol == ProtocolJSON10 || protocol == ProtocolJSON11 || protocol == ProtocolCBOR:
		f.status = byFault
		if v := s.ErrorStatus[f.shape]; v >= http.StatusInternalServerError {
			f.status = v
		}
	default:
		f.status = firstNonZero(explicit, s.ErrorStatus[f.shape], common.Status, byFault)
	}
	if f.status >= http.StatusInternalServerError {
		f.fault = FaultReceiver
	}
}

func firstNonZero(list ...int) int {
	for _, n := range list {
		if n != 0 {
			return n
		}
	}
	return 0
}

func sortedFields(m map[string]any) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// namespace is what stands before '#' in __type.
func namespace(s *Service, shape string) string {
	if shape == "UnknownOperationException" {
		return namespaceService
	}
	if ns, ok := s.ErrorNamespace[shape]; ok {
		return ns
	}
	byDefault := s.ErrorNamespace[""]
	if _, ok := commonErrors[shape]; ok && byDefault != "" {
		return namespaceService
	}
	return byDefault
}

// absoluteShape is the value of __type.
func absoluteShape(s *Service, shape string) string {
	if ns := namespace(s, shape); ns != "" {
		return ns + "#" + shape
	}
	return shape
}

// messageMember is the name of the message's member.
func messageMember(s *Service, shape string) string {
	if name, ok := s.MessageMember[shape]; ok {
		return name
	}
	if name, ok := s.MessageMember[""]; ok {
		return name
	}
	return "message"
}
