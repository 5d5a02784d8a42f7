// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awswire

import (
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/nephoscope/nephoscope/pkg/sigv4"
)

// route is what a request asks for.
type route struct {
	service   *Service
	protocol  Protocol
	operation string
	// json is the content type of an awsJson answer, which follows the request's.
	json string
	// needForm says that the operation, and maybe the service, stands in the body.
	needForm bool
	params   []param
	// err is why the request cannot be served, in the shape of service and protocol.
	err error
}

// nativePaths are paths of endpoints that AWS serves beside its APIs, on the same hosts: OTLP and the other ingest
// formats, and PromQL. They are left to the fallback.
var nativePaths = []string{
	"/v1/metrics", "/v1/logs", "/v1/traces", "/services/collector/event", "/ingest/bulk", "/ingest/json", "/api/v1/",
}

func isNativePath(path string) bool {
	for _, p := range nativePaths {
		if path == p || strings.HasSuffix(p, "/") && strings.HasPrefix(path, p) {
			return true
		}
	}
	return false
}

// detect finds the service and protocol from everything but the body. ok is false for a request that is not AWS's.
func (m *Mux) detect(r *http.Request) (rt route, ok bool) {
	if isNativePath(r.URL.Path) {
		return route{}, false
	}
	scoped := sigv4.Scope(r).Service
	target := r.Header.Get("X-Amz-Target")
	contentType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	smithy := r.Header.Get("Smithy-Protocol")
	switch {
	case smithy != "" || isRPCPath(r.URL.Path):
		rt, ok = m.detectCBOR(r, smithy, target), true
	case target != "":
		rt, ok = m.detectJSON(r.Method, target, contentType), true
	default:
		rt, ok = m.detectREST(r, scoped)
		if !ok {
			rt, ok = m.detectQuery(r, scoped, contentType)
		}
	}
	if !ok && scoped != "" {
		return m.notServed(r, scoped, contentType), true
	}
	if !ok {
		return rt, false
	}
	if scoped != "" && rt.service != nil && rt.service.SigningName != scoped && rt.service.SigningName != "" {
		rt.err = &Error{
			Code:    "InvalidSignatureException",
			Message: "Credential should be scoped to correct service: '" + rt.service.SigningName + "'. ",
		}
	}
	return rt, true
}

// isRPCPath recognises …/service/Name/operation/Op.
func isRPCPath(path string) bool {
	_, _, ok := splitRPCPath(path)
	return ok
}

