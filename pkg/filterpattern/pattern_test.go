// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package filterpattern

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// vector is one case of testdata/vectors.json: a pattern, a message, whether they match or the error of the pattern,
// and the extracted values. The basis is D where documentation states the rule, A where AWS was seen to do so, I where
// it is inferred.
type vector struct {
	Pattern string            `json:"p"`
	Message string            `json:"m"`
	Match   bool              `json:"ok"`
	Error   string            `json:"err"`
	Values  map[string]string `json:"x"`
}

func loadVectors(tb testing.TB) []vector {
	tb.Helper()
	b, err := os.ReadFile("testdata/vectors.json")
	require.NoError(tb, err)
	var list []vector
	require.NoError(tb, json.Unmarshal(b, &list))
	return list
}

func TestVectors(t *testing.T) {
	for _, v := range loadVectors(t) {
		t.Run(v.Pattern, func(t *testing.T) {
			p, err := Compile(v.Pattern)
			if v.Error != "" {
				var e *Error
				require.ErrorAs(t, err, &e)
				if v.Error != "InvalidParameterException" { // the code: any message will do
					require.EqualError(t, err, v.Error)
				}
				return
			}
			require.NoError(t, err)
			require.Equal(t, v.Match, p.Match(v.Message), "%q", v.Message)
			values, ok := p.Extract(v.Message)
			require.Equal(t, v.Match, ok)
			if v.Values != nil {
				require.Equal(t, v.Values, values)
			}
			checkInvariants(t, p, v.Message)
		})
	}
}

// checkInvariants checks that the pattern prints to an equal one and that required texts are in what it matches.
func checkInvariants(t *testing.T, p *Pattern, message string) {
	t.Helper()
	again, err := Compile(p.String())
	require.NoError(t, err, "%q", p.String())
	require.Equal(t, p.String(), again.String())
	match := p.Match(message)
	require.Equal(t, match, again.Match(message), "%q %q", p.String(), message)
	if match {
		for _, s := range p.Required() {
			require.Contains(t, message, s)
		}
		p.Extract(message)
	}
}

// TestCorpus holds the sets that emulators' tests use, with AWS's answers.
func TestCorpus(t *testing.T) {
	corpus := []string{"hello", "world", "hello world", "goodbye world", "hello cruela", "goodbye cruel world"}
	for pattern, want := range map[string][]string{
		`hello`:                   {"hello", "hello world", "hello cruela"},
		`goodbye world`:           {"goodbye world", "goodbye cruel world"},
		`"hello cruel"`:           {"hello cruela"},
		`{$.message = "hello"}`:   nil,
		`hello -cruela`:           {"hello", "hello world"},
		`?hello ?goodbye`:         {"hello", "hello world", "goodbye world", "hello cruela", "goodbye cruel world"},
		`"world"`:                 {"world", "hello world", "goodbye world", "goodbye cruel world"},
		`?hello`:                  {"hello", "hello world", "hello cruela"},
		`-hello -goodbye`:         {"world"},
		`%^hello$|^world$%`:       {"hello", "world"},
		`[first = hello, ...]`:    {"hello", "hello world", "hello cruela"},
		`[first = "hello", b=w*]`: {"hello world"},
	} {
		p, err := Compile(pattern)
		require.NoError(t, err, pattern)
		var got []string
		for _, m := range corpus {
			if p.Match(m) {
				got = append(got, m)
			}
		}
		assert.Equal(t, want, got, pattern)
	}
}

func TestRealPatterns(t *testing.T) {
	f := func(pattern, message string, want bool) {
		t.Helper()
		p, err := Compile(pattern)
		require.NoError(t, err, pattern)
		require.Equal(t, want, p.Match(message), "%s\n%s", pattern, message)
		checkInvariants(t, p, message)
	}
	f(`{ ($.errorCode = "*UnauthorizedOperation") || ($.errorCode = "AccessDenied*") }`, `{"errorCode":"Client.UnauthorizedOperation"}`, true)
	f(`{ ($.errorCode = "*UnauthorizedOperation") || ($.errorCode = "AccessDenied*") }`, `{"errorCode":"AccessDeniedException"}`, true)
	f(`{ ($.errorCode = "*UnauthorizedOperation") || ($.errorCode = "AccessDenied*") }`, `{"errorCode":"NoSuchBucket"}`, false)
	f(`{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed != "Yes") }`, `{"eventName":"ConsoleLogin","additionalEventData":{"MFAUsed":"No"}}`, true)
	f(`{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed != "Yes") }`, `{"eventName":"ConsoleLogin"}`, false)
	root := `{ $.userIdentity.type = "Root" && $.userIdentity.invokedBy NOT EXISTS && $.eventType != "AwsServiceEvent" }`
	f(root, `{"userIdentity":{"type":"Root"},"eventType":"AwsApiCall"}`, true)
	f(root, `{"userIdentity":{"type":"Root","invokedBy":"x"},"eventType":"AwsApiCall"}`, false)
	f(`{ ($.eventName=DeleteGroupPolicy) || ($.eventName=PutUserPolicy) }`, `{"eventName":"PutUserPolicy"}`, true)
	ssh := `[version, account_id, interface_id, src_addr, dst_addr, src_port, dst_port = "22", protocol = "6", packets, bytes, start, end, action = "REJECT", log_status]`
	f(ssh, `2 123456789010 eni-1235b8ca 10.0.0.5 172.31.16.21 5000 22 6 1 40 1418530010 1418530070 REJECT OK`, true)
	f(ssh, `2 123456789010 eni-1235b8ca 10.0.0.5 172.31.16.21 5000 3389 6 1 40 1418530010 1418530070 REJECT OK`, false)
	f(`[report_label="REPORT", request_id_label="RequestId:", request_id, ...]`, "REPORT RequestId: f612\tDuration: 2.03 ms", true)
	f(`{ $.detail-type = "Scheduled Event" }`, `{"detail-type":"Scheduled Event"}`, true)
	f(`{ $.code = 4* }`, `{"code":404}`, true)
	f(`{ $.a = "\"x\"" }`, `{"a":"\u0022x\""}`, true)
	f(`{ $.items[*].id = 2 }`, `{"items":[{"id":1},{"id":2}]}`, true)
	f(`{ $.items[*].id NOT EXISTS }`, `{"items":[]}`, true)
	f(`{ $.a != "x" }`, `{"a":null}`, true)
	f(`{ $.a = "true" }`, `{"a":true}`, false)
	f(`{ $.a > 5 }`, `{"a":"7"}`, true)
	f(`%a{,2}b%`, `xaab`, true)
}

