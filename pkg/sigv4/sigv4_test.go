// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package sigv4

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// AWS's documented example credentials.
const (
	exampleKey    = "AKIDEXAMPLE"
	exampleSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
	sessionKey    = "ASIDEXAMPLE"
	sessionToken  = "a/session+token=="
)

type examples struct{}

func (examples) Credentials(accessKey string) (secret, token, account string, ok bool) {
	switch accessKey {
	case exampleKey:
		return exampleSecret, "", "123456789012", true
	case sessionKey:
		return exampleSecret, sessionToken, "210987654321", true
	default:
		return "", "", "", false
	}
}

var newYear = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)

func strict(now time.Time) *Verifier {
	return NewVerifier(Settings{Mode: ModeStrict, Provider: examples{}, Now: func() time.Time { return now }})
}

// request is a request as a server sees it.
func request(t *testing.T, method, target, body string, headers ...string) *http.Request {
	t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

const authorizationPrefix = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20250101/us-east-1/monitoring/aws4_request, "

func TestVectors(t *testing.T) {
	query := "Action=ListMetrics&Version=2010-08-01"
	r := request(t, http.MethodPost, "http://127.0.0.1:8080/", query,
		"Content-Type", "application/x-www-form-urlencoded; charset=utf-8", "X-Amz-Date", "20250101T000000Z",
		"Authorization", authorizationPrefix+"SignedHeaders=content-type;host;x-amz-date, "+
			"Signature=5082e39df4722e36feb1a4a363d51e32f694f2182ce55cd876458ae318b0b465")
	a, err := authorizationOf(r)
	require.NoError(t, err)
	canonical, err := a.canonicalRequest(r, []byte(query))
	require.NoError(t, err)
	assert.True(t, strings.HasSuffix(canonical, "\n0c6492abfd70905eb01a21a6f2a617a5ab2cd178555c3f1aee1f09fe76c54e38"))
	sum := sha256.Sum256([]byte(canonical))
	assert.Equal(t, "d39c65ed8acbecaa4ba96e42164aeab699d48e90ea26079e55a9411adae37bc1", hex.EncodeToString(sum[:]))
	id, err := strict(newYear).Verify(r, []byte(query), "monitoring")
	require.NoError(t, err)
	assert.Equal(t, Identity{
		AccessKey: exampleKey, Account: "123456789012", Region: "us-east-1", Service: "monitoring", Verified: true,
	}, id)

	cbor, err := hex.DecodeString("bf694e616d65737061636563666f6fff")
	require.NoError(t, err)
	r = request(t, http.MethodPost, "http://127.0.0.1:8080/service/GraniteServiceVersion20100801/operation/ListMetrics", string(cbor),
		"Content-Type", "application/cbor", "Smithy-Protocol", "rpc-v2-cbor", "X-Amzn-Query-Mode", "true", "X-Amz-Date", "20250101T000000Z",
		"Authorization", authorizationPrefix+"SignedHeaders=content-type;host;smithy-protocol;x-amz-date;x-amzn-query-mode, "+
			"Signature=4900baab8530798d35c1340503f834789cbaefd95e3eefeb6ee825aafc682743")
	_, err = strict(newYear).Verify(r, cbor, "monitoring")
	require.NoError(t, err)

	r = request(t, http.MethodGet, "https://sts.us-east-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15&"+
		"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20250101%2Fus-east-1%2Fsts%2Faws4_request&"+
		"X-Amz-Date=20250101T000000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&"+
		"X-Amz-Signature=b2a182ea978f5ef7d2e040ce320efc1f0b89617cbc3749ba03b56ddc34423029", "")
	_, err = strict(newYear.Add(59*time.Second)).Verify(r, nil, "sts")
	require.NoError(t, err)
	_, err = strict(newYear.Add(62*time.Second)).Verify(r, nil, "sts")
	require.EqualError(t, err, "Signature expired: 20250101T000000Z is now earlier than 20250101T000002Z (20250101T000102Z - 1 min.)")
}

// signed signs a request with the SDK's signer and passes it through Go's client and server.
func signed(t *testing.T, verify func(r *http.Request, body []byte), creds aws.Credentials, service string, r *http.Request, body []byte) {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var body bytes.Buffer
		_, err := io.Copy(&body, r.Body)
		if assert.NoError(t, err) {
			verify(r, body.Bytes())
		}
	}))
	defer srv.Close()
	u, err := url.Parse(srv.URL)
	require.NoError(t, err)
	r.URL.Host, r.URL.Scheme, r.Host = u.Host, u.Scheme, ""
	sum := sha256.Sum256(body)
	require.NoError(t, v4.NewSigner().SignHTTP(t.Context(), creds, r, hex.EncodeToString(sum[:]), service, "eu-west-1", newYear))
	res, err := srv.Client().Do(r)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
}

