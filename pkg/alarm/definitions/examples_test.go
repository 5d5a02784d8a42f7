// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package definitions

import (
	"cmp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/pkg/alarm"
)

const examples = "../../../examples/alarms/"

func load(t *testing.T, s Settings, files ...string) *Set {
	t.Helper()
	set, err := Load(s, files...)
	require.NoError(t, err)
	return set
}

// byName is the alarms in order of their names.
func byName(set *Set) []*alarm.Definition {
	out := make([]*alarm.Definition, len(set.Alarms))
	for i := range set.Alarms {
		out[i] = set.Alarms[i].Alarm
	}
	slices.SortFunc(out, func(a, b *alarm.Definition) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// TestExamplesAreTheSame loads the same alarms from three languages.
func TestExamplesAreTheSame(t *testing.T) {
	t.Parallel()
	s := Settings{Account: "123456789012"}
	native := byName(load(t, s, examples+"native/shop.yaml"))
	require.Len(t, native, 4)
	for _, other := range []string{"terraform", "cloudformation", "cloudformation/shop.template.yaml"} {
		set := load(t, s, examples+other)
		require.Empty(t, set.Notes)
		require.Equal(t, native, byName(set), other)
	}
}
