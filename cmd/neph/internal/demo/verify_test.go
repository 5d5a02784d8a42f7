// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDifference(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name      string
		sent, got []string
		otlp      bool
		want      string
	}{
		{"equal in another order", []string{"a", "b", "a"}, []string{"a", "a", "b"}, false, ""},
		{"missing", []string{"a", "a"}, []string{"a"}, false, "missing: a"},
		{"twice", []string{"a"}, []string{"a", "a"}, false, "never sent: a"},
		{"foreign", []string{"a"}, []string{"b"}, false, "missing: a"},
		{"texts are exact", []string{`{"a":1}`}, []string{`{"a":1.0}`}, false, `missing: {"a":1}`},
		{
			"of OTLP what was said is compared",
			[]string{`{"body":"b","attributes":{"run":"r","status":200}}`},
			[]string{`{"level":"INFO", "attributes":{"status":200, "run":"r"}, "body":"b", "flags":1}`},
			true, "",
		},
		{"what is no JSON is a text", []string{"{"}, []string{"{"}, true, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tc.want, difference(tc.sent, tc.got, tc.otlp))
		})
	}
}

func TestPercentileBounds(t *testing.T) {
	t.Parallel()
	values := make([]float64, 200)
	for i := range values {
		values[i] = float64(i + 1)
	}
	low, high := percentileBounds(values, 99)
	require.LessOrEqual(t, low, 198.0)
	require.GreaterOrEqual(t, high, 199.0)
	low, high = percentileBounds([]float64{5}, 99)
	require.InDelta(t, 5, low, 0)
	require.InDelta(t, 5, high, 0)
}

func TestLedgerStatistics(t *testing.T) {
	t.Parallel()
	l := newLedger()
	k := metricKey{Namespace: "n", Name: "m", Dimensions: dimensions("b", "2", "a", "1")}
	l.metric(k, single(3))
	l.metric(k, statistics{Count: 2, Sum: 12, Min: 5, Max: 7})
	l.metric(k, statistics{})
	require.Equal(t, statistics{Count: 3, Sum: 15, Min: 3, Max: 7}, *l.metrics[k])
	require.Equal(t, "3 samples, sum 15", l.metrics[k].String())
	require.Equal(t, [][2]string{{"a", "1"}, {"b", "2"}}, k.pairs())
}

func TestNear(t *testing.T) {
	t.Parallel()
	require.True(t, near(1e6, 1e6+1e-5))
	require.False(t, near(1e6, 1e6+1))
	require.False(t, near(0, 1e-3))
}

func TestCount(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567"} {
		require.Equal(t, want, count(n))
	}
}