func TestSDKSigner(t *testing.T) {
	long := aws.Credentials{AccessKeyID: exampleKey, SecretAccessKey: exampleSecret}
	session := aws.Credentials{AccessKeyID: sessionKey, SecretAccessKey: exampleSecret, SessionToken: sessionToken}
	for _, tc := range []struct {
		name, method, path, body string
		creds                    aws.Credentials
		header                   http.Header
		account                  string
	}{
		{name: "plain", method: "POST", path: "/", body: "{}", creds: long, account: "123456789012"},
		{name: "session", method: "POST", path: "/", body: "{}", creds: session, account: "210987654321"},
		{name: "empty body", method: "POST", path: "/", creds: long, account: "123456789012"},
		{name: "query", method: "GET", path: "/?b=2&a=%20x%2By~*&a=&c", creds: long, account: "123456789012"},
		{name: "path", method: "POST", path: "/a%20b/%E2%82%AC/c+d", body: "x", creds: long, account: "123456789012"},
		{
			name: "headers", method: "POST", path: "/", body: "{}", creds: long, account: "123456789012",
			header: http.Header{
				"X-Amz-Target": {"Logs_20140328.PutLogEvents"}, "X-Spaces": {"  many   inner    spaces  "},
				"X-Many": {"one", " two ", "three   3"}, "Content-Type": {"application/x-amz-json-1.1"},
			},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r, errNew := http.NewRequestWithContext(t.Context(), tc.method, "http://example.org"+tc.path, strings.NewReader(tc.body))
			require.NoError(t, errNew)
			maps.Copy(r.Header, tc.header)
			var id Identity
			var err, errOther error
			signed(t, func(r *http.Request, body []byte) {
				id, err = strict(newYear).Verify(r, body, "logs")
				_, errOther = strict(newYear).Verify(r, append(bytes.Clone(body), ' '), "logs")
			}, tc.creds, "logs", r, []byte(tc.body))
			require.NoError(t, err)
			assert.Equal(t, tc.account, id.Account)
			assert.Equal(t, "eu-west-1", id.Region)
			require.ErrorContains(t, errOther, "The request signature we calculated does not match", "another body is another request")
		})
	}
}

func TestSDKPresigned(t *testing.T) {
	for name, creds := range map[string]aws.Credentials{
		"long":    {AccessKeyID: exampleKey, SecretAccessKey: exampleSecret},
		"session": {AccessKeyID: sessionKey, SecretAccessKey: exampleSecret, SessionToken: sessionToken},
	} {
		t.Run(name, func(t *testing.T) {
			r := request(t, http.MethodGet, "http://sts.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Expires=900", "")
			empty := sha256.Sum256(nil)
			uri, _, err := v4.NewSigner().PresignHTTP(t.Context(), creds, r, hex.EncodeToString(empty[:]), "sts", "us-east-1", newYear)
			require.NoError(t, err)
			got := request(t, http.MethodGet, uri, "")
			id, err := strict(newYear.Add(14*time.Minute)).Verify(got, nil, "sts")
			require.NoError(t, err)
			assert.Equal(t, creds.AccessKeyID, id.AccessKey)
			assert.Equal(t, "sts", Scope(got).Service)

			got = request(t, http.MethodGet, strings.Replace(uri, "GetCallerIdentity", "GetSessionToken", 1), "")
			_, err = strict(newYear).Verify(got, nil, "sts")
			require.Error(t, err)
		})
	}
}

