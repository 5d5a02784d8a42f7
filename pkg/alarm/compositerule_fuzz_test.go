// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// FuzzCompositeRule: what parses prints to what parses to the same, and children that determine a verdict are enough for it.
func FuzzCompositeRule(f *testing.F) {
	for _, seed := range []string{
		"TRUE", "NOT ALARM(a) AND (OK(\"b c\") OR INSUFFICIENT_DATA(d))", "AT_LEAST(50%, NOT OK, (a, b, \"c\\\"d\"))",
		"ALARM(arn:aws:cloudwatch:us-east-1:123456789012:alarm:x y)", "TRUE and FALSE", "ALARM(a) OR ALARM(b) AND ALARM(c)", "((((",
	} {
		f.Add(seed, uint64(0x9e3779b97f4a7c15))
	}
	f.Fuzz(func(t *testing.T, text string, seed uint64) {
		rule, err := ParseCompositeRule(text, ruleTenant)
		if err != nil {
			var wrong *Error
			require.ErrorAs(t, err, &wrong)
			return
		}
		again, err := ParseCompositeRule(rule.String(), ruleTenant)
		require.NoError(t, err, rule.String())
		require.Equal(t, rule.String(), again.String())
		require.ElementsMatch(t, rule.Children(), again.Children())

		all := []State{StateOK, StateAlarm, StateInsufficientData}
		states := make(map[string]State)
		for _, child := range rule.Children() {
			states[child.ARN] = all[seed%3]
			seed = seed/3 + seed<<61
		}
		of := func(arn string) State { return states[arn] }
		verdict := rule.Evaluate(of)
		require.Equal(t, verdict, again.Evaluate(of))
		// Whatever the others are, the verdict stays. One other child at a time is enough to try.
		determining := make(map[string]bool)
		for _, ref := range rule.Determining(of) {
			determining[ref.ARN] = true
		}
		for _, child := range rule.Children() {
			if determining[child.ARN] {
				continue
			}
			was := states[child.ARN]
			for _, s := range all {
				states[child.ARN] = s
				assert.Equal(t, verdict, rule.Evaluate(of), "%s with %s %s", rule, child.Name, s)
			}
			states[child.ARN] = was
		}
	})
}
