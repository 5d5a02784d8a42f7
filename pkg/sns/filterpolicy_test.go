// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package sns

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func text(v string) Attribute   { return Attribute{DataType: "String", Value: v} }
func number(v string) Attribute { return Attribute{DataType: "Number", Value: v} }
func array(v string) Attribute  { return Attribute{DataType: "String.Array", Value: v} }

// The cases are the examples of the SNS developer guide's pages on filter policies.
func TestFilterAttributes(t *testing.T) {
	for _, c := range []struct {
		policy  string
		match   []Attributes
		noMatch []Attributes
	}{
		{`{}`, []Attributes{nil, {"a": text("b")}}, nil},
		{
			`{"store":["example_corp"],"event":[{"anything-but":"order_cancelled"}],"customer_interests":["rugby","football","baseball"],"price_usd":[{"numeric":[">=",100]}]}`,
			[]Attributes{
				{"store": text("example_corp"), "event": text("order_placed"), "customer_interests": array(`["soccer","rugby","hockey"]`), "price_usd": number("210.75")},
			},
			[]Attributes{
				{"store": text("example_corp"), "event": text("order_cancelled"), "customer_interests": array(`["basketball","baseball"]`), "price_usd": number("100")},
				{"store": text("example_corp")},
				nil,
			},
		},
		{
			`{"customer_interests":["rugby"]}`,
			[]Attributes{{"customer_interests": text("rugby")}, {"customer_interests": array(`["rugby","tennis"]`)}},
			[]Attributes{{"customer_interests": text("Rugby")}, {"customer_interests": {DataType: "Binary", Value: "rugby"}}, {"customer_interests": array("x")}},
		},
		{
			`{"customer_interests":[{"anything-but":["rugby","tennis"]}]}`,
			[]Attributes{{"customer_interests": text("baseball")}, {"customer_interests": array(`["rugby","baseball"]`)}},
			[]Attributes{{"customer_interests": text("rugby")}, {"customer_interests": array(`["rugby"]`)}, {}},
		},
		{
			`{"event":[{"anything-but":{"prefix":"order-"}}]}`,
			[]Attributes{{"event": text("data-entry")}},
			[]Attributes{{"event": text("order-number")}},
		},
		{`{"i":[{"prefix":"bas"}]}`, []Attributes{{"i": text("baseball")}, {"i": array(`["x","bass"]`)}}, []Attributes{{"i": text("rugby")}, {"i": number("1")}}},
		{`{"i":[{"suffix":"ball"}]}`, []Attributes{{"i": text("baseball")}}, []Attributes{{"i": text("ballet")}}},
		{`{"i":[{"equals-ignore-case":"TENNIS"}]}`, []Attributes{{"i": text("Tennis")}}, []Attributes{{"i": text("Tennis ")}}},
		{`{"i":[{"wildcard":"*ball*x"}]}`, []Attributes{{"i": text("ballx")}, {"i": text("a ball b x")}}, []Attributes{{"i": text("ball")}, {"i": text("balx")}}},
		{`{"i":[{"wildcard":"a\\*b"}]}`, []Attributes{{"i": text("a*b")}}, []Attributes{{"i": text("axb")}}},
		{`{"ip":[{"cidr":"10.0.0.0/24"}]}`, []Attributes{{"ip": text("10.0.0.255")}}, []Attributes{{"ip": text("10.0.1.0")}, {"ip": text("x")}}},
		{`{"ip":[{"cidr":"2001:db8::/32"}]}`, []Attributes{{"ip": text("2001:db8::1")}}, []Attributes{{"ip": text("10.0.0.1")}}},
		{`{"store":[{"exists":true}]}`, []Attributes{{"store": text("x")}}, []Attributes{{}}},
		{`{"store":[{"exists":false}]}`, []Attributes{{"other": text("x")}, nil}, []Attributes{{"store": text("x")}}},
		{`{"p":[301.5]}`, []Attributes{{"p": number("301.5")}, {"p": number("3.015e2")}}, []Attributes{{"p": text("301.5")}, {"p": number("301")}}},
		{`{"p":[{"anything-but":[100,500]}]}`, []Attributes{{"p": number("101")}}, []Attributes{{"p": number("100.0")}}},
		{`{"p":[{"numeric":[">",0,"<=",150]}]}`, []Attributes{{"p": number("150")}, {"p": number("0.00001")}}, []Attributes{{"p": number("0")}, {"p": number("150.1")}}},
		{`{"p":[{"numeric":["=",5]}]}`, []Attributes{{"p": number("5")}}, []Attributes{{"p": number("6")}}},
		{`{"p":[{"numeric":["<",5]}]}`, []Attributes{{"p": number("4")}}, []Attributes{{"p": number("5")}, {"p": text("4")}}},
		{`{"b":[true,null]}`, []Attributes{{"b": array(`[true]`)}, {"b": array(`[null]`)}}, []Attributes{{"b": array(`[false]`)}, {"b": text("true")}}},
		{
			`{"source":["aws.cloudwatch"],"$or":[{"metricName":["CPU"]},{"namespace":["AWS/EC2","AWS/ES"]}]}`,
			[]Attributes{{"source": text("aws.cloudwatch"), "metricName": text("CPU")}, {"source": text("aws.cloudwatch"), "namespace": text("AWS/ES")}},
			[]Attributes{{"source": text("aws.cloudwatch")}, {"metricName": text("CPU")}},
		},
		{`{"$or":["a"]}`, []Attributes{{"$or": text("a")}}, []Attributes{{}}},
	} {
		p, err := ParseFilterPolicy(c.policy, "")
		require.NoError(t, err, c.policy)
		for _, a := range c.match {
			assert.True(t, p.Match("", a), "%s must match %v", c.policy, a)
		}
		for _, a := range c.noMatch {
			assert.False(t, p.Match("", a), "%s must not match %v", c.policy, a)
		}
	}
	assert.True(t, (*FilterPolicy)(nil).Match("", nil))
}

