// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
)

// canonicalRequest is the form of the request that is signed.
func (a *authorization) canonicalRequest(r *http.Request, body []byte) (string, error) {
	sum := sha256.Sum256(body)
	hash := hex.EncodeToString(sum[:])
	if claimed := r.Header.Get("X-Amz-Content-Sha256"); claimed != "" && claimed != hash {
		return "", &Error{
			Kind:    WrongScope,
			Message: "The provided 'x-amz-content-sha256' header does not match what was computed.",
		}
	}
	var b strings.Builder
	b.WriteString(r.Method)
	b.WriteByte('\n')
	b.WriteString(canonicalPath(r.URL.EscapedPath()))
	b.WriteByte('\n')
	b.WriteString(canonicalQuery(r.URL.RawQuery))
	b.WriteByte('\n')
	for _, name := range a.headers {
		b.WriteString(name)
		b.WriteByte(':')
		b.WriteString(headerValue(r, name))
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
	b.WriteString(strings.Join(a.headers, ";"))
	b.WriteByte('\n')
	b.WriteString(hash)
	return b.String(), nil
}

func (a *authorization) stringToSign(canonical string) string {
	sum := sha256.Sum256([]byte(canonical))
	return algorithm + "\n" + a.date + "\n" + a.scope.Date + "/" + a.scope.Region + "/" + a.scope.Service + "/" +
		terminator + "\n" + hex.EncodeToString(sum[:])
}

// headerValue is a signed header's value: repeated ones joined by commas, spaces trimmed and collapsed. The headers
// that Go's server takes out of the map are put back.
func headerValue(r *http.Request, name string) string {
	switch name {
	case "host":
		return r.Host
	case "content-length":
		if r.ContentLength >= 0 {
			return strconv.FormatInt(r.ContentLength, 10)
		}
	case "transfer-encoding":
		return strings.Join(r.TransferEncoding, ",")
	}
	values := r.Header[textproto.CanonicalMIMEHeaderKey(name)]
	if len(values) == 1 {
		return collapse(values[0])
	}
	list := make([]string, len(values))
	for i, v := range values {
		list[i] = collapse(v)
	}
	return strings.Join(list, ",")
}

// collapse trims s and makes one space of several.
func collapse(s string) string {
	s = strings.TrimSpace(s)
	if !strings.Contains(s, "  ") {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := range len(s) {
		if s[i] == ' ' && s[i-1] == ' ' { // s does not begin with a space
			continue
		}
		out = append(out, s[i])
	}
	return string(out)
}

// canonicalPath resolves . and .. in the path as it was sent and encodes it once more.
func canonicalPath(escaped string) string {
	if escaped == "" || escaped == "/" {
		return "/"
	}
	var out []string
	parts := strings.Split(escaped, "/")
	for _, p := range parts {
		switch p {
		case "", ".":
		case "..":
			if len(out) > 0 {
				out = out[:len(out)-1]
			}
		default:
			out = append(out, encode(p))
		}
	}
	path := "/" + strings.Join(out, "/")
	if last := parts[len(parts)-1]; path != "/" && (last == "" || last == "." || last == "..") {
		path += "/"
	}
	return path
}

type pair struct{ key, value string }

// parseQuery decodes a query string. What is not valid percent-encoding is taken as it is.
func parseQuery(raw string) []pair {
	var out []pair
	for raw != "" {
		var part string
		part, raw, _ = strings.Cut(raw, "&")
		if part == "" {
			continue
		}
		k, v, _ := strings.Cut(part, "=")
		out = append(out, pair{decode(k), decode(v)})
	}
	return out
}

func canonicalQuery(raw string) string {
	if raw == "" {
		return ""
	}
	pairs := parseQuery(raw)
	kept := pairs[:0]
	for _, p := range pairs {
		if p.key == "X-Amz-Signature" {
			continue
		}
		kept = append(kept, pair{encode(p.key), encode(p.value)})
	}
	slices.SortFunc(kept, func(a, b pair) int {
		if c := strings.Compare(a.key, b.key); c != 0 {
			return c
		}
		return strings.Compare(a.value, b.value)
	})
	var b strings.Builder
	for i, p := range kept {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(p.key)
		b.WriteByte('=')
		b.WriteString(p.value)
	}
	return b.String()
}

// decode undoes percent-encoding, and + for a space.
func decode(s string) string {
	if !strings.ContainsAny(s, "%+") {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '+':
			out = append(out, ' ')
		case s[i] == '%' && i+2 < len(s) && unhex(s[i+1]) >= 0 && unhex(s[i+2]) >= 0:
			out = append(out, byte(unhex(s[i+1])<<4|unhex(s[i+2])))
			i += 2
		default:
			out = append(out, s[i])
		}
	}
	return string(out)
}

func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// encode percent-encodes everything that RFC 3986 does not call unreserved.
func encode(s string) string {
	const hexUpper = "0123456789ABCDEF"
	clean := true
	for i := range len(s) {
		if !unreserved(s[i]) {
			clean = false
			break
		}
	}
	if clean {
		return s
	}
	out := make([]byte, 0, len(s)+8)
	for i := range len(s) {
		c := s[i]
		if unreserved(c) {
			out = append(out, c)
			continue
		}
		out = append(out, '%', hexUpper[c>>4], hexUpper[c&15])
	}
	return string(out)
}

func unreserved(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.' || c == '~'
}

func mac(key []byte, data string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(data))
	return h.Sum(nil)
}

func sign(key []byte, toSign string) string {
	return hex.EncodeToString(mac(key, toSign))
}

// equal compares in constant time for strings of one length.
func equal(a, b string) bool {
	return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}
