// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awswire

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLookup(t *testing.T) {
	s := NewService("monitoring")
	Handle(s, "GetDashboard", func(_ context.Context, in *cloudwatch.GetDashboardInput) (*cloudwatch.GetDashboardOutput, error) {
		if in.DashboardName == nil {
			return nil, InvalidParameter("no name")
		}
		return &cloudwatch.GetDashboardOutput{DashboardName: in.DashboardName}, nil
	})
	get, ok := Lookup[cloudwatch.GetDashboardInput, cloudwatch.GetDashboardOutput](s, "GetDashboard")
	require.True(t, ok)
	out, err := get(t.Context(), &cloudwatch.GetDashboardInput{DashboardName: new("d")})
	require.NoError(t, err)
	assert.Equal(t, "d", *out.DashboardName)
	_, err = get(t.Context(), &cloudwatch.GetDashboardInput{})
	require.EqualError(t, err, "ValidationException: no name")
	_, ok = Lookup[cloudwatch.GetDashboardInput, cloudwatch.GetDashboardOutput](s, "ListMetrics")
	assert.False(t, ok)
	_, ok = Lookup[cloudwatch.GetDashboardInput, cloudwatch.ListMetricsOutput](s, "GetDashboard")
	assert.False(t, ok)
}

// An operation may answer with a body of its own.
func TestAnswerWith(t *testing.T) {
	s := NewService("monitoring")
	Handle(s, "GetMetricWidgetImage", func(ctx context.Context, _ *cloudwatch.GetMetricWidgetImageInput) (*cloudwatch.GetMetricWidgetImageOutput, error) {
		RequestFrom(ctx).AnswerWith("image/png", []byte("picture"))
		return &cloudwatch.GetMetricWidgetImageOutput{}, nil
	})
	m, err := NewMux(MuxSettings{Services: []*Service{s}})
	require.NoError(t, err)
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader("Action=GetMetricWidgetImage&Version=2010-08-01&MetricWidget=%7B%7D"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	m.ServeHTTP(w, r)
	assert.Equal(t, http.StatusOK, w.Code)
	assert.Equal(t, "image/png", w.Header().Get("Content-Type"))
	assert.Equal(t, "picture", w.Body.String())
	assert.NotEmpty(t, w.Header().Get("X-Amzn-Requestid"))
}
