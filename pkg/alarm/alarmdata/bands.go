// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package alarmdata gives alarms what they need beside the data of their metrics: the bands of anomaly detection models.
package alarmdata

import (
	"context"
	"errors"
	"fmt"

	"github.com/nephoscope/nephoscope/pkg/alarm"
	"github.com/nephoscope/nephoscope/pkg/anomaly"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
	"github.com/nephoscope/nephoscope/pkg/metricmath"
)

// Bands are the bands of models.
type Bands struct {
	Models *anomaly.Models
}

var _ alarm.BandSource = (*Bands)(nil)

const codeValidation = "ValidationError"

// Band implements [alarm.BandSource]. The model is as it was at the end of the window, so that a backtest is not told what
// came later.
func (b *Bands) Band(ctx context.Context, q *alarm.BandQuery, lower, upper []float64) error {
	model, err := b.model(ctx, q)
	if err != nil {
		return err
	}
	for i, at := range q.Window.Starts {
		if l, u, ok := model.Band(at, q.Deviations); ok {
			lower[i], upper[i] = l, u
		}
	}
	return nil
}

func (b *Bands) model(ctx context.Context, q *alarm.BandQuery) (*anomaly.Model, error) {
	if q.Metric != nil {
		if err := checkAccount(q, q.Metric.Account); err != nil {
			return nil, err
		}
		m := anomaly.Metric{Metric: q.Metric.Metric, Stat: q.Metric.Stat.String(), Unit: q.Metric.Unit, Period: q.Metric.Period}
		if err := checkPeriod(m.Period); err != nil {
			return nil, err
		}
		return b.Models.OfMetric(ctx, q.Tenant, &m, q.Window.End)
	}
	x, err := expression(q)
	if err != nil {
		return nil, err
	}
	return b.Models.OfExpression(ctx, q.Tenant, x, q.Window.End)
}

func expression(q *alarm.BandQuery) (*anomaly.Expression, error) {
	x := &anomaly.Expression{ID: q.ID}
	for i := range q.Queries {
		of := &q.Queries[i]
		if of.Metric == nil {
			expr, err := metricmath.Parse(of.Expression)
			if errors.Is(err, metricmath.ErrMetricsInsights) {
				continue // a model of it is refused when the alarm is put
			}
			if err != nil {
				return nil, fault("Error in expression '%s': %s", of.ID, err)
			}
			x.Queries = append(x.Queries, metricmath.Query{ID: of.ID, Expr: expr, Period: int64(of.Period)})
			continue
		}
		if err := checkAccount(q, of.AccountID); err != nil {
			return nil, err
		}
		if err := checkPeriod(int64(of.Metric.Period)); err != nil {
			return nil, err
		}
		metric, err := cloudwatch.NewMetric(of.Metric.Namespace, of.Metric.MetricName, of.Metric.Dimensions)
		if err != nil {
			return nil, fault("%s", err)
		}
		x.Metrics = append(x.Metrics, anomaly.NamedMetric{ID: of.ID, Metric: anomaly.Metric{
			Metric: metric, Stat: of.Metric.Stat, Unit: of.Metric.Unit, Period: int64(of.Metric.Period),
		}})
	}
	return x, nil
}

func checkPeriod(period int64) error {
	if period < int64(anomaly.MinPeriod.Seconds()) || period > int64(anomaly.MaxPeriod.Seconds()) {
		return fault("Anomaly detection is for periods of 60 to 3600 seconds, not %d.", period)
	}
	return nil
}

func checkAccount(q *alarm.BandQuery, account string) error {
	if account != "" && account != q.Tenant.Account {
		return fault("Anomaly detection is not supported for metrics of another account (%s).", account)
	}
	return nil
}

func fault(format string, args ...any) error {
	return &alarm.Error{Code: codeValidation, Message: fmt.Sprintf(format, args...)}
}
