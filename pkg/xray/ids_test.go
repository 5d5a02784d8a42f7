// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package xray

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTraceID(t *testing.T) {
	t.Parallel()
	id, err := ParseTraceID("1-4efaaf4d-1e8720b39541901950019ee5")
	require.NoError(t, err)
	require.Equal(t, "4efaaf4d1e8720b39541901950019ee5", id.W3C())
	require.Equal(t, "1-4efaaf4d-1e8720b39541901950019ee5", id.String())
	require.Equal(t, int64(0x4efaaf4d), id.Epoch())
	for _, s := range []string{"4efaaf4d1e8720b39541901950019ee5", "4EFAAF4D1E8720B39541901950019EE5", "1-4EFAAF4D-1E8720B39541901950019EE5"} {
		other, err := ParseTraceID(s)
		require.NoError(t, err, s)
		require.Equal(t, id, other)
	}
	for _, s := range []string{
		"", "1-4efaaf4d-1e8720b39541901950019ee", "1-4efaaf4d+1e8720b39541901950019ee5", "0-4efaaf4d-1e8720b39541901950019ee5",
		"1-4efaaf4g-1e8720b39541901950019ee5", "zefaaf4d1e8720b39541901950019ee5",
	} {
		_, err := ParseTraceID(s)
		require.Error(t, err, s)
	}
}

func TestSpanID(t *testing.T) {
	t.Parallel()
	id, err := ParseSpanID("53995C3f42cd8ad8")
	require.NoError(t, err)
	require.Equal(t, "53995c3f42cd8ad8", id.String())
	require.False(t, id.IsZero())
	require.NotEqual(t, id, id.derive("a"))
	again := SpanID{0x53, 0x99, 0x5c, 0x3f, 0x42, 0xcd, 0x8a, 0xd8}
	require.Equal(t, again.derive("a"), id.derive("a"))
	require.NotEqual(t, id.derive("a"), id.derive("b"))
	for _, s := range []string{"", "53995c3f42cd8ad", "53995c3f42cd8adx", "53995c3f42cd8ad80"} {
		_, err := ParseSpanID(s)
		require.Error(t, err, s)
	}
}

func TestHeader(t *testing.T) {
	t.Parallel()
	const root, parent = "1-5759e988-bd862e3fe1be46a994272793", "53995c3f42cd8ad8"
	for _, c := range []struct {
		in, out  string
		sampling SamplingDecision
		others   int
	}{
		{"Root=" + root + ";Parent=" + parent + ";Sampled=1", "", SamplingYes, 0},
		{"Root=" + root, "", SamplingUndecided, 0},
		{" Sampled=? ; Root=" + root + ";", "Root=" + root + ";Sampled=?", SamplingAsk, 0},
		{"Self=1-67891234-12456789abcdef012345678;Root=" + root + ";CalledFrom=app", "Root=" + root + ";Self=1-67891234-12456789abcdef012345678;CalledFrom=app", 0, 2},
		{"Root=" + root + ";Parent=" + parent + ";Sampled=0;Lineage=25:a87bd80c:1", "", SamplingNo, 1},
		{"CalledFrom=a=b", "", SamplingUndecided, 1},
	} {
		h, err := ParseHeader(c.in)
		require.NoError(t, err, c.in)
		require.Equal(t, c.sampling, h.Sampling)
		require.Len(t, h.Others, c.others)
		want := c.out
		if want == "" {
			want = c.in
		}
		require.Equal(t, want, h.String())
	}
	for _, s := range []string{"", " ", "Root", "Root=x", "Root=" + root + ";Parent=y", "Sampled=2", "Sampled="} {
		_, err := ParseHeader(s)
		require.Error(t, err, s)
	}
	_, err := ParseHeader(string(make([]byte, maxHeaderLength+1)))
	require.Error(t, err)
}

func FuzzHeader(f *testing.F) {
	f.Add("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=25:a87bd80c:1")
	f.Fuzz(func(t *testing.T, s string) {
		h, err := ParseHeader(s)
		if err != nil || h.String() == "" {
			return
		}
		again, err := ParseHeader(h.String())
		require.NoError(t, err)
		require.Equal(t, h, again)
	})
}
