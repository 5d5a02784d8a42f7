// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package emf

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

func testDatum(name string, value float64, dims ...cloudwatch.Dimension) cloudwatch.Datum {
	return cloudwatch.Datum{
		Metric:      cloudwatch.Metric{Namespace: "n", Name: name, Dimensions: dims},
		TimestampMs: testTs, Unit: "Count", StorageResolution: 60, Value: value,
	}
}

func TestEncode(t *testing.T) {
	high := testDatum("h", 0)
	high.StorageResolution, high.Unit = 1, cloudwatch.UnitNone
	high.Values, high.Counts = []float64{1, 2}, []float64{1, 2}
	set := testDatum("s", 0)
	set.Statistics = &cloudwatch.StatisticSet{SampleCount: 4, Sum: 20, Minimum: 1, Maximum: 9}
	weighted := testDatum("w", 0)
	weighted.Values, weighted.Counts = []float64{1, 2}, []float64{1000, 0.5}
	docs, errs := Encode([]cloudwatch.Datum{
		testDatum("m", 1, cloudwatch.Dimension{Name: "d", Value: "ä\""}), high, set, weighted,
		testDatum("m", 2, cloudwatch.Dimension{Name: "d", Value: "ä\""}),
	}, EncodeOptions{LogGroupName: "g", LogStreamName: "s"})
	assert.Empty(t, errs)
	assert.Equal(t, []string{
		`{"_aws":{"Timestamp":1735689600123,"LogGroupName":"g","LogStreamName":"s","CloudWatchMetrics":[{"Namespace":"n","Dimensions":[["d"]],` +
			`"Metrics":[{"Name":"m","Unit":"Count"}]}]},"d":"ä\"","m":1}`,
		`{"_aws":{"Timestamp":1735689600123,"LogGroupName":"g","LogStreamName":"s","CloudWatchMetrics":[{"Namespace":"n","Dimensions":[["d"]],` +
			`"Metrics":[{"Name":"m","Unit":"Count"}]}]},"d":"ä\"","m":2}`,
		`{"_aws":{"Timestamp":1735689600123,"LogGroupName":"g","LogStreamName":"s","CloudWatchMetrics":[{"Namespace":"n","Dimensions":[[]],` +
			`"Metrics":[{"Name":"h","StorageResolution":1},{"Name":"s","Unit":"Count"},{"Name":"w","Unit":"Count"}]}]},` +
			`"h":[1,2,2],"s":{"Max":9,"Min":1,"Count":4,"Sum":20},` +
			`"w":{"Values":[1,2],"Counts":[1000,0.5],"Max":2,"Min":1,"Count":1000.5,"Sum":1001}}`,
	}, docs)
	for _, d := range docs {
		assert.True(t, json.Valid([]byte(d)))
	}
}

func TestEncodeSplits(t *testing.T) {
	var data []cloudwatch.Datum
	for i := range 250 {
		data = append(data, testDatum(fmt.Sprint("m", i), 1))
	}
	docs, errs := Encode(data, EncodeOptions{})
	assert.Empty(t, errs)
	assert.Len(t, docs, 3)
	docs, errs = Encode(data, EncodeOptions{MaxBytes: 1000})
	assert.Empty(t, errs)
	n := 0
	for _, d := range docs {
		assert.LessOrEqual(t, len(d), 1000)
		n += len(Extract(nil, d, 0, Options{}).Data)
	}
	assert.Equal(t, 250, n)
	docs, errs = Encode(data[:1], EncodeOptions{MaxBytes: 50})
	assert.Empty(t, docs)
	require.Len(t, errs, 1)
	assert.Equal(t, ReasonTooMuchData, errs[0].Reason)
}