func TestErrors(t *testing.T) {
	f := func(pattern, want string) {
		t.Helper()
		_, err := Compile(pattern)
		require.ErrorContains(t, err, want, pattern)
	}
	f("a:b", "Invalid character(s) in term ':'")
	f("a,b", "Invalid character(s) in term ','")
	f(`a"b"`, `Invalid character(s) in term '"'`)
	f(`"open`, `Invalid character(s) in term '"'`)
	f(`? a`, `Invalid character(s) in term '?'`)
	f(`-`, `Invalid character(s) in term '-'`)
	f(`a*`, `Invalid character(s) in term '*'`)
	f(`ünder`, `Invalid character(s) in term 'ü'`)
	f(`'a'`, `Invalid character(s) in term '''`)
	f(`%a`, "no closing %")
	f(`%%`, "is empty")
	f(`%a% b`, "Invalid character(s) in term ' '")
	f(`%a\q%`, `Invalid character(s) in term '\q'`)
	f(`%é%`, "Invalid character(s) in term 'é'")
	f(`%\x2%`, "two hexadecimal digits")
	f(`%[%`, "invalid regular expression")
	f(`{ $.a = 1`, "no closing }")
	f(`{ }`, "Invalid character(s) in term '}'")
	f(`{ $.a = aws.x-y }`, "Invalid character(s) in term '.'")
	f(`{ $.a > x }`, "> compares numbers")
	f(`{ $.a IS NOT NULL }`, "IS takes NULL, TRUE or FALSE")
	f(`{ $.a EXISTS }`, "the operator EXISTS is not supported")
	f(`{ $.a[*].b[*] = 1 }`, "more than one wildcard")
	f(`{ $.a[*] = 1 && $.b[*] = 1 && $.c[*] = 1 && $.d[*] = 1 }`, "limit is 3")
	f(`{ $.a = %a% && $.b = %b% && $.c = %c% }`, "3 regular expressions, the limit is 2")
	f(`{ ($.a = 1 }`, "no closing )")
	f(`{ `+strings.Repeat("(", 60)+`$.a = 1`+strings.Repeat(")", 60)+` }`, "nested deeper")
	f(`[a`, "Invalid character(s) in term '['")
	f(`[a=1 || b=2]`, "must have one name")
	f(`[..., ...]`, "... twice")
	f(`[a=]`, "Invalid character(s) in term ']'")
	f(`[a b]`, "Invalid character(s) in term 'b'")
	f(strings.Repeat("a", 1025), "1025 characters")
}

func FuzzCompile(f *testing.F) {
	for _, v := range loadVectors(f) {
		f.Add(v.Pattern, v.Message)
	}
	f.Fuzz(func(t *testing.T, pattern, message string) {
		p, err := Compile(pattern)
		if err != nil {
			return
		}
		checkInvariants(t, p, message)
	})
}

func BenchmarkMatch(b *testing.B) {
	message := `{"level":"ERROR","eventName":"ConsoleLogin","userIdentity":{"type":"Root","arn":"arn:aws:iam::123456789012:root"},` +
		`"latency":250,"items":[1,2,3],"pad":"` + strings.Repeat("lorem ipsum ", 30) + `"}`
	for name, pattern := range map[string]string{
		"terms":   `ERROR -DEBUG`,
		"json":    `{ $.eventName = "ConsoleLogin" && $.latency > 100 }`,
		"columns": `[a, b, ..., c]`,
		"regex":   `%Console[A-Z]%`,
	} {
		p, err := Compile(pattern)
		require.NoError(b, err)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(message)))
			for b.Loop() {
				p.Match(message)
			}
		})
	}
}