func TestFilterBody(t *testing.T) {
	for _, c := range []struct {
		policy         string
		match, noMatch []string
	}{
		{`{}`, []string{"not json"}, nil},
		{
			`{"store":["example_corp"],"order":{"status":["placed"],"price":[{"numeric":[">",10]}]}}`,
			[]string{`{"store":"example_corp","order":{"status":"placed","price":11}}`, `{"store":["x","example_corp"],"order":[{"status":"no","price":11},{"status":"placed","price":12}]}`},
			[]string{`{"store":"example_corp"}`, `{"store":"example_corp","order":"placed"}`, `[]`, `"x"`, `x`, `{"store":"example_corp","order":[{"status":"placed","price":1},{"status":"no","price":11}]}`},
		},
		{`{"a":{"b":[{"exists":false}]}}`, []string{`{}`, `{"a":{}}`, `{"a":{"b":{"c":1}}}`}, []string{`{"a":{"b":1}}`}},
		{`{"a":[{"exists":true}]}`, []string{`{"a":1}`, `{"a":null}`}, []string{`{}`, `{"a":{"b":1}}`}},
		{`{"a":[null,true]}`, []string{`{"a":null}`, `{"a":true}`}, []string{`{"a":"null"}`, `{"a":false}`}},
		{`{"a":[1]}`, []string{`{"a":1.0}`, `{"a":[2,1]}`}, []string{`{"a":"1"}`, `{"a":1e999}`}},
		{`{"x":{"$or":[{"a":["1"]},{"b":["2"]}]}}`, []string{`{"x":{"b":"2"}}`}, []string{`{"x":{"b":"1"}}`}},
	} {
		p, err := ParseFilterPolicy(c.policy, ScopeMessageBody)
		require.NoError(t, err, c.policy)
		for _, body := range c.match {
			assert.True(t, p.Match(body, nil), "%s must match %s", c.policy, body)
		}
		for _, body := range c.noMatch {
			assert.False(t, p.Match(body, nil), "%s must not match %s", c.policy, body)
		}
	}
}

