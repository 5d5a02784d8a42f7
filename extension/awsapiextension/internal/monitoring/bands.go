// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package monitoring

import (
	"context"
	"slices"

	"github.com/nephoscope/nephoscope/pkg/anomaly"
	"github.com/nephoscope/nephoscope/pkg/metricmath"
)

// requestBander answers the bands of one request.
type requestBander struct {
	anomaly.Bander

	// forbidden are the ids of metrics of other accounts, of which there are no models.
	forbidden []string
}

func (m *mathRequest) bander(queries []metricmath.Query) metricmath.Bander {
	b := &requestBander{Bander: anomaly.Bander{Models: m.models, Tenant: m.reader.tenant, Now: m.now, Queries: queries}}
	for i := range m.stats {
		q := &m.stats[i]
		if q.forbidden {
			b.forbidden = append(b.forbidden, q.id)
		}
		b.Metrics = append(b.Metrics, anomaly.NamedMetric{ID: q.id, Metric: anomaly.Metric{
			Metric: q.metric, Stat: q.stat.String(), Unit: q.unit, Period: q.period,
		}})
	}
	return b
}

// Band implements [metricmath.Bander].
func (b *requestBander) Band(ctx context.Context, call *metricmath.BandCall) (metricmath.BandFunc, error) {
	for _, id := range call.Metrics {
		if slices.Contains(b.forbidden, id) {
			return nil, nil // the result is forbidden as a whole
		}
	}
	return b.Bander.Band(ctx, call)
}
