// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsapiextension

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.uber.org/zap"

	"github.com/nephoscope/nephoscope/extension/awsapiextension/internal/metricstreams"
	"github.com/nephoscope/nephoscope/internal/store"
)

// metricStreamsState is the name of the storage client that keeps metric streams.
const metricStreamsState = "metric_streams"

// MetricStreamsConfig says where metric streams deliver to.
type MetricStreamsConfig struct {
	// Delay is how long after a minute it is delivered; data that comes later is not.
	Delay time.Duration `mapstructure:"delay"`
	// Destinations are the HTTP endpoints behind Firehose delivery streams. A metric stream can be created for these only.
	Destinations []MetricStreamDestination `mapstructure:"destinations"`
}

// MetricStreamDestination is the HTTP endpoint behind a Firehose delivery stream.
type MetricStreamDestination struct {
	// FirehoseARN is the delivery stream that PutMetricStream names.
	FirehoseARN string `mapstructure:"firehose_arn"`
	// Endpoint is the URL that takes Firehose's requests.
	Endpoint string `mapstructure:"endpoint"`
	// AccessKey is sent along with them.
	AccessKey configopaque.String `mapstructure:"access_key"`
}

const maxMetricStreamDelay = 30 * time.Minute

// Validate reports all that is wrong with the destinations.
func (c *MetricStreamsConfig) Validate() error {
	var errs []error
	if c.Delay < 0 || c.Delay > maxMetricStreamDelay {
		errs = append(errs, fmt.Errorf(`"delay" must be from 0 to %s, got %s`, maxMetricStreamDelay, c.Delay))
	}
	seen := map[string]bool{}
	for i, d := range c.Destinations {
		if d.FirehoseARN == "" {
			errs = append(errs, fmt.Errorf(`"destinations[%d]::firehose_arn" is required`, i))
		} else if seen[d.FirehoseARN] {
			errs = append(errs, fmt.Errorf(`"destinations[%d]::firehose_arn" %s is there twice`, i, d.FirehoseARN))
		}
		seen[d.FirehoseARN] = true
		if u, err := url.Parse(d.Endpoint); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			errs = append(errs, fmt.Errorf(`"destinations[%d]::endpoint" must be a URL, got %q`, i, d.Endpoint))
		}
	}
	return errors.Join(errs...)
}

// openMetricStreams adds the operations of metric streams to the service of metrics. Without storage there are none.
func (e *awsAPI) openMetricStreams(ctx context.Context, host component.Host, s *services, reads store.Store) error {
	state, err := e.openState(ctx, host, s, metricStreamsState)
	if err != nil || state == nil {
		return err
	}
	set := metricstreams.Settings{
		State: state, Destinations: map[string]metricstreams.Destination{}, Delay: e.cfg.MetricStreams.Delay, Now: e.now,
		Logger: e.logger.With(zap.String("service", "metric streams")),
	}
	if reads != nil {
		set.Metrics = reads
	}
	for _, d := range e.cfg.MetricStreams.Destinations {
		set.Destinations[d.FirehoseARN] = metricstreams.Destination{URL: d.Endpoint, AccessKey: string(d.AccessKey)}
	}
	if s.streams, err = metricstreams.New(ctx, set); err != nil {
		return err
	}
	s.streams.AddTo(s.find("monitoring"))
	s.tagOwners = append(s.tagOwners, s.streams)
	s.streams.Start() //nolint:contextcheck // it goes on until Shutdown
	return nil
}
