// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package monitoring

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// TestDefaultLabels holds what CloudWatch was recorded to answer.
func TestDefaultLabels(t *testing.T) {
	query := func(name, stat string, period int64, dims ...string) dataQuery {
		s, ok := cloudwatch.ParseStatistic(stat)
		require.True(t, ok)
		q := dataQuery{stat: s, period: period, returnData: true, metric: cloudwatch.Metric{Namespace: "n", Name: name}}
		for i := 0; i < len(dims); i += 2 {
			q.metric.Dimensions = append(q.metric.Dimensions, cloudwatch.Dimension{Name: dims[i], Value: dims[i+1]})
		}
		return q
	}
	with := func(q dataQuery, change func(*dataQuery)) dataQuery {
		change(&q)
		return q
	}
	for name, c := range map[string]struct {
		queries []dataQuery
		want    []string
	}{
		"one": {
			[]dataQuery{query("m", "p99", 60)},
			[]string{"m"},
		},
		"two statistics": {
			[]dataQuery{query("m", "Sum", 60), query("m", "Minimum", 60)},
			[]string{"m Sum", "m Minimum"},
		},
		"two periods": {
			[]dataQuery{query("m", "Sum", 60), query("m", "Sum", 30)},
			[]string{"m 60", "m 30"},
		},
		"both": {
			[]dataQuery{query("m", "Sum", 60), query("m", "Minimum", 30)},
			[]string{"m Sum 60", "m Minimum 30"},
		},
		"units are never in it": {
			[]dataQuery{
				with(query("m", "Sum", 60), func(q *dataQuery) { q.unit = "Seconds" }),
				with(query("m", "Sum", 60), func(q *dataQuery) { q.unit = "Milliseconds" }),
			},
			[]string{"m", "m"},
		},
		"two names": {
			[]dataQuery{query("a", "Sum", 60), query("b", "Minimum", 60)},
			[]string{"a", "b"},
		},
		"explicit label does not take part": {
			[]dataQuery{query("m", "Sum", 60), with(query("m", "Minimum", 60), func(q *dataQuery) { q.label, q.hasLabel = "low", true })},
			[]string{"m", "low"},
		},
		"hidden does not take part": {
			[]dataQuery{query("m", "Sum", 60), with(query("m", "Minimum", 60), func(q *dataQuery) { q.returnData = false })},
			[]string{"m", "m Minimum"},
		},
		"dimension that differs": {
			[]dataQuery{query("m", "Sum", 60, "host", "a", "zone", "z"), query("m", "Sum", 60, "host", "b", "zone", "z")},
			[]string{"a", "b"},
		},
		"dimension not on all": {
			[]dataQuery{query("m", "Sum", 60, "host", "a"), query("m", "Sum", 60)},
			[]string{"a", "m"},
		},
		"dimension and name": {
			[]dataQuery{query("x", "Sum", 60, "host", "a"), query("y", "Sum", 60, "host", "b")},
			[]string{"a x", "b y"},
		},
		"namespaces": {
			[]dataQuery{query("m", "Sum", 60), with(query("m", "Sum", 60), func(q *dataQuery) { q.metric.Namespace = "o" })},
			[]string{"n", "o"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			labels(c.queries)
			var got []string
			for i := range c.queries {
				got = append(got, c.queries[i].label)
			}
			assert.Equal(t, c.want, got)
		})
	}
}

// TestLabelsOfMany compares the labels of random queries with what the rule says of each pair of them.
func TestLabelsOfMany(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		queries := make([]dataQuery, 1+r.IntN(6))
		for i := range queries {
			q := &queries[i]
			q.metric = cloudwatch.Metric{Namespace: strconv.Itoa(r.IntN(8) / 7), Name: "n" + strconv.Itoa(r.IntN(4)/3)}
			for d := range 3 {
				if r.IntN(3) > 0 {
					q.metric.Dimensions = append(q.metric.Dimensions, cloudwatch.Dimension{Name: strconv.Itoa(d), Value: "v" + strconv.Itoa(r.IntN(2))})
				}
			}
			q.stat, _ = cloudwatch.ParseStatistic([]string{"Sum", "Sum", "p99"}[r.IntN(3)])
			q.period = []int64{60, 60, 300}[r.IntN(3)]
			q.returnData = r.IntN(4) > 0
			if q.hasLabel = r.IntN(5) == 0; q.hasLabel {
				q.label = "own"
			}
		}
		want := slices.Clone(queries)
		var participants []*dataQuery
		for i := range want {
			if q := &want[i]; !q.hasLabel && q.returnData {
				participants = append(participants, q)
			}
		}
		for i := range want {
			if q := &want[i]; !q.hasLabel {
				q.label = labelByPairs(q, participants)
			}
		}
		labels(queries)
		require.Equal(t, want, queries)
	}
}

// labelByPairs is the rule as it is written: it asks of each part whether it differs from any participant's.
func labelByPairs(q *dataQuery, all []*dataQuery) string {
	var parts []string
	add := func(part string, when bool) {
		if when {
			parts = append(parts, part)
		}
	}
	differs := func(f func(*dataQuery) bool) bool { return slices.ContainsFunc(all, f) }
	m := &q.metric
	add(m.Namespace, differs(func(o *dataQuery) bool { return o.metric.Namespace != m.Namespace }))
	for _, d := range m.Dimensions {
		add(d.Value, differs(func(o *dataQuery) bool { return !slices.Contains(o.metric.Dimensions, d) }))
	}
	add(m.Name, len(parts) == 0 || differs(func(o *dataQuery) bool { return o.metric.Name != m.Name }))
	same := func(o *dataQuery) bool { return cloudwatch.CompareMetrics(&o.metric, m) == 0 }
	add(q.stat.String(), differs(func(o *dataQuery) bool { return same(o) && o.stat.String() != q.stat.String() }))
	add(strconv.FormatInt(q.period, 10), differs(func(o *dataQuery) bool { return same(o) && o.period != q.period }))
	return strings.Join(parts, " ")
}