// sign signs r as a client would that signs exactly these headers.
func signRequest(t *testing.T, r *http.Request, body, key, headers string) {
	t.Helper()
	a := &authorization{
		scope:   CredentialScope{AccessKey: key, Date: "20250101", Region: "us-east-1", Service: "logs", Terminator: terminator},
		headers: strings.Split(headers, ";"), date: "20250101T000000Z",
	}
	canonical, err := a.canonicalRequest(r, []byte(body))
	require.NoError(t, err)
	sig := sign(deriveKey(keyID{exampleSecret, "20250101", "us-east-1", "logs"}), a.stringToSign(canonical))
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+key+"/20250101/us-east-1/logs/aws4_request,SignedHeaders="+headers+",Signature="+sig)
}

func TestRefusals(t *testing.T) {
	const date = "20250101T000000Z"
	for _, tc := range []struct {
		name    string
		make    func(t *testing.T) *http.Request
		now     time.Time
		kind    ErrorKind
		message string
	}{
		{
			name: "unsigned",
			make: func(t *testing.T) *http.Request { t.Helper(); return request(t, "POST", "/", "") },
			kind: MissingAuthentication, message: "Request is missing Authentication Token",
		},
		{
			name: "not ours",
			make: func(t *testing.T) *http.Request {
				t.Helper()
				return request(t, "POST", "/", "", "Authorization", "Basic dXNlcjpwdw==")
			},
			kind: MissingAuthentication, message: "Request is missing Authentication Token",
		},
		{
			name: "nothing but the algorithm",
			make: func(t *testing.T) *http.Request {
				t.Helper()
				return request(t, "POST", "/", "", "Authorization", "AWS4-HMAC-SHA256")
			},
			kind: Incomplete,
			message: "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. " +
				"Authorization header requires 'SignedHeaders' parameter. Authorization header requires existence of either a " +
				"'X-Amz-Date' or a 'Date' header. Authorization=AWS4-HMAC-SHA256",
		},
		{
			name: "no signature",
			make: func(t *testing.T) *http.Request {
				t.Helper()
				return request(t, "POST", "/", "", "X-Amz-Date", date,
					"Authorization", "AWS4-HMAC-SHA256 Credential=A/20250101/r/logs/aws4_request, SignedHeaders=host")
			},
			kind: Incomplete,
			message: "Authorization header requires 'Signature' parameter. Authorization=AWS4-HMAC-SHA256 " +
				"Credential=A/20250101/r/logs/aws4_request, SignedHeaders=host",
		},
		{
			name: "short credential",
			make: func(t *testing.T) *http.Request {
				t.Helper()
				return request(t, "POST", "/", "", "X-Amz-Date", date,
					"Authorization", "AWS4-HMAC-SHA256 Credential=A/logs, SignedHeaders=host;x-amz-date, Signature=aa")
			},
			kind: Incomplete,
			message: "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, " +
				"got 'A/logs'.",
		},
		{
			name: "bad date",
			make: func(t *testing.T) *http.Request {
				t.Helper()
				return request(t, "POST", "/", "", "X-Amz-Date", "yesterday",
					"Authorization", "AWS4-HMAC-SHA256 Credential=A/20250101/r/logs/aws4_request, SignedHeaders=host;x-amz-date, Signature=aa")
			},
			kind: Incomplete, message: "Date must be in ISO-8601 'basic format'. Got 'yesterday'. See http://en.wikipedia.org/wiki/ISO_8601",
		},
		{
			name: "sigv4a",
			make: func(t *testing.T) *http.Request {
				t.Helper()
				return request(t, "POST", "/", "", "X-Amz-Date", date, "X-Amz-Region-Set", "*",
					"Authorization", "AWS4-ECDSA-P256-SHA256 Credential=AKIDEXAMPLE/20250101/logs/aws4_request, SignedHeaders=host;x-amz-date, Signature=aa")
			},
			kind: Unsupported, message: "Signatures of algorithm AWS4-ECDSA-P256-SHA256 (SigV4a) are not supported.",
		},
		{
			name: "both",
			make: func(t *testing.T) *http.Request {
				t.Helper()
				return request(t, "GET", "/?X-Amz-Algorithm=AWS4-HMAC-SHA256", "", "Authorization", "AWS4-HMAC-SHA256 Credential=A/b")
			},
			kind: Incomplete, message: "Request has a signature in both the Authorization header and the query string.",
		},
		{
			name: "host not signed",
			make: func(t *testing.T) *http.Request {
				t.Helper()
				r := request(t, "POST", "/", "", "X-Amz-Date", date)
				signRequest(t, r, "", exampleKey, "x-amz-date")
				return r
			},
			kind: WrongScope, message: "'Host' must be a 'SignedHeader' in the AWS Authorization.",
		},
		{
			name: "token not signed",
			make: func(t *testing.T) *http.Request {
				t.Helper()
				r := request(t, "POST", "/", "", "X-Amz-Date", date, "X-Amz-Security-Token", sessionToken)
				signRequest(t, r, "", sessionKey, "host;x-amz-date")
				return r
			},
			kind: WrongScope, message: "'x-amz-security-token' must be a 'SignedHeader' in the AWS Authorization.",
		},
		{
			name: "target not signed",
			make: func(t *testing.T) *http.Request {
				t.Helper()
				r := request(t, "POST", "/", "", "X-Amz-Date", date, "X-Amz-Target", "Logs_20140328.DeleteLogGroup")
				signRequest(t, r, "", exampleKey, "host;x-amz-date")
				return r
			},
			kind: WrongScope, message: "'x-amz-target' must be a 'SignedHeader' in the AWS Authorization.",
		},
		{
			name: "headers not sorted",
			make: func(t *testing.T) *http.Request {
				t.Helper()
				r := request(t, "POST", "/", "", "X-Amz-Date", date)
				signRequest(t, r, "", exampleKey, "x-amz-date;host")
				return r
			},
			kind: Incomplete, message: "SignedHeaders must be sorted, got 'x-amz-date;host'.",
		},
		{
			name: "unknown key",
			make: func(t *testing.T) *http.Request {
				t.Helper()
				r := request(t, "POST", "/", "", "X-Amz-Date", date)
				signRequest(t, r, "", "AKIDOTHER", "host;x-amz-date")
				return r
			},
			kind: UnknownKey, message: "The security token included in the request is invalid.",
		},
		{
			name: "token missing",
			make: func(t *testing.T) *http.Request {
				t.Helper()
				r := request(t, "POST", "/", "", "X-Amz-Date", date)
				signRequest(t, r, "", sessionKey, "host;x-amz-date")
				return r
			},
			kind: UnknownKey, message: "The security token included in the request is invalid.",
		},
		{
			name: "wrong token",
			make: func(t *testing.T) *http.Request {
				t.Helper()
				r := request(t, "POST", "/", "", "X-Amz-Date", date, "X-Amz-Security-Token", "other")
				signRequest(t, r, "", sessionKey, "host;x-amz-date;x-amz-security-token")
				return r
			},
			kind: UnknownKey, message: "The security token included in the request is invalid.",
		},
		{
			name: "content hash",
			make: func(t *testing.T) *http.Request {
				t.Helper()
				r := request(t, "POST", "/", "", "X-Amz-Date", date)
				signRequest(t, r, "", exampleKey, "host;x-amz-date")
				r.Header.Set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")
				return r
			},
			kind: WrongScope, message: "The provided 'x-amz-content-sha256' header does not match what was computed.",
		},
		{
			name: "past", now: newYear.Add(20 * time.Minute),
			make: func(t *testing.T) *http.Request {
				t.Helper()
				r := request(t, "POST", "/", "", "X-Amz-Date", date)
				signRequest(t, r, "", exampleKey, "host;x-amz-date")
				return r
			},
			kind:    WrongScope,
			message: "Signature expired: 20250101T000000Z is now earlier than 20250101T000500Z (20250101T002000Z - 15 min.)",
		},
		{
			name: "future", now: newYear.Add(-20 * time.Minute),
			make: func(t *testing.T) *http.Request {
				t.Helper()
				r := request(t, "POST", "/", "", "X-Amz-Date", date)
				signRequest(t, r, "", exampleKey, "host;x-amz-date")
				return r
			},
			kind:    WrongScope,
			message: "Signature not yet current: 20250101T000000Z is still later than 20241231T235500Z (20241231T234000Z + 15 min.)",
		},
		{
			name: "scope",
			make: func(t *testing.T) *http.Request {
				t.Helper()
				return request(t, "POST", "/", "", "X-Amz-Date", date,
					"Authorization", "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20250102/X/s3/e, SignedHeaders=host;x-amz-date, Signature=aa")
			},
			kind: WrongScope,
			message: "Credential should be scoped to a valid region, not 'X'. Credential should be scoped to correct service: 'logs'. " +
				"Credential should be scoped with a valid terminator: 'aws4_request', not 'e'. Date in Credential scope does not match " +
				"YYYYMMDD from ISO-8601 version of date from HTTP: '20250102' != '20250101', from '20250101T000000Z'.",
		},
		{
			name: "expires",
			make: func(t *testing.T) *http.Request {
				t.Helper()
				return request(t, "GET", "/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=A%2F20250101%2Fr%2Flogs%2Faws4_request&"+
					"X-Amz-Date=20250101T000000Z&X-Amz-Expires=604801&X-Amz-SignedHeaders=host&X-Amz-Signature=aa", "")
			},
			kind: Incomplete, message: "X-Amz-Expires must be between 1 and 604800 seconds.",
		},
		{
			name: "query without credential",
			make: func(t *testing.T) *http.Request {
				t.Helper()
				return request(t, "GET", "/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=aa", "")
			},
			kind: Incomplete, message: "AWS query-string parameters must include 'X-Amz-Credential'.",
		},
		{
			name: "query algorithm",
			make: func(t *testing.T) *http.Request {
				t.Helper()
				return request(t, "GET", "/?X-Amz-Algorithm=AWS2", "")
			},
			kind: Incomplete, message: "Unsupported AWS 'algorithm': 'AWS2'.",
		},
		{
			name: "header algorithm",
			make: func(t *testing.T) *http.Request {
				t.Helper()
				return request(t, "GET", "/", "", "Authorization", "AWS4-HMAC-SHA512 Credential=a")
			},
			kind: Incomplete, message: "Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA512'.",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			now := tc.now
			if now.IsZero() {
				now = newYear
			}
			_, err := strict(now).Verify(tc.make(t), nil, "logs")
			var e *Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, tc.message, e.Message)
			assert.Equal(t, tc.kind, e.Kind)
			assert.Empty(t, e.Detail())
		})
	}
}

