// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package cloudwatch

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestUnitsRoundTrip(t *testing.T) {
	all := Units()
	require.Len(t, all, 27)
	assert.Equal(t, "Seconds", all[0])
	assert.Equal(t, UnitNone, all[26])
	seen := map[string]bool{}
	for _, u := range all {
		assert.True(t, ValidUnit(u))
		code, ok := UCUM(u)
		require.True(t, ok, u)
		assert.False(t, seen[code], "%s is used twice", code)
		seen[code] = true
		back, ok := UnitFromUCUM(code)
		require.True(t, ok, code)
		assert.Equal(t, u, back)
	}
	assert.False(t, ValidUnit("seconds"))
	assert.False(t, ValidUnit(""))
	_, ok := UCUM("Furlongs")
	assert.False(t, ok)
}

func TestUnitFromUCUM(t *testing.T) {
	for _, tt := range []struct {
		code, want string
		ok         bool
	}{
		{"1", "None", true},
		{"{request}", "Count", true},
		{"{request}/s", "Count/Second", true},
		{"{a}{b}", "None", false},
		{"{", "None", false},
		{"ns", "None", false},
		{"Cel", "None", false},
		{"KiBy", "None", false},
		{"kBy/s", "Kilobytes/Second", true},
	} {
		got, ok := UnitFromUCUM(tt.code)
		assert.Equal(t, tt.want, got, tt.code)
		assert.Equal(t, tt.ok, ok, tt.code)
	}
}