func TestFilterErrors(t *testing.T) {
	for policy, want := range map[string]string{
		`x`:                           "failed to parse JSON",
		`[]`:                          "The policy must be an object",
		`{"a":[]} {}`:                 "there is more after the document",
		`{"a":[]}`:                    "Empty arrays are not allowed",
		`{"a":"b"}`:                   `"a" must be an object or an array`,
		`{"a":[["b"]]}`:               `Match value of "a" must be String, number, true, false, or null`,
		`{"a":{"b":["c"]}}`:           "does not support nested filter policy",
		`{"a":[{"b":"c"}]}`:           "Unrecognized match type b",
		`{"a":[{}]}`:                  "Only one key allowed",
		`{"a":[{"exists":"yes"}]}`:    "exists match pattern must be either true or false.",
		`{"a":[{"prefix":1}]}`:        "prefix match pattern must be a string",
		`{"a":[{"prefix":""}]}`:       "Null prefix not allowed",
		`{"a":[{"suffix":""}]}`:       "Null suffix not allowed",
		`{"a":[{"cidr":"10.0.0.0"}]}`: "Malformed CIDR",
		`{"a":[{"wildcard":"a**"}]}`:  "Consecutive wildcard characters",
		`{"a":[{"wildcard":"a\\b"}]}`: "Invalid escape character",
		`{"a":[{"wildcard":"` + strings.Repeat("*a", 30) + `"}]}`:       "too complex",
		`{"a":[{"numeric":1}]}`:                                         "Value of numeric must be an array.",
		`{"a":[{"numeric":[">"]}]}`:                                     "an array of an operator and a number",
		`{"a":[{"numeric":["~",1]}]}`:                                   "Unrecognized numeric range operator: ~",
		`{"a":[{"numeric":["<",1,">",0]}]}`:                             "Unrecognized numeric range operator: <",
		`{"a":[{"numeric":[">",1,"<",1]}]}`:                             "Bottom must be less than top",
		`{"a":[{"numeric":[">","1"]}]}`:                                 "Value of > must be numeric",
		`{"a":[{"numeric":[1,1]}]}`:                                     "Invalid member in numeric match",
		`{"a":[1000000001]}`:                                            "is not between -1000000000 and 1000000000",
		`{"a":[{"anything-but":null}]}`:                                 "Value of anything-but must be",
		`{"a":[{"anything-but":[true]}]}`:                               "Inside anything but list, start|null|boolean is not supported.",
		`{"a":[{"anything-but":{"cidr":"x"}}]}`:                         "Unsupported anything-but pattern: cidr",
		`{"a":["1"],"b":["1"],"c":["1"],"d":["1"],"e":["1"],"f":["1"]}`: "Filter policy can not have more than 5 keys",
		`{"a":[` + strings.Repeat("1,", 150) + `1]}`:                    "too complex",
	} {
		_, err := ParseFilterPolicy(policy, "")
		require.ErrorContains(t, err, want, policy)
		var refused *Error
		require.ErrorAs(t, err, &refused)
		assert.Equal(t, CodeInvalidParameter, refused.Code)
	}
	_, err := ParseFilterPolicy(`{}`, "x")
	require.ErrorContains(t, err, "Invalid value [x]")
	_, err = ParseFilterPolicy(strings.Repeat(`{"a":`, 11)+`[1]`+strings.Repeat(`}`, 11), ScopeMessageBody)
	require.ErrorContains(t, err, "nested deeper than 10")
	// 3 x 1 level, 4 x 2 levels, 2 x 3 levels: 3 * 8 * 6 = 144 combinations.
	_, err = ParseFilterPolicy(`{"a":[1,2,3],"b":{"c":[1,2,3,4],"d":{"e":[1,2]}}}`, ScopeMessageBody)
	require.NoError(t, err)
	_, err = ParseFilterPolicy(`{"a":[1,2,3,4],"b":{"c":[1,2,3,4],"d":{"e":[1,2]}}}`, ScopeMessageBody)
	require.ErrorContains(t, err, "too complex")
}

func FuzzFilterPolicy(f *testing.F) {
	f.Add(`{"a":[{"numeric":[">",1]}],"$or":[{"b":[{"anything-but":{"prefix":"x"}}]},{"c":[{"wildcard":"a*b"}]}]}`, `{"a":2,"b":"y"}`, `["a"]`)
	f.Add(`{"a":{"b":[{"exists":false}]}}`, `{"a":[{"b":null}]}`, `x`)
	f.Fuzz(func(t *testing.T, policy, body, value string) {
		for _, scope := range []string{ScopeMessageAttributes, ScopeMessageBody} {
			p, err := ParseFilterPolicy(policy, scope)
			if err != nil {
				continue
			}
			a := Attributes{"a": array(value), "b": text(value), "c": number(value)}
			matches := p.Match(body, a)
			again, err := ParseFilterPolicy(policy, scope)
			if err != nil || again.Match(body, a) != matches {
				t.Fatal("the same message matches and does not")
			}
		}
	})
}

func BenchmarkFilterPolicy(b *testing.B) {
	p, err := ParseFilterPolicy(`{"store":["a","b","c"],"price":[{"numeric":[">",10]}],"event":[{"anything-but":{"prefix":"x"}}]}`, "")
	require.NoError(b, err)
	a := Attributes{"store": text("c"), "price": number("10.5"), "event": text("y")}
	b.ReportAllocs()
	for b.Loop() {
		if !p.Match("", a) {
			b.Fatal("no match")
		}
	}
}
