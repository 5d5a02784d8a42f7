// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsapiextension

import (
	"context"
	"fmt"

	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/nephoscope/nephoscope/extension/awsapiextension/internal/dashboards"
	"github.com/nephoscope/nephoscope/internal/awsservice"
	"github.com/nephoscope/nephoscope/pkg/awswire"
)

// dashboardsState is the name of the storage client that keeps dashboards.
const dashboardsState = "dashboards"

// openDashboards adds the operations of dashboards and of images to the service of metrics, which has those of metrics and
// of other extensions already. Without storage there are images only.
func (e *awsAPI) openDashboards(ctx context.Context, host component.Host, s *services) error {
	set := dashboards.Settings{Now: e.now, Alarms: func() dashboards.Alarms { return findAlarms(host) }}
	var err error
	if set.State, err = e.openState(ctx, host, s, dashboardsState); err != nil {
		return err
	}
	monitoring := s.find("monitoring")
	set.GetMetricData, _ = awswire.Lookup[cw.GetMetricDataInput, cw.GetMetricDataOutput](monitoring, "GetMetricData")
	set.GetMetricStatistics, _ = awswire.Lookup[cw.GetMetricStatisticsInput, cw.GetMetricStatisticsOutput](monitoring, "GetMetricStatistics")
	d, err := dashboards.New(ctx, set)
	if err != nil {
		return err
	}
	d.AddTo(monitoring)
	s.tagOwners = append(s.tagOwners, d)
	return nil
}

// findAlarms returns the extension that knows alarms, nil when there is none.
func findAlarms(host component.Host) dashboards.Alarms {
	for _, ext := range host.GetExtensions() {
		if alarms, ok := ext.(dashboards.Alarms); ok {
			return alarms
		}
	}
	return nil
}

// addTags adds the operations on tags, over what other extensions own and what is owned here.
func (s *services) addTags(host component.Host) {
	owners := s.tagOwners
	for _, ext := range host.GetExtensions() {
		if o, ok := ext.(awsservice.TagOwner); ok {
			owners = append(owners, o)
		}
	}
	if len(owners) > 0 {
		awsservice.HandleMonitoringTags(s.find("monitoring"), owners...)
	}
}

// openState opens a storage client that is closed with the services. It is nil when no storage is configured.
func (e *awsAPI) openState(ctx context.Context, host component.Host, s *services, name string) (storage.Client, error) {
	if e.cfg.Storage == nil {
		return nil, nil
	}
	ext, ok := host.GetExtensions()[*e.cfg.Storage]
	if !ok {
		return nil, fmt.Errorf("extension %q not found: list it under service::extensions", e.cfg.Storage)
	}
	provider, ok := ext.(storage.Extension)
	if !ok {
		return nil, fmt.Errorf("extension %q is %T, not a storage extension", e.cfg.Storage, ext)
	}
	client, err := provider.GetClient(ctx, component.KindExtension, e.set.ID, name)
	if err != nil {
		return nil, fmt.Errorf("open the state of %s in %q: %w", name, e.cfg.Storage, err)
	}
	s.clients = append(s.clients, client)
	return client, nil
}
