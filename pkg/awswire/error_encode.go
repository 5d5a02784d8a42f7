// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awswire

import (
	"errors"
	"fmt"
	"reflect"
	"unsafe"
)

// failureBody is the body of an error.
func failureBody(s *Service, protocol Protocol, f *failure, requestID string) ([]byte, error) {
	switch protocol {
	case ProtocolQuery:
		return appendXMLFailure(nil, s, f, requestID)
	case ProtocolCBOR:
		return appendCBORFailure(nil, s, f)
	default:
		return appendJSONFailure(nil, s, protocol, f)
	}
}

func appendJSONFailure(dst []byte, s *Service, protocol Protocol, f *failure) ([]byte, error) {
	dst = append(dst, '{')
	comma := false
	if protocol != ProtocolRESTJSON { // where the type is in a header
		dst = append(dst, `"__type":`...)
		dst = appendJSONString(dst, absoluteShape(s, f.shape))
		comma = true
	}
	key := func(name string) {
		if comma {
			dst = append(dst, ',')
		}
		comma = true
		dst = appendJSONString(dst, name)
		dst = append(dst, ':')
	}
	if f.message != "" {
		key(messageMember(s, f.shape))
		dst = appendJSONString(dst, f.message)
	}
	for _, m := range f.members {
		key(m.name)
		var err error
		if dst, err = appendAny(dst, jsonForm, m.value, 0); err != nil {
			return nil, fmt.Errorf("%s.%s: %w", f.shape, m.name, err)
		}
	}
	return append(dst, '}'), nil
}

func appendCBORFailure(dst []byte, s *Service, f *failure) ([]byte, error) {
	dst = append(dst, cborMapOpen)
	dst = appendCBORString(dst, "__type")
	dst = appendCBORString(dst, absoluteShape(s, f.shape))
	if f.message != "" {
		dst = appendCBORString(dst, messageMember(s, f.shape))
		dst = appendCBORString(dst, f.message)
	}
	for _, m := range f.members {
		dst = appendCBORString(dst, m.name)
		var err error
		if dst, err = appendAny(dst, cborForm, m.value, 0); err != nil {
			return nil, fmt.Errorf("%s.%s: %w", f.shape, m.name, err)
		}
	}
	return append(dst, cborBreak), nil
}

func appendXMLFailure(dst []byte, s *Service, f *failure, requestID string) ([]byte, error) {
	dst = append(dst, `<ErrorResponse xmlns="`...)
	dst = appendXMLText(dst, s.XMLNamespace)
	dst = append(dst, `"><Error><Type>`...)
	if f.fault == FaultReceiver {
		dst = append(dst, "Receiver"...)
	} else {
		dst = append(dst, "Sender"...)
	}
	dst = append(dst, "</Type><Code>"...)
	dst = appendXMLText(dst, f.queryCode)
	dst = append(dst, "</Code>"...)
	if f.message != "" {
		dst = append(dst, "<Message>"...)
		dst = appendXMLText(dst, f.message)
		dst = append(dst, "</Message>"...)
	}
	for _, m := range f.members {
		dst = openTag(dst, m.name)
		var err error
		if dst, err = appendAny(dst, xmlForm, m.value, 0); err != nil {
			return nil, fmt.Errorf("%s.%s: %w", f.shape, m.name, err)
		}
		dst = closeTag(dst, m.name)
	}
	dst = append(dst, "</Error><RequestId>"...)
	dst = appendXMLText(dst, requestID)
	return append(dst, "</RequestId></ErrorResponse>\n"...), nil
}

// form is how values are written.
type form uint8

const (
	jsonForm form = iota
	cborForm
	xmlForm
)

func (f form) append(dst []byte, pl *plan, p unsafe.Pointer) ([]byte, error) {
	switch f {
	case cborForm:
		return appendCBOR(dst, pl, p)
	case xmlForm:
		return appendXML(dst, pl, p)
	default:
		return appendJSON(dst, pl, p)
	}
}

var errNoForm = errors.New("value has no form on the wire")

// appendAny writes a value of some Go type: one of the SDK's, a scalar, or maps and slices of any.
func appendAny(dst []byte, f form, v any, depth int) ([]byte, error) {
	if depth > maxDepth {
		return nil, errNoForm
	}
	switch v := v.(type) {
	case nil:
		return appendNull(dst, f), nil
	case int:
		return appendAny(dst, f, int64(v), depth)
	case []any:
		return appendAnyList(dst, f, v, depth)
	case map[string]any:
		return appendAnyMap(dst, f, v, depth)
	}
	r := reflect.ValueOf(v)
	for r.Kind() == reflect.Pointer {
		if r.IsNil() {
			return appendNull(dst, f), nil
		}
		r = r.Elem()
	}
	pl, err := planFor(r.Type())
	if err != nil {
		return nil, err
	}
	at := reflect.New(r.Type())
	at.Elem().Set(r)
	return f.append(dst, pl, at.UnsafePointer())
}

func appendNull(dst []byte, f form) []byte {
	switch f {
	case cborForm:
		return append(dst, cborNull)
	case xmlForm:
		return dst
	default:
		return append(dst, "null"...)
	}
}

func appendAnyList(dst []byte, f form, list []any, depth int) ([]byte, error) {
	switch f {
	case cborForm:
		dst = append(dst, cborListOpen)
	case jsonForm:
		dst = append(dst, '[')
	case xmlForm:
	}
	var err error
	for i, v := range list {
		switch {
		case f == jsonForm && i > 0:
			dst = append(dst, ',')
		case f == xmlForm:
			dst = openTag(dst, "member")
		}
		if dst, err = appendAny(dst, f, v, depth+1); err != nil {
			return nil, err
		}
		if f == xmlForm {
			dst = closeTag(dst, "member")
		}
	}
	switch f {
	case cborForm:
		dst = append(dst, cborBreak)
	case jsonForm:
		dst = append(dst, ']')
	case xmlForm:
	}
	return dst, nil
}

func appendAnyMap(dst []byte, f form, m map[string]any, depth int) ([]byte, error) {
	switch f {
	case cborForm:
		dst = append(dst, cborMapOpen)
	case jsonForm:
		dst = append(dst, '{')
	case xmlForm:
	}
	var err error
	for i, name := range sortedFields(m) {
		switch f {
		case cborForm:
			dst = appendCBORString(dst, name)
		case xmlForm:
			dst = openTag(dst, name)
		case jsonForm:
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendJSONString(dst, name)
			dst = append(dst, ':')
		}
		if dst, err = appendAny(dst, f, m[name], depth+1); err != nil {
			return nil, err
		}
		if f == xmlForm {
			dst = closeTag(dst, name)
		}
	}
	switch f {
	case cborForm:
		dst = append(dst, cborBreak)
	case jsonForm:
		dst = append(dst, '}')
	case xmlForm:
	}
	return dst, nil
}
