// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

var ruleTenant = cloudwatch.Tenant{Account: "123456789012", Region: "us-east-1"}

func TestARN(t *testing.T) {
	t.Parallel()
	for name, arn := range map[string]string{
		"a":           "arn:aws:cloudwatch:us-east-1:123456789012:alarm:a",
		"a b:c/ü \"":  "arn:aws:cloudwatch:us-east-1:123456789012:alarm:a b:c/ü \"",
		"alarm:alarm": "arn:aws:cloudwatch:us-east-1:123456789012:alarm:alarm:alarm",
	} {
		assert.Equal(t, arn, ARN(ruleTenant, name))
		tenant, got, ok := ParseARN(arn)
		assert.True(t, ok)
		assert.Equal(t, ruleTenant, tenant)
		assert.Equal(t, name, got)
	}
	assert.Equal(t, "arn:aws-cn:cloudwatch:cn-north-1:1:alarm:a", ARN(cloudwatch.Tenant{Account: "1", Region: "cn-north-1"}, "a"))
	assert.Equal(t, "arn:aws-us-gov:cloudwatch:us-gov-west-1:1:alarm:a",
		ARN(cloudwatch.Tenant{Account: "1", Region: "us-gov-west-1"}, "a"))
	for _, bad := range []string{
		"", "a", "arn:aws:cloudwatch:us-east-1:1:alarm:", "arn:aws:cloudwatch:us-east-1:1:alarm", "arn:aws:sns:us-east-1:1:alarm:a",
		"arn:aws:cloudwatch:us-east-1:1:alarm-mute-rule:a", "arn:aws:cloudwatch:cn-north-1:1:alarm:a", "x:aws:cloudwatch:r:1:alarm:a",
	} {
		_, _, ok := ParseARN(bad)
		assert.False(t, ok, bad)
	}
}

