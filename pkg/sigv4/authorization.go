// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package sigv4

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	algorithm    = "AWS4-HMAC-SHA256"
	algorithmV4a = "AWS4-ECDSA-P256-SHA256"
	terminator   = "aws4_request"
	isoBasic     = "20060102T150405Z"
)

// authorization is what a request says about its signature.
type authorization struct {
	scope     CredentialScope
	headers   []string // signed headers, as sent
	signature string
	token     string
	// date is the request's time as sent; at is the same, parsed.
	date string
	at   time.Time
	// presigned says that all of this stood in the query string; expires is for how long it is valid.
	presigned  bool
	expires    time.Duration
	asymmetric bool
	// dateHeader is the name of the header that has the date.
	dateHeader string
}

// authorizationOf reads the signature of a request; nil when it has none.
func authorizationOf(r *http.Request) (*authorization, error) {
	header := r.Header.Get("Authorization")
	signed := strings.HasPrefix(header, "AWS4-")
	presigned := strings.Contains(r.URL.RawQuery, "X-Amz-Algorithm=") || strings.Contains(r.URL.RawQuery, "X-Amz-Signature=")
	switch {
	case signed && presigned:
		return nil, incomplete("Request has a signature in both the Authorization header and the query string.")
	case signed:
		return fromHeader(r, header)
	case presigned:
		return fromQuery(r)
	default:
		return nil, nil //nolint:nilnil // an unsigned request is no error yet
	}
}

func incomplete(message string) *Error {
	return &Error{Kind: Incomplete, Message: message}
}

// maxEcho bounds how much of a header is repeated in an error.
const maxEcho = 512

func clip(s string) string {
	if len(s) > maxEcho {
		return s[:maxEcho] + "..."
	}
	return s
}

// parseHeader reads the value of an Authorization header and says what it lacks.
func parseHeader(header string) (a *authorization, credential string, missing []string) {
	a = &authorization{}
	scheme, rest, _ := strings.Cut(header, " ")
	a.asymmetric = scheme == algorithmV4a
	var hasSignature, hasHeaders, hasCredential bool
	for rest != "" {
		var part string
		part, rest, _ = strings.Cut(rest, ",")
		key, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch key {
		case "Credential":
			credential, hasCredential = value, value != ""
		case "SignedHeaders":
			a.headers, hasHeaders = strings.Split(value, ";"), value != ""
		case "Signature":
			a.signature, hasSignature = value, value != ""
		}
	}
	if !hasCredential {
		missing = append(missing, "Authorization header requires 'Credential' parameter.")
	}
	if !hasSignature {
		missing = append(missing, "Authorization header requires 'Signature' parameter.")
	}
	if !hasHeaders {
		missing = append(missing, "Authorization header requires 'SignedHeaders' parameter.")
	}
	return a, credential, missing
}

