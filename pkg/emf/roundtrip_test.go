// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package emf

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// anyData makes data of different names, of all forms, with text from outside.
func anyData(rng *rand.Rand, text string) []cloudwatch.Datum {
	number := func() float64 {
		switch rng.IntN(5) {
		case 0:
			return float64(rng.IntN(10))
		case 1:
			return -rng.ExpFloat64()
		case 2:
			return math.Ldexp(rng.Float64(), rng.IntN(700)-350)
		}
		return rng.NormFloat64() * 1000
	}
	data := make([]cloudwatch.Datum, 1+rng.IntN(10))
	for i := range data {
		d := &data[i]
		*d = cloudwatch.Datum{
			Metric:      cloudwatch.Metric{Namespace: "n" + text, Name: fmt.Sprint(text, i)},
			TimestampMs: testTs, Unit: cloudwatch.Units()[rng.IntN(27)], StorageResolution: []int32{1, 60}[rng.IntN(2)],
		}
		for j := range rng.IntN(4) {
			d.Dimensions = append(d.Dimensions, cloudwatch.Dimension{Name: fmt.Sprint("d", j), Value: text + "x"})
		}
		switch rng.IntN(3) {
		case 0:
			d.Value = number() + 0 // no negative zero
		case 1:
			d.Statistics = &cloudwatch.StatisticSet{SampleCount: 1 + rng.Float64(), Sum: number(), Minimum: -1, Maximum: rng.Float64()}
		case 2:
			seen := make(map[float64]bool)
			for range 1 + rng.IntN(300) {
				if v := number(); !seen[v] {
					seen[v] = true
					d.Values = append(d.Values, v)
					d.Counts = append(d.Counts, []float64{1, float64(1 + rng.IntN(100)), 0.5 + rng.Float64()}[rng.IntN(3)])
				}
			}
		}
	}
	return data
}

type sample struct{ value, count float64 }

// contents maps each series to exactly what was published of it.
func contents(data []cloudwatch.Datum) map[string][]sample {
	out := make(map[string][]sample)
	for i := range data {
		d := &data[i]
		key := fmt.Sprintf("%q %d %s %d %v", d.AppendKey(nil), d.TimestampMs, d.Unit, d.StorageResolution, d.Statistics != nil)
		switch {
		case d.Statistics != nil:
			s := d.Statistics
			out[key] = append(out[key], sample{s.SampleCount, s.Sum}, sample{s.Minimum, s.Maximum})
		case d.Values == nil:
			out[key] = append(out[key], sample{d.Value, 1})
		default:
			for j, v := range d.Values {
				if d.Counts[j] > 0 {
					out[key] = append(out[key], sample{v, d.Counts[j]})
				}
			}
		}
	}
	for _, list := range out {
		slices.SortFunc(list, func(a, b sample) int {
			switch {
			case a.value < b.value:
				return -1
			case a.value > b.value:
				return 1
			}
			return 0
		})
	}
	return out
}

func requireRoundTrip(t *testing.T, data []cloudwatch.Datum, opts EncodeOptions) {
	t.Helper()
	docs, errs := Encode(data, opts)
	refused := make(map[int]bool)
	for _, e := range errs {
		refused[e.Index] = true
	}
	var want []cloudwatch.Datum
	for i := range data {
		if !refused[i] {
			want = append(want, data[i])
		}
	}
	var got []cloudwatch.Datum
	for _, doc := range docs {
		res := Extract(got, doc, 0, Options{AllowReservedNamespace: true})
		require.NoError(t, res.Report.Err(), doc)
		got = res.Data
	}
	assert.Equal(t, contents(want), contents(got))
}

// What Encode writes, Extract reads back exactly.
func FuzzEncodeRoundTrip(f *testing.F) {
	f.Add(uint64(1), "m")
	f.Add(uint64(2), "ä\"\\ <&>")
	f.Add(uint64(3), "_aws")
	f.Add(uint64(4), "d0")
	f.Add(uint64(5), "\x00\xff")
	f.Fuzz(func(t *testing.T, seed uint64, text string) {
		rng := rand.New(rand.NewPCG(seed, 1))
		requireRoundTrip(t, anyData(rng, text), EncodeOptions{MaxBytes: 2000 + rng.IntN(20000)})
	})
}

