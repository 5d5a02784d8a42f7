// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package sigv4 verifies AWS Signature Version 4 on the server's side, for services other than S3: in the
// Authorization header or in the query string, with long-lived or session credentials.
package sigv4

import (
	"net/http"
	"strings"
	"time"
)

// Mode says how much of a signature is checked.
type Mode int

// The modes.
const (
	// ModeOff checks nothing and accepts unsigned requests. The access key and scope are still read.
	ModeOff Mode = iota
	// ModeLenient verifies requests that are signed with a known access key and accepts all others.
	ModeLenient
	// ModeStrict accepts nothing but valid signatures of known access keys.
	ModeStrict
)

func (m Mode) String() string {
	switch m {
	case ModeOff:
		return "off"
	case ModeLenient:
		return "lenient"
	case ModeStrict:
		return "strict"
	default:
		return "unknown"
	}
}

// CredentialsProvider knows the secrets. It must be safe for concurrent use.
type CredentialsProvider interface {
	// Credentials returns what belongs to an access key. The session token is empty for long-lived credentials.
	Credentials(accessKey string) (secret, sessionToken, account string, ok bool)
}

// Settings is what a [Verifier] is made of.
type Settings struct {
	Mode Mode
	// Provider may be nil when Mode is ModeOff.
	Provider CredentialsProvider
	// Now is the clock, time.Now when nil.
	Now func() time.Time
	// MaxSkew is how far the client's clock may be off; 0 is AWS's 15 minutes.
	MaxSkew time.Duration
	// MaxKeys bounds the cache of signing keys; 0 is 1024.
	MaxKeys int
}

// Verifier verifies requests. It is safe for concurrent use.
type Verifier struct {
	mode     Mode
	provider CredentialsProvider
	now      func() time.Time
	skew     time.Duration
	keys     keyCache
}

const (
	defaultSkew = 15 * time.Minute
	defaultKeys = 1024
	maxExpires  = 7 * 24 * time.Hour
)

// NewVerifier returns a Verifier.
func NewVerifier(s Settings) *Verifier {
	v := &Verifier{mode: s.Mode, provider: s.Provider, now: s.Now, skew: s.MaxSkew}
	if v.provider == nil {
		v.provider = noCredentials{}
	}
	if v.now == nil {
		v.now = time.Now
	}
	if v.skew <= 0 {
		v.skew = defaultSkew
	}
	v.keys.limit = s.MaxKeys
	if v.keys.limit <= 0 {
		v.keys.limit = defaultKeys
	}
	return v
}

type noCredentials struct{}

func (noCredentials) Credentials(string) (secret, sessionToken, account string, ok bool) {
	return "", "", "", false
}

// Identity is who sent a request.
type Identity struct {
	AccessKey string
	// Account of the access key, as the provider knows it. In the modes that accept unknown keys, a key of twelve
	// digits is its own account.
	Account string
	Region  string
	Service string
	// Verified is true when the signature was checked.
	Verified bool
}

// CredentialScope is the content of the Credential parameter, unverified.
type CredentialScope struct {
	AccessKey, Date, Region, Service, Terminator string
}

// Scope reads the credential scope of a request without verifying anything: the rest of the signature may be missing
// or malformed. It is empty for an unsigned request.
func Scope(r *http.Request) CredentialScope {
	var a *authorization
	var credential string
	header := r.Header.Get("Authorization")
	if strings.HasPrefix(header, "AWS4-") {
		a, credential, _ = parseHeader(header)
	} else if strings.Contains(r.URL.RawQuery, "X-Amz-Credential=") {
		a = &authorization{}
		for _, p := range parseQuery(r.URL.RawQuery) {
			switch p.key {
			case "X-Amz-Credential":
				credential = p.value
			case "X-Amz-Algorithm":
				a.asymmetric = p.value == algorithmV4a
			}
		}
	}
	if a == nil || a.setCredential(credential, r.Header.Get("X-Amz-Region-Set")) != nil {
		return CredentialScope{}
	}
	return a.scope
}

// Verify checks the signature of r, whose body was body, against the service that r is for.
func (v *Verifier) Verify(r *http.Request, body []byte, service string) (Identity, error) {
	a, err := authorizationOf(r)
	if v.mode == ModeOff {
		if a == nil || err != nil {
			return Identity{}, nil
		}
		return a.unverified(), nil
	}
	switch {
	case err != nil:
		return Identity{}, err
	case a == nil && v.mode == ModeLenient:
		return Identity{}, nil
	case a == nil:
		return Identity{}, &Error{Kind: MissingAuthentication, Message: "Request is missing Authentication Token"}
	}
	secret, token, account, known := v.provider.Credentials(a.scope.AccessKey)
	if !known && v.mode == ModeLenient {
		return a.unverified(), nil
	}
	if a.asymmetric {
		return Identity{}, &Error{Kind: Unsupported, Message: "Signatures of algorithm " + algorithmV4a + " (SigV4a) are not supported."}
	}
	// The order is AWS's: form, scope, time, key, token, signature.
	if err := a.check(r); err != nil {
		return Identity{}, err
	}
	if err := a.checkScope(service); err != nil {
		return Identity{}, err
	}
	if err := a.checkTime(v.now(), v.skew); err != nil {
		return Identity{}, err
	}
	if !known || !equal(token, a.token) {
		return Identity{}, &Error{Kind: UnknownKey, Message: "The security token included in the request is invalid."}
	}
	canonical, err := a.canonicalRequest(r, body)
	if err != nil {
		return Identity{}, err
	}
	toSign := a.stringToSign(canonical)
	if !equal(sign(v.keys.key(secret, a.scope), toSign), a.signature) {
		return Identity{}, &Error{
			Kind: WrongSignature,
			Message: "The request signature we calculated does not match the signature you provided. " +
				"Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
			CanonicalRequest: canonical, StringToSign: toSign,
		}
	}
	return Identity{
		AccessKey: a.scope.AccessKey, Account: account, Region: a.scope.Region, Service: a.scope.Service, Verified: true,
	}, nil
}

// unverified is what the request says of itself.
func (a *authorization) unverified() Identity {
	id := Identity{AccessKey: a.scope.AccessKey, Region: a.scope.Region, Service: a.scope.Service}
	if isAccount(id.AccessKey) {
		id.Account = id.AccessKey
	}
	return id
}

func isAccount(s string) bool {
	if len(s) != 12 {
		return false
	}
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}
