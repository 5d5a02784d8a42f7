// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsapiextension

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"

	"github.com/nephoscope/nephoscope/extension/awsapiextension/internal/logs"
	"github.com/nephoscope/nephoscope/extension/awsapiextension/internal/metricstreams"
	"github.com/nephoscope/nephoscope/extension/awsapiextension/internal/monitoring"
	"github.com/nephoscope/nephoscope/extension/awsapiextension/internal/sts"
	"github.com/nephoscope/nephoscope/extension/awsapiextension/internal/xray"
	"github.com/nephoscope/nephoscope/internal/awsservice"
	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/pkg/awswire"
)

// services are the APIs that are served.
type services struct {
	maxBody int64
	wire    []*awswire.Service
	names   map[string]bool
	logs    *logs.Service
	state   storage.Client
	// clients are closed with the services.
	clients   []storage.Client
	tagOwners []awsservice.TagOwner
	streams   *metricstreams.Service
}

// logsState is the name of the storage client that keeps the groups and streams of CloudWatch Logs.
const logsState = "logs"

func (e *awsAPI) openServices(ctx context.Context, host component.Host) (*services, error) {
	var reads store.Store
	if e.cfg.Store != nil {
		var err error
		if reads, err = store.Find(host, *e.cfg.Store); err != nil {
			return nil, err
		}
	}
	s := &services{maxBody: e.cfg.MaxRequestBodySize, names: make(map[string]bool)}
	s.add(sts.New())
	detectors, err := e.openDetectors(ctx, host, s)
	if err != nil {
		return nil, errors.Join(err, s.close(ctx))
	}
	s.add(monitoring.New(monitoring.Settings{
		Store: reads, Consume: e.pipelines.ConsumeMetrics, Now: e.now, Detectors: detectors,
	}))
	s.add(xray.New(xray.Settings{Store: reads, Consume: e.pipelines.ConsumeTraces, Now: e.now, Logger: e.logger}))
	if err := s.addProvided(host); err != nil {
		return nil, errors.Join(err, s.close(ctx))
	}
	if err := e.openDashboards(ctx, host, s); err != nil {
		return nil, errors.Join(err, s.close(ctx))
	}
	if err := e.openMetricStreams(ctx, host, s, reads); err != nil {
		return nil, errors.Join(err, s.close(ctx))
	}
	s.addTags(host)
	if e.cfg.Storage == nil {
		// Its operations answer that they are not implemented.
		s.add(awswire.NewService("logs"))
		e.logger.Info(`CloudWatch Logs is not served: name a storage extension in the option "storage" to have it`)
		return s, nil
	}
	if err := e.openLogs(ctx, host, s, reads); err != nil {
		return nil, errors.Join(err, s.close(ctx))
	}
	return s, nil
}

func (e *awsAPI) openLogs(ctx context.Context, host component.Host, s *services, reads store.Store) error {
	ext, ok := host.GetExtensions()[*e.cfg.Storage]
	if !ok {
		return fmt.Errorf("extension %q not found: list it under service::extensions", e.cfg.Storage)
	}
	provider, ok := ext.(storage.Extension)
	if !ok {
		return fmt.Errorf("extension %q is %T, not a storage extension", e.cfg.Storage, ext)
	}
	var err error
	if s.state, err = provider.GetClient(ctx, component.KindExtension, e.set.ID, logsState); err != nil {
		return fmt.Errorf("open the state of CloudWatch Logs in %q: %w", e.cfg.Storage, err)
	}
	s.logs, err = logs.New(logs.Settings{
		Store: reads, State: s.state, Consume: e.consumeLogs, Now: e.now, Logger: e.logger.With(zap.String("service", "logs")),
	})
	if err != nil {
		return fmt.Errorf("open CloudWatch Logs: %w", err)
	}
	s.add(s.logs.Wire())
	return nil
}

// addProvided adds the operations of other extensions.
func (s *services) addProvided(host component.Host) error {
	extensions := host.GetExtensions()
	ids := slices.SortedFunc(maps.Keys(extensions), func(a, b component.ID) int { return strings.Compare(a.String(), b.String()) })
	for _, id := range ids {
		p, ok := extensions[id].(awsservice.Provider)
		if !ok {
			continue
		}
		if err := p.AddOperations(s.find); err != nil {
			return fmt.Errorf("operations of the extension %q: %w", id, err)
		}
	}
	return nil
}

// find returns the service of that signing name, a new one when there is none yet.
func (s *services) find(signingName string) *awswire.Service {
	for _, w := range s.wire {
		if w.SigningName == signingName {
			return w
		}
	}
	w := awswire.NewService(signingName)
	s.add(w)
	return w
}

// add bounds the service's requests by what the service itself takes and by what is configured.
func (s *services) add(w *awswire.Service) {
	if w.MaxBody <= 0 || w.MaxBody > s.maxBody {
		w.MaxBody = s.maxBody
	}
	s.wire = append(s.wire, w)
	s.names[w.SigningName] = true
}

// has is whether there is a service of that signing name.
func (s *services) has(name string) bool { return s.names[name] }

// close ends what runs, and gives the state back.
func (s *services) close(ctx context.Context) error {
	var errs []error
	if s.streams != nil {
		s.streams.Shutdown()
	}
	if s.logs != nil {
		errs = append(errs, s.logs.Shutdown(ctx))
	}
	if s.state != nil {
		errs = append(errs, s.state.Close(ctx))
	}
	for _, client := range s.clients {
		errs = append(errs, client.Close(ctx))
	}
	return errors.Join(errs...)
}
