// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package metricmath

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseString(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		x, err := Parse(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, x.String())
		again, err := Parse(x.String())
		require.NoError(t, err)
		assert.Equal(t, want, again.String())
	}
	f("m1 + m2 * m3", "m1+m2*m3")
	f("(m1 + m2) * m3", "(m1+m2)*m3")
	f("m1 - (m2 - m3)", "m1-(m2-m3)")
	f("(m1 - m2) - m3", "m1-m2-m3")
	f("m1 ^ m2 ^ m3", "m1^m2^m3")
	f("(m1 ^ m2) ^ m3", "(m1^m2)^m3")
	f("-m1 ^ 2", "-m1^2")
	f("(-m1) ^ 2", "(-m1)^2")
	f("2 ^ -m1 * 3", "2^-m1*3")
	f("2 ^ (-m1 * 3)", "2^(-m1*3)")
	f("2 * -m1", "2*-m1")
	f("- - + m1", "--+m1")
	f("m1--m2", "m1--m2")
	f("m1 > 15 AND m2 > 15 OR m3", "m1>15&&m2>15||m3")
	f("m1 AND (m2 || m3)", "m1&&(m2||m3)")
	f("m1 > 1 == 1", "m1>1==1")
	f("m1 > (1 == 1)", "m1>(1==1)")
	f("((m1))", "m1")
	f("[m1, [m2,m3 ] ]/100", "[m1,[m2,m3]]/100")
	f("SUM( METRICS( \"4xx\" ) )", `SUM(METRICS("4xx"))`)
	f("SORT(METRICS(), AVG, DESC, 10)", "SORT(METRICS(),AVG,DESC,10)")
	f("1.50e+3 * .5 + 2. + 1E2", "1.50e+3*.5+2.+1E2")
	f(`SEARCH('{AWS/EC2,InstanceId} MetricName="CPU" \'x\'', "Average", 300)`, `SEARCH('{AWS/EC2,InstanceId} MetricName="CPU" \'x\'',"Average",300)`)
	f("select + 1", "select+1")
	f("\tm1\r\n+ 1", "m1+1")
}

func TestParseErrors(t *testing.T) {
	f := func(text string, offset int, want string) {
		t.Helper()
		_, err := Parse(text)
		var e *Error
		require.ErrorAs(t, err, &e, text)
		assert.Equal(t, want, e.Message)
		assert.Equal(t, offset, e.Offset)
	}
	f("", 0, `Invalid syntax at position 0: expected a value, found the end of the expression`)
	f("m1 +", 4, `Invalid syntax at position 4: expected a value, found the end of the expression`)
	f("m1 m2", 3, `Invalid syntax at position 3: expected an operator or the end of the expression, found "m2"`)
	f("(m1", 3, `Invalid syntax at position 3: expected an operator or ")", found the end of the expression`)
	f("[m1 m2]", 4, `Invalid syntax at position 4: expected "," or "]", found "m2"`)
	f("[]", 0, `Invalid syntax at position 0: an array needs a time series`)
	f("[m1,]", 4, `Invalid syntax at position 4: expected a value, found "]"`)
	f("SUM(m1,", 7, `Invalid syntax at position 7: expected a value, found the end of the expression`)
	f("SUM(m1 m2)", 7, `Invalid syntax at position 7: expected "," or ")", found "m2"`)
	f("FOO(m1)", 0, `Function 'FOO' not found`)
	f("1 + avg(m1)", 4, `Function 'avg' not found`)
	f("SELECT(m1)", 0, `Function 'SELECT' not found`)
	f("m1 = 2", 3, `Invalid syntax at position 3: unexpected character '='`)
	f("m1 % 2", 3, `Invalid syntax at position 3: unexpected character '%'`)
	f("m1 + é", 5, `Invalid syntax at position 5: unexpected character 'é'`)
	f("m1 + \xff", 5, `Invalid syntax at position 5: the byte 0xff is not UTF-8`)
	f("METRICS('\xff')", 8, `Invalid syntax at position 8: the string is not UTF-8`)
	f("_m1", 0, `Invalid syntax at position 0: unexpected character '_'`)
	f("5m1", 0, `Invalid syntax at position 0: "5m" is not a number`)
	f("1.2.3", 0, `Invalid syntax at position 0: "1.2." is not a number`)
	f("1e", 0, `Invalid syntax at position 0: "1e" is not a number`)
	f(".", 0, `Invalid syntax at position 0: unexpected character '.'`)
	f("1e999", 0, `Invalid syntax at position 0: the number 1e999 is out of range`)
	f("METRICS('a", 8, `Invalid syntax at position 8: the string that begins here has no end`)
	f(`METRICS('a\'`, 8, `Invalid syntax at position 8: the string that begins here has no end`)
	f(strings.Repeat("(", 200), MaxNesting, `Invalid syntax at position 100: the expression nests deeper than 100`)
	f(strings.Repeat("-", 200)+"m1", MaxNesting, `Invalid syntax at position 100: the expression nests deeper than 100`)
	f(strings.Repeat("1", MaxLength+1), 0, `The expression has 2049 characters, more than 2048.`)

	_, err := Parse(strings.Repeat("1+", MaxLength/2-1) + "11")
	require.NoError(t, err)
}

