// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package cloudwatch

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNewMetric(t *testing.T) {
	dims := []Dimension{{"b", "2"}, {"a", "1"}}
	m, err := NewMetric("ns", "m", dims)
	require.NoError(t, err)
	assert.Equal(t, []Dimension{{"a", "1"}, {"b", "2"}}, m.Dimensions)
	assert.Equal(t, "b", dims[0].Name, "the argument is left alone")
	_, err = NewMetric("ns", "m", []Dimension{{"a", "1"}, {"b", "2"}, {"a", "3"}})
	require.ErrorIs(t, err, ErrDuplicateDimension)
}

// Keys are equal only for equal metrics, sort as metrics do, and read back.
func TestKeyProperties(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	alphabet := []string{"", "a", "b", "\x00", "\x01", "\xff", "ab", "a\x00", "\x00\xff", "\x00\x01"}
	word := func() string { return alphabet[rng.IntN(len(alphabet))] + alphabet[rng.IntN(len(alphabet))] }
	var metrics []Metric
	for len(metrics) < 400 {
		var dims []Dimension
		for range rng.IntN(3) {
			dims = append(dims, Dimension{word(), word()})
		}
		if m, err := NewMetric(word(), word(), dims); err == nil {
			metrics = append(metrics, m)
		}
	}
	for i := range metrics {
		a := &metrics[i]
		key := a.AppendKey(nil)
		back, err := ParseKey(key)
		require.NoError(t, err)
		require.Zero(t, CompareMetrics(a, &back), "%q", key)
		for j := range metrics {
			require.Equal(t, CompareMetrics(a, &metrics[j]), bytes.Compare(key, metrics[j].AppendKey(nil)), "%v\n%v", a, metrics[j])
		}
	}
}

func FuzzParseKey(f *testing.F) {
	m, _ := NewMetric("ns", "name", []Dimension{{"a", "1"}, {"b\x00", "2"}})
	f.Add(m.AppendKey(nil))
	f.Fuzz(func(t *testing.T, key []byte) {
		m, err := ParseKey(key)
		if err != nil {
			return
		}
		require.Equal(t, key, m.AppendKey(nil))
	})
}

func BenchmarkAppendKey(b *testing.B) {
	m, _ := NewMetric("MyCompany/Shop", "Latency", []Dimension{{"Service", "checkout"}, {"Region", "eu-west-1"}, {"Stage", "prod"}})
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = m.AppendKey(buf[:0])
	}
}
