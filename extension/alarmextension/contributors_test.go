// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarmextension

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"

	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// hostsStore has the metric App/errors of some hosts, each with one value at all times.
type hostsStore struct {
	store.Store
	values map[string]float64
}

func hostMetric(host string) cloudwatch.Metric {
	return cloudwatch.Metric{Namespace: "App", Name: "errors", Dimensions: []cloudwatch.Dimension{{Name: "host", Value: host}}}
}

func (s *hostsStore) ListMetrics(_ context.Context, _ cloudwatch.MetricFilter, after *cloudwatch.Metric, _ int) ([]cloudwatch.Metric, error) {
	if after != nil {
		return nil, nil
	}
	return []cloudwatch.Metric{hostMetric("a"), hostMetric("b")}, nil
}

func (s *hostsStore) QueryMetrics(_ context.Context, queries []cloudwatch.MetricQuery) ([][]cloudwatch.Bucket, error) {
	out := make([][]cloudwatch.Bucket, len(queries))
	for i, q := range queries {
		v := s.values[q.Metric.Dimensions[0].Value]
		for at := q.Start; at < q.End; at += q.Period {
			out[i] = append(out[i], cloudwatch.Bucket{
				Start: at, Unit: "None", StatisticSet: cloudwatch.StatisticSet{SampleCount: 1, Sum: v, Minimum: v, Maximum: v},
			})
		}
	}
	return out, nil
}

type hostsProvider struct {
	component.StartFunc
	component.ShutdownFunc
	store *hostsStore
}

func (p *hostsProvider) Store() store.Store { return p.store }

// TestContributorsOfInsights has an alarm over the time series of a Metrics Insights query.
func TestContributorsOfInsights(t *testing.T) {
	h := newHarness(t)
	id := component.MustNewID("store")
	data := &hostsStore{values: map[string]float64{"a": 50, "b": 1}}
	h.cfg.Store = &id
	h.receives = true
	h.startWith(func() { h.host[id] = &hostsProvider{store: data} })
	taker := &logsTaker{}
	end, err := h.x.RegisterEvents(taker)
	require.NoError(t, err)
	defer func() { require.NoError(t, end(t.Context())) }()

	_, err = h.api.PutMetricAlarm(t.Context(), &cw.PutMetricAlarmInput{
		AlarmName: aws.String("hosts"), EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(10), AlarmActions: []string{topic},
		ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold,
		Metrics: []types.MetricDataQuery{{
			Id: aws.String("q1"), Period: aws.Int32(60), ReturnData: aws.Bool(true),
			Expression: aws.String(`SELECT AVG(errors) FROM SCHEMA("App", host) GROUP BY host ORDER BY AVG() DESC`),
		}},
	})
	require.NoError(t, err)
	h.advance(2*time.Minute, 30*time.Second)
	a := h.metricAlarm("hosts")
	require.Equal(t, types.StateValueAlarm, a.StateValue, "%s", *a.StateReason)
	out, err := h.api.DescribeAlarmContributors(t.Context(), &cw.DescribeAlarmContributorsInput{AlarmName: aws.String("hosts")})
	require.NoError(t, err)
	require.Len(t, out.AlarmContributors, 1, "those in ALARM")
	c := out.AlarmContributors[0]
	assert.Equal(t, map[string]string{"host": "a"}, c.ContributorAttributes)
	assert.Len(t, *c.ContributorId, 16)
	assert.Contains(t, *c.StateReason, "Threshold Crossed: 1 datapoint was greater than the threshold (10.0).")

	h.deliver()
	var message string
	for _, action := range h.dispatcher.actions {
		if action.Labels["alarm_contributor"] == *c.ContributorId {
			message = action.Message
		}
	}
	assert.Contains(t, message, `"AlarmContributorId":"`+*c.ContributorId+`","AlarmContributorAttributes":{"host":"a"}`)

	history := func(in *cw.DescribeAlarmHistoryInput) (kinds []string) {
		in.AlarmName, in.ScanBy = aws.String("hosts"), types.ScanByTimestampAscending
		page, err := h.api.DescribeAlarmHistory(t.Context(), in)
		require.NoError(t, err)
		for _, i := range page.AlarmHistoryItems {
			kinds = append(kinds, string(i.HistoryItemType))
			if i.AlarmContributorId != nil {
				assert.Equal(t, c.ContributorId, i.AlarmContributorId)
				assert.Equal(t, c.ContributorAttributes, i.AlarmContributorAttributes)
			}
		}
		return kinds
	}
	assert.NotContains(t, history(&cw.DescribeAlarmHistoryInput{}), "AlarmContributorStateUpdate", "contributors have to be asked for")
	assert.Equal(t, []string{"AlarmContributorStateUpdate"}, history(&cw.DescribeAlarmHistoryInput{
		HistoryItemType: types.HistoryItemTypeAlarmContributorStateUpdate,
	}))
	assert.Equal(t, []string{"AlarmContributorStateUpdate", "AlarmContributorAction"}, history(&cw.DescribeAlarmHistoryInput{AlarmContributorId: c.ContributorId}))

	var names []string
	for _, lr := range taker.records() {
		names = append(names, lr.EventName())
	}
	assert.Contains(t, names, "CloudWatch Alarm Contributor State Change")

	before := h.metricAlarm("hosts")
	h.stop()
	h.startWith(func() { h.host[id] = &hostsProvider{store: data} })
	assert.Equal(t, before, h.metricAlarm("hosts"))
	out, err = h.api.DescribeAlarmContributors(t.Context(), &cw.DescribeAlarmContributorsInput{AlarmName: aws.String("hosts")})
	require.NoError(t, err)
	assert.Len(t, out.AlarmContributors, 1)
	end, err = h.x.RegisterEvents(taker)
	require.NoError(t, err)
}