func TestWrongSignatureDetail(t *testing.T) {
	r := request(t, "POST", "http://localhost:4566/", "{}", "X-Amz-Date", "20250101T000000Z")
	signRequest(t, r, "[]", exampleKey, "host;x-amz-date")
	_, err := strict(newYear).Verify(r, []byte("{}"), "logs")
	var e *Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, WrongSignature, e.Kind)
	assert.Equal(t, "\n\nThe Canonical String for this request should have been\n'POST\n/\n\nhost:localhost:4566\n"+
		"x-amz-date:20250101T000000Z\n\nhost;x-amz-date\n44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a'\n\n"+
		"The String-to-Sign should have been\n'AWS4-HMAC-SHA256\n20250101T000000Z\n20250101/us-east-1/logs/aws4_request\n"+
		"d3d1aa6a1ba6e7cbf3ff2bf5d7d5b6d6'\n", replaceHash(e.Detail()))
}

// replaceHash puts a fixed text for the last hash, which the other parts imply.
func replaceHash(s string) string {
	i := strings.LastIndex(s, "'\n")
	return s[:i-64] + "d3d1aa6a1ba6e7cbf3ff2bf5d7d5b6d6" + s[i:]
}

func TestModes(t *testing.T) {
	bad := func(key string) *http.Request {
		r := request(t, "POST", "/", "", "X-Amz-Date", "20250101T000000Z")
		signRequest(t, r, "another body", key, "host;x-amz-date")
		return r
	}
	verify := func(m Mode, r *http.Request) (Identity, error) {
		v := NewVerifier(Settings{Mode: m, Provider: examples{}, Now: func() time.Time { return newYear }})
		return v.Verify(r, nil, "logs")
	}
	id, err := verify(ModeOff, bad("111122223333"))
	require.NoError(t, err)
	assert.Equal(t, Identity{AccessKey: "111122223333", Account: "111122223333", Region: "us-east-1", Service: "logs"}, id)
	id, err = verify(ModeOff, request(t, "POST", "/", "", "Authorization", "AWS4-HMAC-SHA256 nonsense"))
	require.NoError(t, err)
	assert.Zero(t, id)

	_, err = verify(ModeLenient, bad(exampleKey))
	require.Error(t, err)
	id, err = verify(ModeLenient, bad("AKIDOTHER"))
	require.NoError(t, err)
	assert.Equal(t, "AKIDOTHER", id.AccessKey)
	_, err = verify(ModeLenient, request(t, "POST", "/", ""))
	require.NoError(t, err)

	_, err = verify(ModeStrict, bad("AKIDOTHER"))
	require.Error(t, err)
}

