// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package monitoring

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/nephoscope/nephoscope/extension/awsapiextension/internal/paging"
	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/pkg/awswire"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

const (
	listMetricsPage     = 500
	maxDimensionFilters = 10
	recentlyActive      = 3 * time.Hour
)

func (s *service) listMetrics(ctx context.Context, in *cw.ListMetricsInput) (*cw.ListMetricsOutput, error) {
	reads, err := s.reads()
	if err != nil {
		return nil, err
	}
	req := awswire.RequestFrom(ctx)
	filter, err := s.metricFilter(req, in)
	if err != nil {
		return nil, err
	}

	query := *in
	query.NextToken = nil
	var after *cloudwatch.Metric
	if token := deref(in.NextToken); token != "" {
		after = &cloudwatch.Metric{}
		switch err := paging.Decode(query, token, after); {
		case errors.Is(err, paging.ErrToken):
			return nil, invalidValue("Request parameter NextToken is invalid")
		case err != nil:
			return nil, err
		}
	}
	metrics, err := reads.ListMetrics(ctx, filter, after, listMetricsPage+1) // one more tells whether there is a next page
	if err != nil {
		return nil, fmt.Errorf("list metrics: %w", err)
	}

	out := &cw.ListMetricsOutput{Metrics: make([]types.Metric, 0, len(metrics))}
	if len(metrics) > listMetricsPage {
		metrics = metrics[:listMetricsPage]
		token, err := paging.Encode(query, metrics[len(metrics)-1])
		if err != nil {
			return nil, err
		}
		out.NextToken = &token
	}
	for i := range metrics {
		out.Metrics = append(out.Metrics, metricToAWS(&metrics[i]))
		if deref(in.IncludeLinkedAccounts) {
			out.OwningAccounts = append(out.OwningAccounts, req.Account)
		}
	}
	return out, nil
}

func (s *service) metricFilter(req *awswire.Request, in *cw.ListMetricsInput) (store.MetricFilter, error) {
	now := s.now()
	f := store.MetricFilter{
		Tenant:    tenant(req),
		Namespace: deref(in.Namespace),
		Name:      deref(in.MetricName),
		Since:     now.Add(-cloudwatch.ListedFor).Unix(),
	}
	var bad faults
	if in.Namespace != nil {
		bad.addWanted("Namespace", f.Namespace, maxNameLength)
	}
	if in.MetricName != nil {
		bad.addWanted("MetricName", f.Name, maxNameLength)
	}
	switch in.RecentlyActive {
	case "":
	case types.RecentlyActivePt3h:
		f.Since = now.Add(-recentlyActive).Unix()
	default:
		return f, invalidValue("Request parameter recentlyActive value is invalid")
	}
	if account := deref(in.OwningAccount); account != "" && account != req.Account {
		return f, invalidValue("The value %s for parameter OwningAccount is invalid: no account is linked to %s.",
			account, req.Account)
	}
	if len(in.Dimensions) > maxDimensionFilters {
		return f, invalidValue("The collection Dimensions must not have a size greater than %d.", maxDimensionFilters)
	}
	for i := range in.Dimensions {
		d := cloudwatch.DimensionFilter{
			Name: deref(in.Dimensions[i].Name), Value: deref(in.Dimensions[i].Value), HasValue: in.Dimensions[i].Value != nil,
		}
		path := "Dimensions.member." + strconv.Itoa(i+1)
		bad.addWanted(path+".Name", d.Name, maxNameLength)
		if d.HasValue {
			bad.addWanted(path+".Value", d.Value, maxDimensionValue)
		}
		f.Dimensions = append(f.Dimensions, d)
	}
	return f, bad.err()
}

func tenant(req *awswire.Request) store.Tenant {
	return store.Tenant{Account: req.Account, Region: req.Region}
}

func metricToAWS(m *cloudwatch.Metric) types.Metric {
	out := types.Metric{Namespace: &m.Namespace, MetricName: &m.Name, Dimensions: make([]types.Dimension, len(m.Dimensions))}
	for i := range m.Dimensions {
		out.Dimensions[i] = types.Dimension{Name: &m.Dimensions[i].Name, Value: &m.Dimensions[i].Value}
	}
	return out
}
