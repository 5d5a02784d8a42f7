// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package monitoring

import (
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