func TestParseCompositeRule(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:"
	for _, c := range []struct {
		text, want string
		children   []string
	}{
		{"TRUE", "TRUE", nil},
		{" ( ( FALSE ) ) ", "FALSE", nil},
		{"ALARM(a)", "ALARM(a)", []string{"a"}},
		{"ALARM ( a )\n", "ALARM(a)", []string{"a"}},
		{`OK("a b") OR INSUFFICIENT_DATA("c\"d\\")`, `OK("a b") OR INSUFFICIENT_DATA("c\"d\\")`, []string{"a b", `c"d\`}},
		{`ALARM("a")AND OK(a)`, "ALARM(a) AND OK(a)", []string{"a"}},
		{"ALARM('a')", "ALARM('a')", []string{"'a'"}},
		{"NOT NOT ALARM(a)", "NOT NOT ALARM(a)", []string{"a"}},
		{"NOT ALARM(a) AND ALARM(b) OR ALARM(c)", "NOT ALARM(a) AND ALARM(b) OR ALARM(c)", []string{"a", "b", "c"}},
		{"NOT (ALARM(a) AND (ALARM(b) OR ALARM(c)))", "NOT (ALARM(a) AND (ALARM(b) OR ALARM(c)))", []string{"a", "b", "c"}},
		{"(ALARM(a) AND ALARM(b)) AND (ALARM(c))", "ALARM(a) AND ALARM(b) AND ALARM(c)", []string{"a", "b", "c"}},
		{"ALARM(" + arn + "x) OR OK(x)", "ALARM(" + arn + "x) OR OK(" + arn + "x)", []string{"x"}},
		{`ALARM("` + arn + `x:y z")`, `ALARM("` + arn + `x:y z")`, []string{"x:y z"}},
		{"AT_LEAST(2,ALARM,(a,b,c))", "AT_LEAST(2, ALARM, (a, b, c))", []string{"a", "b", "c"}},
		{"AT_LEAST( 51% , NOT OK , ( a , \"b b\" , a ) )", `AT_LEAST(51%, NOT OK, (a, "b b", a))`, []string{"a", "b b"}},
		{
			"ALARM(TRUE) OR ALARM(1) OR ALARM(50%) OR ALARM(NOT)", "ALARM(TRUE) OR ALARM(1) OR ALARM(50%) OR ALARM(NOT)",
			[]string{"TRUE", "1", "50%", "NOT"},
		},
		{"ALARM(ünïcode) OR ALARM(a\u00a0b)", "ALARM(ünïcode) OR ALARM(a\u00a0b)", []string{"ünïcode", "a\u00a0b"}},
		{`ALARM(a"b)`, `ALARM("a\"b")`, []string{`a"b`}},
	} {
		rule, err := ParseCompositeRule(c.text, ruleTenant)
		require.NoError(t, err, c.text)
		assert.Equal(t, c.want, rule.String())
		var names []string
		for _, child := range rule.Children() {
			names = append(names, child.Name)
			assert.Equal(t, arn+child.Name, child.ARN)
		}
		assert.Equal(t, c.children, names, c.text)
		again, err := ParseCompositeRule(rule.String(), ruleTenant)
		require.NoError(t, err, rule.String())
		assert.Equal(t, rule, again, c.text)
	}
}

func TestParseCompositeRuleErrors(t *testing.T) {
	t.Parallel()
	const atom = "must be: '(', 'NOT', AT_LEAST, TRUE or FALSE, ALARM, OK, or INSUFFICIENT_DATA"
	for text, want := range map[string]string{
		// As CloudWatch answers.
		"true":                        "Error in AlarmRule [Unsupported token 'true' at char 0, " + atom + "]",
		"TRUE and FALSE":              "Error in AlarmRule [Unsupported token 'and' at char 5, must be: <EOF>, 'AND', 'OR']",
		"TRUE FALSE":                  "Error in AlarmRule [Unsupported token 'FALSE' at char 5, must be: <EOF>]",
		"ALARM(an alarm with spaces)": "Error in AlarmRule [Unsupported token 'alarm' at char 9, must be: ')']",
		"AT_LEAST(0, ALARM, (a, b))":  "Error in AlarmRule [AT_LEAST absolute threshold must be between 1 and number of alarms (2)]",
		"AT_LEAST(3, ALARM, (a, b))":  "Error in AlarmRule [AT_LEAST absolute threshold must be between 1 and number of alarms (2)]",
		"AT_LEAST(0%, ALARM, (a, b))": "Error in AlarmRule [AT_LEAST percentage threshold must be between 1 and 100]",
		"AT_LEAST(101%, OK, (a, b))":  "Error in AlarmRule [AT_LEAST percentage threshold must be between 1 and 100]",
		"AT_LEAST(-1, ALARM, (a))":    "Error in AlarmRule [Unsupported token '-1' at char 9, must be: NUMBER, PERCENTAGE NUMBER]",
		"AT_LEAST(1.5, ALARM, (a))":   "Error in AlarmRule [Unsupported token '1.5' at char 9, must be: NUMBER, PERCENTAGE NUMBER]",
		"AT_LEAST(50.5%, ALARM, (a))": "Error in AlarmRule [Unsupported token '50.5%' at char 9, must be: NUMBER, PERCENTAGE NUMBER]",
		"AT_LEAST(1, BOGUS, (a))":     "Error in AlarmRule [Unsupported token 'BOGUS' at char 12, must be: 'NOT', ALARM, OK, or INSUFFICIENT_DATA]",
		"ALARM(arn:aws:cloudwatch:us-west-2:123456789012:alarm:x)": "Error in AlarmRule [Wrong ARN region, it was us-west-2 but us-east-1 " +
			"was expected instead]",
		"ALARM(arn:aws:cloudwatch:us-east-1:222222222222:alarm:x)": "A composite alarm cannot have a child relation with alarms from " +
			"another AWS account",
		// In the same manner.
		" ":                         "Error in AlarmRule [Unsupported token '<EOF>' at char 1, " + atom + "]",
		"ALARM":                     "Error in AlarmRule [Unsupported token '<EOF>' at char 5, must be: '(']",
		"ALARM a":                   "Error in AlarmRule [Unsupported token 'a' at char 6, must be: '(']",
		"ALARM()":                   "Error in AlarmRule [Unsupported token ')' at char 6, must be: ALARM NAME OR ARN]",
		`ALARM("")`:                 "Error in AlarmRule [Unsupported token '\"\"' at char 6, must be: ALARM NAME OR ARN]",
		`ALARM("a)`:                 "Error in AlarmRule [Unsupported token '\"a' at char 6, must be: ALARM NAME OR ARN]",
		`ALARM("a"b)`:               "Error in AlarmRule [Unsupported token '\"a\"b' at char 6, must be: ALARM NAME OR ARN]",
		"ALARM(a, b)":               "Error in AlarmRule [Unsupported token ',' at char 7, must be: ')']",
		"(TRUE":                     "Error in AlarmRule [Unsupported token '<EOF>' at char 5, must be: ')']",
		"(TRUE and FALSE)":          "Error in AlarmRule [Unsupported token 'and' at char 6, must be: ')', 'AND', 'OR']",
		"(TRUE x)":                  "Error in AlarmRule [Unsupported token 'x' at char 6, must be: ')']",
		"TRUE AND":                  "Error in AlarmRule [Unsupported token '<EOF>' at char 8, " + atom + "]",
		"ä OR TRUE":                 "Error in AlarmRule [Unsupported token 'ä' at char 0, " + atom + "]",
		"ALARM(ä) ö":                "Error in AlarmRule [Unsupported token 'ö' at char 9, must be: <EOF>]",
		"Alarm(a)":                  "Error in AlarmRule [Unsupported token 'Alarm' at char 0, " + atom + "]",
		"NOT":                       "Error in AlarmRule [Unsupported token '<EOF>' at char 3, " + atom + "]",
		"AT_LEAST 1":                "Error in AlarmRule [Unsupported token '1' at char 9, must be: '(']",
		"AT_LEAST(1 ALARM, (a))":    "Error in AlarmRule [Unsupported token 'ALARM' at char 11, must be: ',']",
		"AT_LEAST(1, NOT NOT, (a))": "Error in AlarmRule [Unsupported token 'NOT' at char 16, must be: ALARM, OK, or INSUFFICIENT_DATA]",
		"AT_LEAST(1, ALARM, a)":     "Error in AlarmRule [Unsupported token 'a' at char 19, must be: '(']",
		"AT_LEAST(1, ALARM, ())":    "Error in AlarmRule [Unsupported token ')' at char 20, must be: ALARM NAME OR ARN]",
		"AT_LEAST(1, ALARM, (a b))": "Error in AlarmRule [Unsupported token 'b' at char 22, must be: ')', ',']",
		"AT_LEAST(1, ALARM, (a)":    "Error in AlarmRule [Unsupported token '<EOF>' at char 22, must be: ')']",
		"AT_LEAST(99999999999999999999, OK, (a))":     "Error in AlarmRule [AT_LEAST absolute threshold must be between 1 and number of alarms (1)]",
		"ALARM(arn:aws:sns:us-east-1:123456789012:x)": "Error in AlarmRule [Invalid alarm ARN arn:aws:sns:us-east-1:123456789012:x]",
		"ALARM(\xff)": "Error in AlarmRule [The rule must contain only UTF-8 characters]",
		"": "1 validation error detected: Value '' at 'alarmRule' failed to satisfy constraint: " +
			"Member must have length greater than or equal to 1",
	} {
		rule, err := ParseCompositeRule(text, ruleTenant)
		assert.Nil(t, rule, text)
		var wrong *Error
		if assert.ErrorAs(t, err, &wrong, text) {
			assert.Equal(t, codeValidation, wrong.Code)
			assert.Equal(t, want, wrong.Message, text)
		}
	}
	// The errors of syntax come first, whatever else is wrong.
	_, err := ParseCompositeRule("AT_LEAST(0, ALARM, (a)) x", ruleTenant)
	require.ErrorContains(t, err, "Unsupported token 'x'")
	// Nobody's rule takes alarms of everybody.
	_, err = ParseCompositeRule("ALARM(arn:aws:cloudwatch:us-west-2:222222222222:alarm:x)", cloudwatch.Tenant{})
	assert.NoError(t, err)
}

func TestCompositeRuleLimits(t *testing.T) {
	t.Parallel()
	parse := func(text string) error {
		_, err := ParseCompositeRule(text, ruleTenant)
		return err
	}
	list := func(n int, item func(i int) string) string {
		items := make([]string, n)
		for i := range items {
			items[i] = item(i)
		}
		return strings.Join(items, " OR ")
	}
	child := func(i int) string { return fmt.Sprintf("OK(%d)", i) }
	constant := func(int) string { return "TRUE" }
	require.NoError(t, parse(list(100, child)))
	require.ErrorContains(t, parse(list(101, child)), "101 child alarms, more than 100")
	// The same alarm by its name and its ARN is one, also where it is not known yet whose it is.
	twice := list(200, func(i int) string {
		if i%2 == 0 {
			return child(i / 2)
		}
		return "ALARM(" + ARN(ruleTenant, strconv.Itoa(i/2)) + ")"
	})
	require.NoError(t, parse(twice))
	require.NoError(t, Validate(composite("c", twice)))
	require.ErrorContains(t, Validate(composite("c", list(101, child))), "101 child alarms, more than 100")
	require.NoError(t, parse(list(500, constant)))
	require.ErrorContains(t, parse(list(501, constant)), "501 elements, more than 500")
	require.NoError(t, parse("("+list(499, constant)+")"))
	require.ErrorContains(t, parse("("+list(500, constant)+")"), "501 elements")
	require.NoError(t, parse(strings.Repeat("(", 499)+"TRUE"+strings.Repeat(")", 499)))
	require.ErrorContains(t, parse(strings.Repeat("(", 500)+"TRUE"+strings.Repeat(")", 500)), "nests deeper than 500")
	require.NoError(t, parse(strings.Repeat("NOT ", 499)+"TRUE"))
	require.ErrorContains(t, parse(strings.Repeat("NOT ", 500)+"TRUE"), "nests deeper than 500")
	require.NoError(t, parse("TRUE"+strings.Repeat(" ", 10236)))
	require.ErrorContains(t, parse("TRUE"+strings.Repeat(" ", 10237)), "Member must have length less than or equal to 10240")
}

func TestCompositeRuleEvaluate(t *testing.T) {
	t.Parallel()
	state := map[string]State{"a": StateAlarm, "o": StateOK, "i": StateInsufficientData, "a2": StateAlarm, "o2": StateOK}
	of := func(arn string) State {
		_, name, _ := ParseARN(arn)
		return state[name]
	}
	for _, c := range []struct {
		text        string
		want        bool
		determining string
	}{
		{"TRUE", true, ""},
		{"FALSE", false, ""},
		{"ALARM(a)", true, "a"},
		{"ALARM(o)", false, "o"},
		{"OK(o)", true, "o"},
		{"INSUFFICIENT_DATA(i)", true, "i"},
		{"ALARM(unknown)", false, "unknown"},
		{"NOT ALARM(o)", true, "o"},
		{"ALARM(o) OR ALARM(i) OR ALARM(o2)", false, "o i o2"},
		{"ALARM(o) OR ALARM(a) OR ALARM(a2)", true, "a a2"},
		{"ALARM(a) AND ALARM(a2)", true, "a a2"},
		{"ALARM(a) AND ALARM(o) AND ALARM(i)", false, "o i"},
		{"TRUE OR ALARM(a)", true, "a"},
		{"TRUE OR ALARM(o)", true, ""},
		{"FALSE AND ALARM(a)", false, ""},
		{"ALARM(o) AND ALARM(o2) OR ALARM(a)", true, "a"},
		{"ALARM(a) OR ALARM(o) AND ALARM(o2)", true, "a"},
		{"(ALARM(a) OR ALARM(o)) AND ALARM(o2)", false, "o2"},
		{"NOT (ALARM(a) OR ALARM(o))", false, "a"},
		{"NOT ALARM(a) OR ALARM(a2)", true, "a2"},
		{"ALARM(a) OR OK(a)", true, "a"},
		{"AT_LEAST(2, ALARM, (a, a2, o))", true, "a a2"},
		{"AT_LEAST(3, ALARM, (a, a2, o))", false, "o"},
		{"AT_LEAST(2, ALARM, (a, a, o))", true, "a"},
		{"AT_LEAST(2, NOT ALARM, (a, i, o))", true, "i o"},
		{"AT_LEAST(50%, OK, (o, a, i))", false, "a i"},
		{"AT_LEAST(50%, OK, (o, a))", true, "o"},
		{"AT_LEAST(51%, OK, (o, a))", false, "a"},
		{"AT_LEAST(1%, OK, (o, a))", true, "o"},
		{"AT_LEAST(100%, OK, (o, o2))", true, "o o2"},
		{"AT_LEAST(34%, OK, (o, a, i))", false, "a i"},
		{"AT_LEAST(33%, OK, (o, a, i))", true, "o"},
	} {
		rule, err := ParseCompositeRule(c.text, ruleTenant)
		require.NoError(t, err, c.text)
		assert.Equal(t, c.want, rule.Evaluate(of), c.text)
		var names []string
		for _, ref := range rule.Determining(of) {
			names = append(names, ref.Name)
		}
		assert.Equal(t, c.determining, strings.Join(names, " "), c.text)
	}
}

func TestCompositeReasons(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:cloudwatch:us-east-1:111122223333:alarm:CompositeDemo.FirstChild"
	at := time.Date(2023, 8, 4, 12, 54, 46, 138e6, time.UTC)
	assert.Equal(t, arn+" transitioned to ALARM at Friday 04 August, 2023 12:54:46 UTC",
		compositeTransitionReason(arn, StateAlarm, at))
	assert.Equal(t, arn+" transitioned to ALARM at Friday 22 July, 2022 15:57:45 UTC",
		compositeTransitionReason(arn, StateAlarm, time.Date(2022, 7, 22, 17, 57, 45, 0, time.FixedZone("", 7200))))
	assert.Equal(t, arn+" was created and its alarm rule evaluates to OK", compositeCreatedReason(arn, StateOK))
	assert.Equal(t, arn+" was updated and its new alarm rule evaluates to ALARM", compositeUpdatedReason(arn, StateAlarm))
	// Character for character.
	want := `{"triggeringAlarms":[]}`
	assert.Equal(t, want, compositeReasonData(nil))
	want = `{"triggeringAlarms":[{"arn":"` + arn + `","state":{"value":"ALARM","timestamp":"2023-08-04T12:54:46.138+0000"}}]}`
	assert.Equal(t, want, compositeReasonData([]TriggeringAlarm{{ARN: arn, State: StateAlarm, Timestamp: at}}))
	many := make([]TriggeringAlarm, 100)
	for i := range many {
		many[i] = TriggeringAlarm{ARN: ARN(ruleTenant, fmt.Sprintf("<%d&>", i)), State: StateOK, Timestamp: at}
	}
	text := compositeReasonData(many)
	assert.LessOrEqual(t, len(text), longestReasonData)
	assert.Contains(t, text, `:alarm:<0&>","state"`)
	assert.True(t, strings.HasSuffix(text, `+0000"}}]}`))
}