func TestMetricsInsights(t *testing.T) {
	for text, want := range map[string]bool{
		"SELECT AVG(CPUUtilization) FROM SCHEMA(\"AWS/EC2\", InstanceId)": true,
		" select max(x) from y": true,
		"SELECT":                true,
		"SELECT ?":              true,
		"SELECT 1":              true,
		"SELECT(m1)":            false,
		"select":                false,
		"select + 1":            false,
		"select AND m1":         false,
		"select ?":              false,
		"selected x":            false,
		"m1":                    false,
		"?":                     false,
	} {
		assert.Equal(t, want, IsMetricsInsights(text), text)
		_, err := Parse(text)
		assert.Equal(t, want, err == ErrMetricsInsights, text) //nolint:errorlint // the value itself is returned
	}
}

func TestUnquote(t *testing.T) {
	for text, want := range map[string]string{
		`'a'`:          `a`,
		`''`:           ``,
		`"it's"`:       `it's`,
		`'it\'s'`:      `it's`,
		`"say \"hi\""`: `say "hi"`,
		`'say \"hi\"'`: `say \"hi\"`,
		`'a\\b'`:       `a\b`,
		`'\(x\)'`:      `\(x\)`,
		`'\\\(x'`:      `\\(x`,
	} {
		assert.Equal(t, want, unquote(text), text)
	}
}

func TestReferences(t *testing.T) {
	x, err := Parse("SUM([m1, e1])/m1 + FILL(m2, REPEAT) > AVG(METRICS('m3'))")
	require.NoError(t, err)
	assert.Equal(t, []string{"m1", "e1", "m2"}, x.References())
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"m1+m2*m3^-2", "IF(m1>15 AND m2<=3 || m3!=1, 5, -m3)", "SORT(METRICS('a'), AVG, DESC, 10)", "[m1,[m2],METRICS()]/1e3",
		`SEARCH('{AWS/EC2,InstanceId} MetricName="CPU\(x"', "Average", 300)`, "FILL(m1, REPEAT)", "SELECT AVG(x)", "((-(+m1)))", "a^b^c", "(a^b)^c",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		x, err := Parse(text)
		if err != nil {
			return
		}
		canonical := x.String()
		again, err := Parse(canonical)
		if err != nil {
			t.Fatalf("%q printed as %q: %v", text, canonical, err)
		}
		if shape(x.root) != shape(again.root) || again.String() != canonical {
			t.Fatalf("%q printed as %q, which is another tree", text, canonical)
		}
	})
}

// shape spells a tree with all its parentheses.
func shape(n node) string {
	var b strings.Builder
	switch n := n.(type) {
	case *binaryNode:
		b.WriteString(n.op.name)
	case *unaryNode:
		b.WriteString(n.op)
	case *callNode:
		b.WriteString(n.fn.name)
	case *arrayNode:
		b.WriteString("[]")
	default:
		n.write(&b)
	}
	for _, c := range n.children() {
		b.WriteString("(" + shape(c) + ")")
	}
	return b.String()
}