func TestScope(t *testing.T) {
	assert.Equal(t, CredentialScope{}, Scope(request(t, "GET", "/", "")))
	r := request(t, "GET", "/", "", "X-Amz-Date", "20250101T000000Z", "Authorization",
		"AWS4-HMAC-SHA256 Signature=aa,Credential=a/b/20250101/eu-west-1/xray/aws4_request,SignedHeaders=host")
	assert.Equal(t, CredentialScope{"a/b", "20250101", "eu-west-1", "xray", "aws4_request"}, Scope(r))
	r = request(t, "GET", "/", "", "X-Amz-Date", "20250101T000000Z", "X-Amz-Region-Set", "us-west-2,us-east-1", "Authorization",
		"AWS4-ECDSA-P256-SHA256 Signature=aa,Credential=a/20250101/events/aws4_request,SignedHeaders=host")
	assert.Equal(t, CredentialScope{"a", "20250101", "us-west-2", "events", "aws4_request"}, Scope(r))
}

func TestDateHeader(t *testing.T) {
	r := request(t, "POST", "/", "", "Date", "Wed, 01 Jan 2025 00:00:00 GMT")
	signRequest(t, r, "", exampleKey, "date;host")
	_, err := strict(newYear).Verify(r, nil, "logs")
	require.NoError(t, err)
}

