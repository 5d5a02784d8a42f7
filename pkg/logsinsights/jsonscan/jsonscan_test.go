// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package jsonscan

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestValid(t *testing.T) {
	for _, s := range []string{
		`{}`, `[]`, ` {"a":1} ` + "\n", `{"a":{"b":[1,2,{"c":null}]},"d":"x"}`, `"x"`, `1`, `-0`, `0.5e-3`, `true`, `null`, `[1,]`, `{"a":1,}`, `NaN`, `[nan,inf,-Infinity,INF]`,
		`"\u00e9\ud83d\ude00\n\/"`, strings.Repeat("[", 1000) + strings.Repeat("]", 1000), `{"a":"` + strings.Repeat("é", 50) + `"}`,
	} {
		_, _, ok := Valid(s)
		require.True(t, ok, s)
	}
	for _, s := range []string{
		``, ` `, `{`, `}`, `[,]`, `{,}`, `[1,,]`, `[1 2]`, `{"a"}`, `{"a":}`, `{a:1}`, `{'a':1}`, `{"a":1}x`, `01`, `1.`, `.5`, `+1`, `1e`, `1e+`, `tru`, `nul`, `"x`, `"\x"`, `"\u12"`, `"\ud83d"`, `"\ude00"`,
		`"\ud83dx"`, `"\ud83d\u0041"`, "\"\t\"", `[1}`, `{"a":1]`, strings.Repeat("[", 1000), `"\`, `{"a" 1}`, `-`, "\ufeff{}",
	} {
		_, _, ok := Valid(s)
		require.False(t, ok, s)
	}
}

func TestUnquote(t *testing.T) {
	for lit, want := range map[string]string{
		`"x"`: "x", `""`: "", `"a\"b\\c\/d\b\f\n\r\te"`: "a\"b\\c/d\b\f\n\r\te", `"\u0041\u00e9\u2713\ud83d\ude00z"`: "Aé✓😀z", `"\u0000"`: "\x00",
	} {
		require.Equal(t, want, Unquote(lit))
	}
}

func TestEach(t *testing.T) {
	var got []string
	EachMember(`{ "a" : 1 , "b":[1, 2],"c\u0041":{"x":1}, }`, func(key, lit string) bool {
		got = append(got, key+"="+lit)
		return true
	})
	require.Equal(t, []string{"a=1", "b=[1, 2]", `cA={"x":1}`}, got)
	got = nil
	EachElement(`[ 1 , "x",[2] ,]`, func(lit string) bool {
		got = append(got, lit)
		return len(got) < 2
	})
	require.Equal(t, []string{"1", `"x"`}, got)
	EachMember(`{}`, func(string, string) bool { t.Fatal(); return false })
	EachElement(`[]`, func(string) bool { t.Fatal(); return false })
}

func TestShortestNumber(t *testing.T) {
	for f, want := range map[float64]string{
		1.5: "1.5", 1000: "1000", 1e20: "100000000000000000000", 1e21: "1e21", 1.5e300: "1.5e300", 1e-6: "0.000001", 1e-7: "1e-7", 1.25e-17: "1.25e-17", 0: "0", -3: "-3",
	} {
		require.Equal(t, want, ShortestNumber(f))
	}
}

// FuzzValid holds the scanner against encoding/json: whatever that takes is taken, with the same strings.
func FuzzValid(f *testing.F) {
	for _, s := range []string{`{"a":[1,"x\u00e9",true]}`, `[1,]`, `"\ud83d\ude00"`, `-1.5e+7`, `NaN`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		begin, end, ok := Valid(s)
		if json.Valid([]byte(s)) && !ok && !strings.Contains(s, `\u`) { // half a surrogate pair is no character
			t.Fatalf("%q is JSON", s)
		}
		if !ok {
			return
		}
		lit := s[begin:end]
		switch lit[0] {
		case '"':
			var want string
			if json.Unmarshal([]byte(lit), &want) == nil && strings.ToValidUTF8(s, "") == s && Unquote(lit) != want {
				t.Fatalf("%q: %q", lit, Unquote(lit))
			}
		case '{':
			EachMember(lit, func(_, v string) bool {
				if _, _, ok := Valid(v); !ok {
					t.Fatalf("%q in %q", v, lit)
				}
				return true
			})
		case '[':
			EachElement(lit, func(v string) bool {
				if _, _, ok := Valid(v); !ok {
					t.Fatalf("%q in %q", v, lit)
				}
				return true
			})
		}
	})
}

func BenchmarkValid(b *testing.B) {
	doc := `{"timestamp":"2024-05-01T00:00:00Z","level":"INFO","latency":12.5,"ctx":{"a":[1,2,3],"b":"` + strings.Repeat("lorem ipsum ", 30) + `"}}`
	b.ReportAllocs()
	b.SetBytes(int64(len(doc)))
	for b.Loop() {
		if _, _, ok := Valid(doc); !ok {
			b.Fatal()
		}
	}
}
