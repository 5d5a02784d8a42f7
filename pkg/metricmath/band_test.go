// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package metricmath

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// levelBander expects the level that belongs to what is asked for, and nothing at the second slot.
type levelBander struct {
	levels map[string]float64
	calls  []BandCall
	err    error
}

func (b *levelBander) Band(_ context.Context, call *BandCall) (BandFunc, error) {
	b.calls = append(b.calls, *call)
	level, ok := b.levels[call.Expr.String()]
	if !ok || b.err != nil {
		return nil, b.err
	}
	return func(at int64) (lower, upper float64, ok bool) {
		return level - call.Deviations, level + call.Deviations, at != testStart+60
	}, nil
}

type emptySearcher struct{}

func (emptySearcher) Search(context.Context, SearchCall) ([]Series, error) { return nil, nil }

func TestBand(t *testing.T) {
	bander := &levelBander{levels: map[string]float64{"m1": 10, "m1/m2": 5, "e0": 7}}
	r := request("1 - 3 4", "5 6 7 8")
	r.env.Bander = bander
	assert.Equal(t, "[12 - 12 12 | 8 - 8 8]", r.result(t, "ANOMALY_DETECTION_BAND(m1)"))
	assert.Equal(t, "[13.5 - 13.5 13.5 | 6.5 - 6.5 6.5]", r.result(t, "ANOMALY_DETECTION_BAND(m1, 3.5)"))
	assert.Equal(t, "13 - 13 13", r.result(t, "FIRST(ANOMALY_DETECTION_BAND(m1, 1+2))"))
	assert.Equal(t, "7 - 7 7", r.result(t, "LAST(ANOMALY_DETECTION_BAND(m1,3))"))
	assert.Equal(t, "[7 - 7 7 | 3 - 3 3]", r.result(t, "ANOMALY_DETECTION_BAND(m1/m2)"))
	assert.Equal(t, "[- - - - | - - - -]", r.result(t, "ANOMALY_DETECTION_BAND(m2)"), "not trained")

	bander.calls = nil
	r.queries = nil
	r.env.Metrics["m1"] = Series{Label: "requests", Of: "m1's metric", Period: 60}
	results, err := r.add(t, "hidden1", "m1+m2").add(t, "e0", "hidden1*2").add(t, "ad1", "ANOMALY_DETECTION_BAND(e0, 2)").
		add(t, "ad2", "ANOMALY_DETECTION_BAND(m1, 2)").run(t)
	require.NoError(t, err)
	require.Len(t, results, 3)
	assert.Equal(t, "9 - 9 9", pointsText(results[1].Series[0], 4))
	assert.Equal(t, "e0 (upper)", results[1].Series[0].Label)
	assert.Equal(t, "requests (upper)", results[2].Series[0].Label)
	assert.Equal(t, "requests (lower)", results[2].Series[1].Label)
	assert.Equal(t, "m1's metric", results[2].Series[1].Of)
	require.Len(t, bander.calls, 2)
	assert.Equal(t, []string{"m1", "m2"}, bander.calls[0].Metrics)
	assert.Empty(t, bander.calls[0].Metric)
	assert.Equal(t, "m1", bander.calls[1].Metric)
	assert.Equal(t, int64(60), bander.calls[1].Period)
	assert.Equal(t, "ad2", bander.calls[1].ID)

	p, err := Compile(r.ids, r.queries)
	require.NoError(t, err)
	bands := p.Bands()
	require.Len(t, bands, 2)
	assert.Equal(t, "ad1", bands[0].ID)

	bander.err = errors.New("broken")
	_, err = r.run(t)
	require.ErrorIs(t, err, bander.err)
	bander.err = &Error{Message: "no model of that"}
	_, err = r.run(t)
	require.EqualError(t, err, "Error in expression 'ad1': no model of that")
}