func TestEncodeRefuses(t *testing.T) {
	edit := func(f func(*cloudwatch.Datum)) cloudwatch.Datum {
		d := testDatum("m", 1)
		f(&d)
		return d
	}
	for want, d := range map[Reason]cloudwatch.Datum{
		ReasonNamespace:         edit(func(d *cloudwatch.Datum) { d.Namespace = "" }),
		ReasonMetricDefinition:  edit(func(d *cloudwatch.Datum) { d.Dimensions = []cloudwatch.Dimension{{Name: "m", Value: "x"}} }),
		ReasonDimensionSet:      edit(func(d *cloudwatch.Datum) { d.Dimensions = []cloudwatch.Dimension{{Name: "_aws", Value: "x"}} }),
		ReasonDimensionValue:    edit(func(d *cloudwatch.Datum) { d.Dimensions = []cloudwatch.Dimension{{Name: "d"}} }),
		ReasonUnit:              edit(func(d *cloudwatch.Datum) { d.Unit = "x" }),
		ReasonStorageResolution: edit(func(d *cloudwatch.Datum) { d.StorageResolution = 5 }),
		ReasonMetricValue:       edit(func(d *cloudwatch.Datum) { d.Value = math.NaN() }),
	} {
		docs, errs := Encode([]cloudwatch.Datum{d}, EncodeOptions{})
		assert.Empty(t, docs)
		require.Len(t, errs, 1, want)
		assert.Equal(t, want, errs[0].Reason)
		require.ErrorContains(t, errs[0], string(want))
	}
}

// What Encode writes, Extract reads: the same statistics of every series, and the same distribution.
func TestEncodeRoundTrip(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	for range 200 {
		var data []cloudwatch.Datum
		for range 1 + rng.IntN(40) {
			var dims []cloudwatch.Dimension
			if rng.IntN(2) == 0 {
				dims = append(dims, cloudwatch.Dimension{Name: "d", Value: fmt.Sprint("v", rng.IntN(3))})
			}
			d := testDatum(fmt.Sprint("m", rng.IntN(5)), rng.NormFloat64(), dims...)
			d.TimestampMs += rng.Int64N(2)
			switch rng.IntN(3) {
			case 0:
				for i := range 1 + rng.IntN(400) {
					d.Values = append(d.Values, float64(i)+rng.Float64()/2)
					d.Counts = append(d.Counts, float64(1+rng.IntN(5)))
				}
			case 1:
				d.Statistics = &cloudwatch.StatisticSet{SampleCount: 1 + rng.Float64(), Sum: rng.NormFloat64(), Minimum: -1, Maximum: rng.Float64()}
			}
			data = append(data, d)
		}
		docs, errs := Encode(data, EncodeOptions{MaxBytes: 5000 + rng.IntN(10000)})
		require.Empty(t, errs)
		var got []cloudwatch.Datum
		for _, doc := range docs {
			res := Extract(got, doc, 0, Options{})
			require.NoError(t, res.Report.Err())
			got = res.Data
		}
		want, have := summarize(data), summarize(got)
		require.Equal(t, slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(have)))
		for k, w := range want {
			require.InDeltaSlice(t, w, have[k], 1e-6, "%s", strings.ToValidUTF8(k, "?"))
		}
	}
}

func summarize(data []cloudwatch.Datum) map[string][]float64 {
	type period struct {
		s    cloudwatch.StatisticSet
		dist cloudwatch.Distribution
	}
	periods := map[string]*period{}
	for i := range data {
		d := &data[i]
		key := fmt.Sprintf("%s %d %s %d", d.AppendKey(nil), d.TimestampMs, d.Unit, d.StorageResolution)
		if periods[key] == nil {
			periods[key] = &period{}
		}
		d.AddTo(&periods[key].s, &periods[key].dist)
	}
	out := map[string][]float64{}
	for key, p := range periods {
		p50, _ := p.dist.Percentile(50)
		out[key] = []float64{p.s.SampleCount, p.s.Sum, p.s.Minimum, p.s.Maximum, p.dist.Count(), p50}
	}
	return out
}