func TestCanonicalHeaders(t *testing.T) {
	r := request(t, "POST", "/", "", "X-A", " a  b   c ", "X-B", "1", "X-B", "  2  2")
	r.ContentLength = 7
	r.TransferEncoding = []string{"chunked"}
	for name, want := range map[string]string{
		"x-a": "a b c", "x-b": "1,2 2", "x-none": "", "content-length": "7", "transfer-encoding": "chunked", "host": "example.com",
	} {
		assert.Equal(t, want, headerValue(r, name), name)
	}
}

func TestCanonicalPathAndQuery(t *testing.T) {
	for in, want := range map[string]string{
		"": "/", "/": "/", "/a/../b": "/b", "/a/./b/": "/a/b/", "//a": "/a", "/..": "/", "/a%20b": "/a%2520b", "/a/..": "/", "/x~y": "/x~y",
	} {
		assert.Equal(t, want, canonicalPath(in), in)
	}
	for in, want := range map[string]string{
		"": "", "b=2&a=1": "a=1&b=2", "a=2&a=1": "a=1&a=2", "a": "a=", "a=x+y": "a=x%20y", "a=%7e": "a=~", "a=%zz": "a=%25zz",
		"a=b=c": "a=b%3Dc", "&&a=1": "a=1", "X-Amz-Signature=1&a=1": "a=1",
	} {
		assert.Equal(t, want, canonicalQuery(in), in)
	}
}