func splitRPCPath(path string) (service, operation string, ok bool) {
	rest, operation, ok := cutLast(path, "/operation/")
	if !ok {
		return "", "", false
	}
	_, service, ok = cutLast(rest, "/service/")
	if !ok || service == "" || operation == "" || strings.Contains(service, "/") || strings.Contains(operation, "/") {
		return "", "", false
	}
	return service, operation, true
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

func (m *Mux) detectCBOR(r *http.Request, smithy, target string) route {
	name, operation, ok := splitRPCPath(r.URL.Path)
	if !ok {
		return route{
			service: m.unknown, protocol: ProtocolJSON10,
			err: &Error{Code: "UnknownOperationException", Message: "The path names no operation: " + clip([]byte(r.URL.Path))},
		}
	}
	if _, bare, ok := cutLast(name, "."); ok {
		name = bare // namespace.Name
	}
	i := slices.IndexFunc(m.services, func(s *Service) bool { return s.TargetPrefix == name })
	if i < 0 || !slices.Contains(m.services[i].Protocols, ProtocolCBOR) {
		return route{
			service: m.unknown, protocol: ProtocolCBOR, operation: operation,
			err: &Error{Code: "UnknownOperationException", Message: "No service " + clip([]byte(name)) + " speaks this protocol here."},
		}
	}
	rt := route{service: m.services[i], protocol: ProtocolCBOR, operation: operation}
	switch {
	case smithy != "rpc-v2-cbor":
		rt.err = &Error{Code: "SerializationException", Message: "Header Smithy-Protocol must be rpc-v2-cbor"}
	case target != "" || r.Header.Get("X-Amzn-Target") != "":
		rt.err = &Error{Code: "SerializationException", Message: "Header X-Amz-Target must not be sent with rpc-v2-cbor"}
	case r.Method != http.MethodPost:
		rt.err = methodNotAllowed(r.Method)
	}
	return rt
}

func methodNotAllowed(method string) error {
	return &Error{Code: "UnknownOperationException", Message: "Method " + clip([]byte(method)) + " is not allowed."}
}

func (m *Mux) detectJSON(method, target, contentType string) route {
	prefix, operation, ok := cutLast(target, ".")
	if !ok {
		operation = target
	}
	rt := route{protocol: ProtocolJSON11, operation: operation, json: "application/x-amz-json-1.1"}
	i := slices.IndexFunc(m.services, func(s *Service) bool {
		if s.TargetPrefix == "" {
			return false
		}
		// CloudTrail's prefix has dots; AWS knows it without its namespace, too.
		_, short, _ := cutLast(s.TargetPrefix, ".")
		return s.TargetPrefix == prefix || short != "" && short == prefix
	})
	if i >= 0 {
		rt.service = m.services[i]
	}
	if contentType == "application/x-amz-json-1.0" ||
		contentType != rt.json && rt.service != nil && slices.Contains(rt.service.Protocols, ProtocolJSON10) {
		rt.protocol, rt.json = ProtocolJSON10, "application/x-amz-json-1.0"
	}
	switch {
	case rt.service == nil:
		rt.service = m.unknown
		rt.err = &Error{Code: "UnknownOperationException", Message: "No service has the operation " + clip([]byte(target)) + "."}
	case method != http.MethodPost:
		rt.err = methodNotAllowed(method)
	}
	return rt
}

func (m *Mux) detectREST(r *http.Request, scoped string) (route, bool) {
	path := r.URL.Path
	if len(path) > 1 {
		path = strings.TrimSuffix(path, "/")
	}
	for _, s := range m.services {
		if !slices.Contains(s.Protocols, ProtocolRESTJSON) || scoped != "" && scoped != s.SigningName {
			continue
		}
		op, known := s.Paths[path]
		switch {
		case known && r.Method == http.MethodPost:
			return route{service: s, protocol: ProtocolRESTJSON, operation: op}, true
		case known && scoped == s.SigningName:
			return route{service: s, protocol: ProtocolRESTJSON, operation: op, err: methodNotAllowed(r.Method)}, true
		case scoped == s.SigningName:
			return route{service: s, protocol: ProtocolRESTJSON, err: &Error{
				Code: "UnknownOperationException", Status: http.StatusNotFound,
				Message: "No operation has the path " + clip([]byte(r.URL.Path)) + ".",
			}}, true
		}
	}
	return route{}, false
}

// detectQuery takes what may be awsQuery: a form posted to the root, or Action in the query string.
func (m *Mux) detectQuery(r *http.Request, scoped, contentType string) (route, bool) {
	if r.URL.Path != "/" && r.URL.Path != "" {
		return route{}, false
	}
	var rt route
	switch {
	case r.Method == http.MethodPost && (contentType == "application/x-www-form-urlencoded" || contentType == ""):
		rt.needForm = true
	case r.Method == http.MethodPost && scoped == "":
		return route{}, false
	case hasAction(r.URL.RawQuery):
	case scoped == "":
		return route{}, false
	}
	rt.protocol = ProtocolQuery
	if scoped == "" {
		return rt, true
	}
	i := slices.IndexFunc(m.services, func(s *Service) bool { return s.SigningName == scoped })
	if i < 0 {
		return route{}, false
	}
	rt.service = m.services[i]
	if !slices.Contains(rt.service.Protocols, ProtocolQuery) {
		rt.protocol, rt.needForm = rt.service.Protocols[0], false
		rt.err = &Error{Code: "UnknownOperationException", Message: "The request names no operation."}
	}
	return rt, true
}

// notServed is the route of a request that is signed for a service that is not here.
func (m *Mux) notServed(r *http.Request, scoped, contentType string) route {
	rt := route{service: m.unknown, protocol: ProtocolRESTJSON, err: &Error{
		Code: "UnknownOperationException", Message: "Service " + clip([]byte(scoped)) + " is not served here.",
		Status: http.StatusNotFound,
	}}
	if contentType == "application/x-www-form-urlencoded" || hasAction(r.URL.RawQuery) {
		rt.protocol = ProtocolQuery
	}
	return rt
}

func hasAction(rawQuery string) bool {
	return strings.HasPrefix(rawQuery, "Action=") || strings.Contains(rawQuery, "&Action=")
}

// readForm completes a route of awsQuery from the query string and the body.
func (m *Mux) readForm(r *http.Request, rt *route, body []byte) error {
	params, err := parseForm(nil, r.URL.RawQuery)
	if err == nil && rt.needForm {
		params, err = parseForm(params, string(body))
	}
	if err != nil {
		if rt.service == nil {
			rt.service = m.queryServiceOfHost(r)
		}
		return serializationError(err)
	}
	rt.params = params
	action := paramValue(params, "Action")
	version := paramValue(params, "Version")
	rt.operation = action
	if rt.service == nil {
		rt.service = m.queryService(r, action, version)
	}
	switch {
	case action == "":
		return &Error{Code: "MissingAction", Message: "The request must contain the parameter Action.", Status: http.StatusBadRequest}
	case rt.service == m.unknown:
		return invalidAction(action, version)
	case version != rt.service.Version && version != "":
		return invalidAction(action, version)
	}
	return nil
}

func invalidAction(action, version string) error {
	return &Error{
		Code:    "UnknownOperationException",
		Message: "Could not find operation " + clip([]byte(action)) + " for version " + clip([]byte(version)),
	}
}

// queryService finds the service of an unsigned awsQuery request.
func (m *Mux) queryService(r *http.Request, action, version string) *Service {
	for _, s := range m.services {
		if slices.Contains(s.Protocols, ProtocolQuery) && version != "" && s.Version == version {
			return s
		}
	}
	if version == "" {
		for _, s := range m.services {
			if slices.Contains(s.Protocols, ProtocolQuery) && (slices.Contains(s.Known, action) || s.operations[action] != nil) {
				return s
			}
		}
	}
	return m.queryServiceOfHost(r)
}

// queryServiceOfHost goes by the host's first label, monitoring.eu-west-1.amazonaws.com.
func (m *Mux) queryServiceOfHost(r *http.Request) *Service {
	label, _, _ := strings.Cut(r.Host, ".")
	label = strings.TrimSuffix(label, "-fips")
	for _, s := range m.services {
		if s.SigningName == label && slices.Contains(s.Protocols, ProtocolQuery) {
			return s
		}
	}
	return m.unknown
}
