// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package dashboards serves the dashboards of CloudWatch and the images of metric widgets.
package dashboards

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/nephoscope/nephoscope/extension/awsapiextension/internal/objects"
	"github.com/nephoscope/nephoscope/internal/awsservice"
	"github.com/nephoscope/nephoscope/pkg/alarm"
	"github.com/nephoscope/nephoscope/pkg/awswire"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// Bounds over all accounts.
const (
	maxDashboards = 10_000
	maxStored     = 256 << 20 // bytes of bodies
)

// maxDrawing is how many images are drawn at once; others wait.
const maxDrawing = 4

// Alarms knows alarms. [alarm.Engine] does.
type Alarms interface {
	Alarm(t cloudwatch.Tenant, name string) (alarm.View, bool)
}

// Settings are what the service needs from its extension.
type Settings struct {
	// State keeps the dashboards. Without it there are none: their operations are not added. The service does not close it.
	State storage.Client
	// GetMetricData reads what images show. Without it there are no images.
	GetMetricData func(context.Context, *cw.GetMetricDataInput) (*cw.GetMetricDataOutput, error)
	// GetMetricStatistics tells the units of metrics, for axes. Without it axes have no unit.
	GetMetricStatistics func(context.Context, *cw.GetMetricStatisticsInput) (*cw.GetMetricStatisticsOutput, error)
	// Alarms returns who knows the alarms that images show, nil when nobody does. It is asked for each image, so that it
	// may come up after the service.
	Alarms func() Alarms
	// Now is the clock.
	Now func() time.Time
}

// Service is the API of dashboards.
type Service struct {
	set     Settings
	rows    *objects.Table[row]
	drawing chan struct{}
	// stored is the bytes of all bodies; it is guarded by the table's changes.
	stored        int64
	maxDashboards int
	maxStored     int64

	mu sync.Mutex
	// names has the sorted names of an account's dashboards until they change.
	names map[string][]*row
}

var _ awsservice.TagOwner = (*Service)(nil)

// New returns the service with its state loaded.
func New(ctx context.Context, set Settings) (*Service, error) {
	if set.Now == nil {
		return nil, errors.New("dashboards: a clock is required")
	}
	s := &Service{
		set: set, drawing: make(chan struct{}, maxDrawing), maxDashboards: maxDashboards, maxStored: maxStored,
		names: map[string][]*row{},
	}
	if set.State == nil {
		return s, nil
	}
	var err error
	if s.rows, err = objects.Open(ctx, set.State, "dashboards", (*row).key); err != nil {
		return nil, fmt.Errorf("open dashboards: %w", err)
	}
	for _, r := range s.rows.Select(func(*row) bool { return true }) {
		s.stored += r.Stored
	}
	return s, nil
}

// AddTo adds the operations to the service "monitoring".
func (s *Service) AddTo(w *awswire.Service) {
	if s.rows != nil {
		awswire.Handle(w, "PutDashboard", s.putDashboard)
		awswire.Handle(w, "GetDashboard", s.getDashboard)
		awswire.Handle(w, "ListDashboards", s.listDashboards)
		awswire.Handle(w, "DeleteDashboards", s.deleteDashboards)
	}
	if s.set.GetMetricData != nil {
		awswire.Handle(w, "GetMetricWidgetImage", s.getMetricWidgetImage)
	}
}

func deref[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
