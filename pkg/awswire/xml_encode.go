// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awswire

import (
	"encoding/base64"
	"math"
	"strconv"
	"time"
	"unicode/utf8"
	"unsafe"
)

// appendXMLResponse writes the answer of awsQuery. out is nil for an operation without output.
func appendXMLResponse(dst []byte, s *Service, op string, pl *plan, out unsafe.Pointer, requestID string) ([]byte, error) {
	dst = append(dst, '<')
	dst = append(dst, op...)
	dst = append(dst, `Response xmlns="`...)
	dst = appendXMLText(dst, s.XMLNamespace)
	dst = append(dst, `">`...)
	if pl != nil {
		dst = append(dst, '<')
		dst = append(dst, op...)
		dst = append(dst, `Result>`...)
		if out != nil {
			var err error
			if dst, err = appendXML(dst, pl, out); err != nil {
				return nil, err
			}
		}
		dst = append(dst, `</`...)
		dst = append(dst, op...)
		dst = append(dst, `Result>`...)
	}
	dst = append(dst, "<ResponseMetadata><RequestId>"...)
	dst = appendXMLText(dst, requestID)
	dst = append(dst, "</RequestId></ResponseMetadata></"...)
	dst = append(dst, op...)
	return append(dst, "Response>\n"...), nil
}

func openTag(dst []byte, name string) []byte {
	dst = append(dst, '<')
	dst = append(dst, name...)
	return append(dst, '>')
}

func closeTag(dst []byte, name string) []byte {
	dst = append(dst, '<', '/')
	dst = append(dst, name...)
	return append(dst, '>')
}

// appendXMLElement writes the value at p as an element; an empty one is written <Name/>.
func appendXMLElement(dst []byte, name string, pl *plan, p unsafe.Pointer) ([]byte, error) {
	start := len(dst)
	dst = openTag(dst, name)
	inside := len(dst)
	dst, err := appendXML(dst, pl, p)
	if err != nil {
		return nil, err
	}
	if len(dst) == inside {
		dst = append(dst[:start], '<')
		dst = append(dst, name...)
		return append(dst, '/', '>'), nil
	}
	return closeTag(dst, name), nil
}

// appendXML writes what stands inside the element of the value at p.
func appendXML(dst []byte, pl *plan, p unsafe.Pointer) ([]byte, error) {
	var err error
	switch pl.kind {
	case kindString:
		return appendXMLText(dst, *(*string)(p)), nil
	case kindBool:
		return strconv.AppendBool(dst, *(*bool)(p)), nil
	case kindInt32:
		return strconv.AppendInt(dst, int64(*(*int32)(p)), 10), nil
	case kindInt64:
		return strconv.AppendInt(dst, *(*int64)(p), 10), nil
	case kindFloat32:
		return appendXMLFloat(dst, float64(*(*float32)(p)), 32), nil
	case kindFloat64:
		return appendXMLFloat(dst, *(*float64)(p), 64), nil
	case kindTime:
		return appendISO(dst, *(*time.Time)(p)), nil
	case kindBlob:
		return base64.StdEncoding.AppendEncode(dst, *(*[]byte)(p)), nil
	case kindStruct:
		for i := range pl.fields {
			f := &pl.fields[i]
			v := f.present(p)
			if v == nil {
				continue
			}
			if dst, err = appendXMLElement(dst, f.name, f.plan, v); err != nil {
				return nil, err
			}
		}
		return dst, nil
	case kindList:
		h := (*sliceHeader)(p)
		for i := range h.len {
			e := unsafe.Add(h.data, uintptr(i)*pl.elemSize)
			if pl.elemPtr {
				if e = *(*unsafe.Pointer)(e); e == nil {
					dst = append(dst, "<member/>"...)
					continue
				}
			}
			if dst, err = appendXMLElement(dst, "member", pl.elem, e); err != nil {
				return nil, err
			}
		}
		return dst, nil
	case kindMap:
		key, value := "key", "value"
		if pl.mapNames[0] != "" {
			key, value = pl.mapNames[0], pl.mapNames[1]
		}
		err := eachEntry(pl, p, func(k string, v unsafe.Pointer) (err error) {
			dst = openTag(dst, "entry")
			dst = openTag(dst, key)
			dst = appendXMLText(dst, k)
			dst = closeTag(dst, key)
			if v != nil {
				if dst, err = appendXMLElement(dst, value, pl.elem, v); err != nil {
					return err
				}
			}
			dst = closeTag(dst, "entry")
			return nil
		})
		return dst, err
	default:
		m, v, err := unionValue(pl, p)
		if err != nil {
			return nil, err
		}
		return appendXMLElement(dst, m.name, m.plan, v)
	}
}

func appendXMLFloat(dst []byte, f float64, size int) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, "NaN"...)
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...)
	}
	return appendJavaDouble(dst, f, size)
}

// appendXMLText escapes s for text and attributes. What XML 1.0 cannot hold becomes the replacement character.
func appendXMLText(dst []byte, s string) []byte {
	last := 0
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		var esc string
		switch {
		case r == '<':
			esc = "&lt;"
		case r == '>':
			esc = "&gt;"
		case r == '&':
			esc = "&amp;"
		case r == '"':
			esc = "&quot;"
		case r == '\r':
			esc = "&#xD;"
		case r == utf8.RuneError && n == 1, r < ' ' && r != '\t' && r != '\n', r == 0xFFFE, r == 0xFFFF:
			esc = "\uFFFD"
		default:
			i += n
			continue
		}
		dst = append(dst, s[last:i]...)
		dst = append(dst, esc...)
		i += n
		last = i
	}
	return append(dst, s[last:]...)
}