func TestKeyCacheIsBounded(t *testing.T) {
	c := keyCache{limit: 8}
	first := c.key("s", CredentialScope{Date: "20250101", Region: "r", Service: "logs"})
	for i := range 100 {
		c.key(strings.Repeat("x", i), CredentialScope{Date: "20250101", Region: "r", Service: "logs"})
		assert.LessOrEqual(t, len(c.new)+len(c.old), 8)
		assert.Equal(t, first, c.key("s", CredentialScope{Date: "20250101", Region: "r", Service: "logs"}))
	}
	long := strings.Repeat("y", 1000)
	c.key("s", CredentialScope{Region: long})
	assert.NotContains(t, c.new, keyID{"s", "", long, ""})
	assert.NotEqual(t, first, c.key("other", CredentialScope{Date: "20250101", Region: "r", Service: "logs"}))
}

func FuzzAuthorization(f *testing.F) {
	f.Add(authorizationPrefix+"SignedHeaders=content-type;host;x-amz-date, Signature=5082", "20250101T000000Z", "a=1")
	f.Add("AWS4-HMAC-SHA256 Credential=,SignedHeaders=;;,Signature==", "Wed, 01 Jan 2025 00:00:00 GMT", "X-Amz-Algorithm=AWS4-HMAC-SHA256")
	f.Add("AWS4-ECDSA-P256-SHA256 Credential=a/b/c/d", "2025-01-01T00:00:00Z", "")
	f.Add("", "", "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=A%2F20250101%2Fr%2Flogs%2Faws4_request&X-Amz-Date=20250101T000000Z&X-Amz-SignedHeaders=host&X-Amz-Signature=aa")
	f.Fuzz(func(t *testing.T, header, date, query string) {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.Header.Set("Authorization", header)
		r.Header.Set("X-Amz-Date", date)
		r.URL.RawQuery = query
		if _, err := strict(newYear).Verify(r, nil, "logs"); err == nil {
			t.Fatal("forged signature accepted")
		}
		_, err := NewVerifier(Settings{}).Verify(r, nil, "logs")
		require.NoError(t, err)
		Scope(r)
	})
}

func BenchmarkVerify(b *testing.B) {
	body := bytes.Repeat([]byte("x"), 512<<10)
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	sum := sha256.Sum256(body)
	creds := aws.Credentials{AccessKeyID: exampleKey, SecretAccessKey: exampleSecret}
	r.Header.Set("X-Amz-Target", "Logs_20140328.PutLogEvents")
	r.ContentLength = int64(len(body))
	require.NoError(b, v4.NewSigner().SignHTTP(b.Context(), creds, r, hex.EncodeToString(sum[:]), "logs", "eu-west-1", newYear))
	v := strict(newYear)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Verify(r, body, "logs"); err != nil {
			b.Fatal(err)
		}
	}
}