func TestBandErrors(t *testing.T) {
	f := func(expression, want string) {
		t.Helper()
		r := request("1 2", "1 2", "1 2")
		for _, id := range []string{"m3", "m4"} {
			s := r.env.Metrics["m1"]
			s.Period = map[string]int64{"m3": 300, "m4": 30}[id]
			r.env.Metrics[id] = s
		}
		r.ids = append(r.ids, "m4", "n1", "n2", "n3", "n4", "n5", "n6", "n7")
		r.queries = append(r.queries, Query{ID: "q1", Given: GivenSeries}, Query{ID: "q2", Given: GivenArray})
		r.env.Bander, r.env.Searcher = &levelBander{levels: map[string]float64{"m1": 1}}, emptySearcher{}
		_, err := r.add(t, "found", "SUM(SEARCH('x', 'Sum', 60))").add(t, "hidden0", "m1").add(t, "e1", expression).run(t)
		require.EqualError(t, err, "Error in expression 'e1': "+want)
	}
	const name = "Function 'ANOMALY_DETECTION_BAND' "
	f("ANOMALY_DETECTION_BAND()", name+"takes 1 to 2 arguments, not 0 (at position 0)")
	f("ANOMALY_DETECTION_BAND(5)", name+"takes a time series as argument 1, not a scalar (at position 23)")
	f("ANOMALY_DETECTION_BAND(METRICS())", name+"takes a time series as argument 1, not an array of time series (at position 23)")
	f("ANOMALY_DETECTION_BAND(q2)", name+"takes a time series as argument 1, not an array of time series (at position 23)")
	f("ANOMALY_DETECTION_BAND(m1, m2)", name+"takes a scalar as argument 2, not a time series (at position 27)")
	f("ANOMALY_DETECTION_BAND(SUM(METRICS()))", name+"cannot be applied to METRICS (at position 0)")
	f("ANOMALY_DETECTION_BAND(found)", name+"cannot be applied to SEARCH (at position 0)")
	f("ANOMALY_DETECTION_BAND(q1)", name+"cannot be applied to a Metrics Insights query (at position 0)")
	f("ANOMALY_DETECTION_BAND(TIME_SERIES(5))", name+"needs a metric (at position 0)")
	f("ANOMALY_DETECTION_BAND(FIRST(ANOMALY_DETECTION_BAND(m1)))", "An expression can have one function 'ANOMALY_DETECTION_BAND' only (at position 0)")
	f("FIRST(ANOMALY_DETECTION_BAND(m1))+FIRST(ANOMALY_DETECTION_BAND(m2))", "An expression can have one function 'ANOMALY_DETECTION_BAND' only (at position 40)")
	f("ANOMALY_DETECTION_BAND(m1+m2+m3+m4+n1+n2+n3+n4+n5+n6+n7)", name+"cannot be applied to more than 10 metrics (at position 0)")
	f("ANOMALY_DETECTION_BAND(m1+m3)", name+"takes metrics with one period, not with 60 and 300 seconds (at position 0)")
	f("ANOMALY_DETECTION_BAND(m4)", name+"takes metrics with a period of 60 to 3600 seconds, not 30 (at position 0)")
	f("ANOMALY_DETECTION_BAND(m1, 0)", name+"takes a number greater than 0 as argument 2 (at position 27)")
	f("ANOMALY_DETECTION_BAND(m1, -1)", name+"takes a number greater than 0 as argument 2 (at position 27)")

	r := request("1 2")
	r.queries = nil
	_, err := r.add(t, "ad0", "FIRST(ANOMALY_DETECTION_BAND(m1))").add(t, "e1", "ANOMALY_DETECTION_BAND(ad0)").run(t)
	require.EqualError(t, err, "Error in expression 'e1': "+name+"cannot be applied to another anomaly detection band (at position 0)")
}

func TestGiven(t *testing.T) {
	r := request("1 2 3")
	r.queries = []Query{{ID: "q1", Given: GivenSeries}, {ID: "q2", Given: GivenArray, Label: "L"}, {ID: "hidden", Given: GivenSeries, Hidden: true}}
	r.env.Given = map[string][]Series{"q1": {points("4 5 -")}, "q2": {points("1 - -"), points("- 1 1")}}
	results, err := r.add(t, "e1", "q1/2").add(t, "e2", "SUM(q2)+m1+hidden").add(t, "e3", "METRIC_COUNT(METRICS())*m1").run(t)
	require.NoError(t, err)
	require.Len(t, results, 5)
	assert.Equal(t, "4 5 -", pointsText(results[0].Series[0], 3))
	assert.Equal(t, "q1", results[0].Series[0].Label)
	assert.True(t, results[1].Array)
	assert.Equal(t, "L metric", results[1].Series[1].Label)
	assert.Equal(t, "2 2.5 -", pointsText(results[2].Series[0], 3))
	assert.Equal(t, "2 3 4", pointsText(results[3].Series[0], 3))
	assert.Equal(t, "1 2 3", pointsText(results[4].Series[0], 3), "METRICS() are metrics only")
	p, err := Compile(r.ids, r.queries)
	require.NoError(t, err)
	assert.Equal(t, []string{"q1"}, p.GivenSources("e1"))
	assert.Equal(t, []string{"q2", "hidden"}, p.GivenSources("e2"))
	assert.Equal(t, []string{"q2"}, p.GivenSources("q2"))
	assert.Empty(t, p.GivenSources("nosuch"))

	r.env.Given["q1"] = make([]Series, 2)
	_, err = r.run(t)
	require.Error(t, err)
	r.env.Given["q1"] = []Series{{Timestamps: []int64{1}}}
	_, err = r.run(t)
	require.Error(t, err)
	_, err = request("1").add(t, "e1", "q1+1").run(t)
	require.EqualError(t, err, "Error in expression 'e1': ID 'q1' not found")
}