func fromHeader(r *http.Request, header string) (*authorization, error) {
	a, credential, missing := parseHeader(header)
	if scheme, _, _ := strings.Cut(header, " "); scheme != algorithm && scheme != algorithmV4a {
		return nil, incomplete("Unsupported AWS 'algorithm': '" + clip(scheme) + "'.")
	}
	a.dateHeader = "x-amz-date"
	a.date = r.Header.Get("X-Amz-Date")
	if a.date == "" {
		a.dateHeader = "date"
		a.date = r.Header.Get("Date")
	}
	if a.date == "" {
		missing = append(missing, "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
	}
	if len(missing) > 0 {
		return nil, incomplete(strings.Join(missing, " ") + " Authorization=" + clip(header))
	}
	a.token = r.Header.Get("X-Amz-Security-Token")
	if err := a.setCredential(credential, r.Header.Get("X-Amz-Region-Set")); err != nil {
		return nil, err
	}
	return a, a.parseDate()
}

func fromQuery(r *http.Request) (*authorization, error) {
	a := &authorization{presigned: true}
	var credential, regions, expires string
	for _, p := range parseQuery(r.URL.RawQuery) {
		switch p.key {
		case "X-Amz-Algorithm":
			switch p.value {
			case algorithm:
			case algorithmV4a:
				a.asymmetric = true
			default:
				return nil, incomplete("Unsupported AWS 'algorithm': '" + clip(p.value) + "'.")
			}
		case "X-Amz-Credential":
			credential = p.value
		case "X-Amz-Date":
			a.date = p.value
		case "X-Amz-Expires":
			expires = p.value
		case "X-Amz-SignedHeaders":
			a.headers = strings.Split(p.value, ";")
		case "X-Amz-Signature":
			a.signature = p.value
		case "X-Amz-Security-Token":
			a.token = p.value
		case "X-Amz-Region-Set":
			regions = p.value
		}
	}
	for _, need := range []struct {
		name string
		ok   bool
	}{
		{"X-Amz-Credential", credential != ""},
		{"X-Amz-Signature", a.signature != ""},
		{"X-Amz-SignedHeaders", len(a.headers) > 0 && a.headers[0] != ""},
		{"X-Amz-Date", a.date != ""},
	} {
		if !need.ok {
			return nil, incomplete("AWS query-string parameters must include '" + need.name + "'.")
		}
	}
	if err := a.setCredential(credential, regions); err != nil {
		return nil, err
	}
	if expires != "" {
		n, err := strconv.ParseInt(expires, 10, 32)
		if err != nil || n < 1 || time.Duration(n)*time.Second > maxExpires {
			return nil, incomplete("X-Amz-Expires must be between 1 and 604800 seconds.")
		}
		a.expires = time.Duration(n) * time.Second
	}
	return a, a.parseDate()
}

// setCredential takes AK/yyyymmdd/region/service/aws4_request apart. SigV4a has no region in its scope.
func (a *authorization) setCredential(credential, regions string) error {
	parts := strings.Split(credential, "/")
	want := 5
	if a.asymmetric {
		want = 4
	}
	// An access key may contain slashes in theory; the scope does not.
	if len(parts) < want || parts[0] == "" {
		return incomplete("Credential must have exactly 5 slash-delimited elements, e.g. " +
			"keyid/date/region/service/term, got '" + clip(credential) + "'.")
	}
	n := len(parts) - want
	a.scope.AccessKey = strings.Join(parts[:n+1], "/")
	parts = parts[n+1:]
	a.scope.Date = parts[0]
	if a.asymmetric {
		if first, _, _ := strings.Cut(regions, ","); !strings.Contains(first, "*") {
			a.scope.Region = strings.TrimSpace(first)
		}
		parts = parts[1:]
	} else {
		a.scope.Region = parts[1]
		parts = parts[2:]
	}
	a.scope.Service, a.scope.Terminator = parts[0], parts[1]
	return nil
}

func (a *authorization) parseDate() error {
	for _, layout := range []string{isoBasic, time.RFC3339, http.TimeFormat, time.RFC1123Z} {
		if layout == isoBasic && len(a.date) != len(isoBasic) {
			continue
		}
		if a.presigned && layout != isoBasic {
			continue
		}
		if t, err := time.Parse(layout, a.date); err == nil {
			a.at = t.UTC()
			if layout != isoBasic {
				a.date = a.at.Format(isoBasic)
			}
			return nil
		}
	}
	return incomplete("Date must be in ISO-8601 'basic format'. Got '" + clip(a.date) + "'. " +
		"See http://en.wikipedia.org/wiki/ISO_8601")
}

// check looks at the form of the signature and at what it must cover.
func (a *authorization) check(r *http.Request) error {
	if !slices.IsSorted(a.headers) {
		return incomplete("SignedHeaders must be sorted, got '" + clip(strings.Join(a.headers, ";")) + "'.")
	}
	for _, h := range a.headers {
		if h == "" || h != strings.ToLower(h) {
			return incomplete("SignedHeaders must be names of headers in lower case, got '" + clip(h) + "'.")
		}
	}
	must := []string{"host"}
	if !a.presigned {
		must = append(must, a.dateHeader)
	}
	for _, h := range []string{"X-Amz-Security-Token", "X-Amz-Target"} {
		if r.Header.Get(h) != "" {
			must = append(must, strings.ToLower(h))
		}
	}
	for _, h := range must {
		if !slices.Contains(a.headers, h) {
			return &Error{
				Kind:    WrongScope,
				Message: "'" + canonicalName(h) + "' must be a 'SignedHeader' in the AWS Authorization.",
			}
		}
	}
	return nil
}

func canonicalName(h string) string {
	if h == "host" {
		return "Host"
	}
	return h
}

// checkScope compares the scope with the service and the date. AWS reports everything that is wrong at once.
func (a *authorization) checkScope(service string) error {
	var text strings.Builder
	if !isRegion(a.scope.Region) {
		text.WriteString("Credential should be scoped to a valid region, not '" + clip(a.scope.Region) + "'. ")
	}
	if a.scope.Service != service {
		text.WriteString("Credential should be scoped to correct service: '" + service + "'. ")
	}
	if a.scope.Terminator != terminator {
		text.WriteString("Credential should be scoped with a valid terminator: '" + terminator + "', not '" + clip(a.scope.Terminator) + "'. ")
	}
	if day := a.date[:8]; a.scope.Date != day {
		text.WriteString("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '" +
			clip(a.scope.Date) + "' != '" + day + "', from '" + a.date + "'.")
	}
	if text.Len() == 0 {
		return nil
	}
	return &Error{Kind: WrongScope, Message: text.String()}
}

// isRegion accepts what looks like a region: a local server serves them all.
func isRegion(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

// checkTime refuses requests that are too old or from the future.
func (a *authorization) checkTime(now time.Time, skew time.Duration) error {
	now = now.UTC()
	valid := skew
	if a.presigned && a.expires > 0 {
		valid = a.expires
	}
	if a.at.Before(now.Add(-valid).Truncate(time.Second)) {
		return &Error{Kind: WrongScope, Message: "Signature expired: " + a.date + " is now earlier than " +
			now.Add(-valid).Format(isoBasic) + " (" + now.Format(isoBasic) + " - " + minutes(valid) + ")"}
	}
	if a.at.After(now.Add(skew)) {
		return &Error{Kind: WrongScope, Message: "Signature not yet current: " + a.date + " is still later than " +
			now.Add(skew).Format(isoBasic) + " (" + now.Format(isoBasic) + " + " + minutes(skew) + ")"}
	}
	return nil
}

func minutes(d time.Duration) string {
	if d%time.Minute == 0 {
		return strconv.Itoa(int(d/time.Minute)) + " min."
	}
	return strconv.Itoa(int(d/time.Second)) + " sec."
}
