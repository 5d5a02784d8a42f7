// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package xray

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseSeconds(t *testing.T) {
	t.Parallel()
	for lit, want := range map[string]int64{
		"0": 0, "0.0": 0, "0e999999999999999999999": 0, "1": 1e9, "1.0": 1e9, "1478293361.271": 1478293361271000000,
		"1.478293361271E9": 1478293361271000000, "1.478293361271e+9": 1478293361271000000, "1478293361271e-3": 1478293361271000000,
		"1700000000.123456789": 1700000000123456789, "1700000000.1234567894": 1700000000123456789, "1700000000.1234567895": 1700000000123456790,
		"0.000000001": 1, "0.0000000005": 1, "0.0000000004": 0, "0.00000000049999": 0, "1e-9": 1, "1e-99999999999999999999": 0, "5e-10": 1,
		"0.99999999999": 1000000000, "9223372036.854775807": 1<<63 - 1, "17000000001234567890123456789e-19": 1700000000123456789,
	} {
		got, err := parseSeconds(lit)
		require.NoError(t, err, lit)
		require.Equal(t, want, got, lit)
	}
	for _, lit := range []string{"-1", "-0", "9223372036.854775808", "1e10", "1700000000000", "1e999999999999999999999"} {
		_, err := parseSeconds(lit)
		require.Error(t, err, lit)
	}
}

func TestAppendSeconds(t *testing.T) {
	t.Parallel()
	for want, ns := range map[string]int64{
		"0": 0, "1": 1e9, "1.5": 15e8, "0.000000001": 1, "1700000000.123456789": 1700000000123456789, "9223372036.854775807": 1<<63 - 1,
	} {
		require.Equal(t, want, string(appendSeconds(nil, ns)))
		require.True(t, canonicalSeconds(want, ns))
	}
	require.False(t, canonicalSeconds("1.50", 15e8))
	require.Equal(t, "0", string(appendSeconds(nil, -5)))
}

// FuzzSeconds compares with exact arithmetic.
func FuzzSeconds(f *testing.F) {
	for _, s := range []string{"1478293361.271", "1.478293361271E9", "0.0000000005", "12e-3"} {
		f.Add(s)
	}
	half := big.NewRat(1, 2)
	f.Fuzz(func(t *testing.T, s string) {
		tr := getTree()
		defer putTree(tr)
		if len(s) > 60 || tr.parse(s) != nil || tr.nodes[0].kind != kindNumber {
			return
		}
		lit := tr.raw(0)
		got, err := parseSeconds(lit)
		x, ok := new(big.Float).SetPrec(2000).SetString(lit)
		if !ok || x.MantExp(nil) > 100 || x.Sign() < 0 {
			return
		}
		r, ok := new(big.Rat).SetString(lit)
		if !ok || r.Sign() == 0 {
			return
		}
		r.Mul(r, big.NewRat(1e9, 1)).Add(r, half)
		n := new(big.Int).Quo(r.Num(), r.Denom())
		if !n.IsInt64() {
			require.Error(t, err, lit)
			return
		}
		require.NoError(t, err, lit)
		require.Equal(t, n.Int64(), got, lit)
		again, err := parseSeconds(string(appendSeconds(nil, got)))
		require.NoError(t, err)
		require.Equal(t, got, again)
	})
}