func TestEncodeRoundTripIsExact(t *testing.T) {
	for seed := range uint64(500) {
		rng := rand.New(rand.NewPCG(seed, 2))
		requireRoundTrip(t, anyData(rng, "m"), EncodeOptions{})
	}
}

func TestEncodeRefusesNothing(t *testing.T) {
	d := testDatum("m", 0)
	d.Values, d.Counts = []float64{1}, []float64{0}
	docs, errs := Encode([]cloudwatch.Datum{d}, EncodeOptions{})
	assert.Empty(t, docs)
	require.Len(t, errs, 1)
	assert.Equal(t, ReasonMetricValue, errs[0].Reason)
}

func TestAppendDocument(t *testing.T) {
	d := Document{
		TimestampMs: testTs,
		Directives: []Directive{
			{Namespace: "n", Dimensions: [][]string{{"d", "e"}, {}}, Metrics: []int{0, 1}},
			{Namespace: "o", Dimensions: [][]string{{"d"}}, Metrics: []int{1}},
		},
		Properties: []Property{{Name: "d", Value: "x"}, {Name: "e", Value: "<y>"}, {Name: "j", Value: `{"a":[1]}`, JSON: true}},
		Metrics:    []cloudwatch.Datum{testDatum("m", 1), testDatum("h", 0)},
	}
	d.Metrics[1].Values, d.Metrics[1].Counts, d.Metrics[1].StorageResolution = []float64{1, 2}, []float64{1, 2}, 1
	current := string(AppendDocument(nil, &d))
	want := `{"_aws":{"Timestamp":1735689600123,"CloudWatchMetrics":[{"Namespace":"n","Dimensions":[["d","e"],[]],` +
		`"Metrics":[{"Name":"m","Unit":"Count"},{"Name":"h","Unit":"Count","StorageResolution":1}]},{"Namespace":"o","Dimensions":[["d"]],` +
		`"Metrics":[{"Name":"h","Unit":"Count","StorageResolution":1}]}]},"d":"x","e":"<y>","j":{"a":[1]},"m":1,"h":[1,2,2]}`
	assert.Equal(t, want, current)
	d.Layout = LayoutLegacy
	legacy := string(AppendDocument(nil, &d))
	for _, doc := range []string{current, legacy} {
		res := Extract(nil, doc, 0, Options{})
		require.NoError(t, res.Report.Err())
		assert.Equal(t, []string{
			"n/m{d=x,e=<y>} Count 60 1", "n/m{} Count 60 1", "n/h{d=x,e=<y>} Count 1 [1 2] x[1 2]", "n/h{} Count 1 [1 2] x[1 2]",
			"o/h{d=x} Count 1 [1 2] x[1 2]",
		}, describe(res.Data))
	}
	d.Directives, d.Metrics = nil, nil
	want = `{"Version":"0","Timestamp":"1735689600123","d":"x","e":"<y>","j":{"a":[1]}}`
	assert.Equal(t, want, string(AppendDocument(nil, &d)))
	assert.Equal(t, `{}`, string(AppendDocument(nil, &Document{})))
}

func TestReserved(t *testing.T) {
	for name, want := range map[string][2]bool{
		"_aws": {true, true}, "Timestamp": {false, true}, "CloudWatchMetrics": {false, true}, "Version": {false, true}, "x": {},
	} {
		assert.Equal(t, want, [2]bool{LayoutAWS.Reserved(name), LayoutLegacy.Reserved(name)}, name)
	}
}

func TestAppendErrorCounters(t *testing.T) {
	assert.Empty(t, AppendErrorCounters(nil, "g", 0, 0, testTs))
	assert.Equal(t, []string{
		"AWS/Logs/EMFParsingErrors{LogGroupName=g} None 60 2", "AWS/Logs/EMFValidationErrors{LogGroupName=g} None 60 3",
	}, describe(AppendErrorCounters(nil, "g", 2, 3, testTs)))
}

func BenchmarkEncode(b *testing.B) {
	data := make([]cloudwatch.Datum, 1000)
	for i := range data {
		data[i] = testDatum(fmt.Sprint("m", i%50), float64(i), cloudwatch.Dimension{Name: "host", Value: fmt.Sprint("h", i/50)})
	}
	b.ReportAllocs()
	for b.Loop() {
		if docs, errs := Encode(data, EncodeOptions{}); len(docs) != 20 || errs != nil {
			b.Fatal(len(docs), errs)
		}
	}
	b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "data/s")
}
