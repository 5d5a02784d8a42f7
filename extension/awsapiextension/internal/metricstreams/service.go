// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package metricstreams serves the metric streams of CloudWatch, and delivers them: each minute, what the store has of the
// metrics that a stream selects goes to an HTTP endpoint as Firehose delivers it.
package metricstreams

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"

	"github.com/nephoscope/nephoscope/extension/awsapiextension/internal/objects"
	"github.com/nephoscope/nephoscope/internal/awsservice"
	"github.com/nephoscope/nephoscope/pkg/awswire"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// Destination is the HTTP endpoint behind a Firehose delivery stream.
type Destination struct {
	URL       string
	AccessKey string
}

// Settings are what the service needs from its extension.
type Settings struct {
	// State keeps the streams and how far they were delivered. The service does not close it.
	State storage.Client
	// Metrics is read for what streams deliver. Without it streams cannot be created.
	Metrics cloudwatch.MetricReader
	// Destinations are by the ARN of their Firehose delivery stream.
	Destinations map[string]Destination
	// Delay is how long after a minute it is delivered; what comes later is not.
	Delay  time.Duration
	Now    func() time.Time
	Client *http.Client
	Logger *zap.Logger
}

// maxStreams bounds the streams of all accounts and regions.
const maxStreams = 1000

// Service is the API of metric streams.
type Service struct {
	set     Settings
	rows    *objects.Table[row]
	cursors *objects.Table[cursor]

	mu sync.Mutex
	// failing are the streams that are not to be tried before a time.
	failing map[string]*backoff

	cancel context.CancelFunc
	work   sync.WaitGroup
}

var _ awsservice.TagOwner = (*Service)(nil)

// New returns the service with its state loaded.
func New(ctx context.Context, set Settings) (*Service, error) {
	if set.State == nil || set.Now == nil {
		return nil, errors.New("metric streams: a storage client and a clock are required")
	}
	if set.Logger == nil {
		set.Logger = zap.NewNop()
	}
	if set.Client == nil {
		set.Client = &http.Client{Timeout: requestTimeout}
	}
	// The access key is for the destination that was configured, and no other.
	client := *set.Client
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	set.Client = &client
	s := &Service{set: set, failing: map[string]*backoff{}}
	var err error
	if s.rows, err = objects.Open(ctx, set.State, "metric_streams", (*row).key); err != nil {
		return nil, fmt.Errorf("open metric streams: %w", err)
	}
	if s.cursors, err = objects.Open(ctx, set.State, "metric_stream_cursors", func(c *cursor) string { return c.Key }); err != nil {
		return nil, fmt.Errorf("open metric streams: %w", err)
	}
	return s, nil
}

// AddTo adds the operations to the service "monitoring".
func (s *Service) AddTo(w *awswire.Service) {
	awswire.Handle(w, "PutMetricStream", s.putMetricStream)
	awswire.Handle(w, "GetMetricStream", s.getMetricStream)
	awswire.Handle(w, "ListMetricStreams", s.listMetricStreams)
	awswire.Handle(w, "DeleteMetricStream", s.deleteMetricStream)
	awswire.Handle(w, "StartMetricStreams", s.startMetricStreams)
	awswire.Handle(w, "StopMetricStreams", s.stopMetricStreams)
}

// row is a metric stream as it is kept.
type row struct {
	Account    string           `json:"account"`
	Region     string           `json:"region"`
	Name       string           `json:"name"`
	Firehose   string           `json:"firehose"`
	Role       string           `json:"role"`
	Format     string           `json:"format"`
	Include    []filter         `json:"include,omitempty"`
	Exclude    []filter         `json:"exclude,omitempty"`
	Statistics []statistics     `json:"statistics,omitempty"`
	Stopped    bool             `json:"stopped,omitempty"`
	Created    int64            `json:"created"` // Unix milliseconds
	Updated    int64            `json:"updated"`
	Tags       []awsservice.Tag `json:"tags,omitempty"`
}

// filter selects the metrics of a namespace, all of them when it names none.
type filter struct {
	Namespace string   `json:"namespace"`
	Metrics   []string `json:"metrics,omitempty"`
}

// statistics are further statistics of some metrics.
type statistics struct {
	Metrics    []metricName `json:"metrics"`
	Statistics []string     `json:"statistics"`
}

type metricName struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
}

func (r *row) key() string { return rowKey(r.Account, r.Region, r.Name) }

// rowKey is unambiguous: names have no slash.
func rowKey(account, region, name string) string { return account + "/" + region + "/" + name }

func (r *row) tenant() cloudwatch.Tenant {
	return cloudwatch.Tenant{Account: r.Account, Region: r.Region}
}

func (r *row) arn() string {
	return "arn:" + partition(r.Region) + ":cloudwatch:" + r.Region + ":" + r.Account + ":metric-stream/" + r.Name
}

func partition(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	}
	return "aws"
}

// state is CloudWatch's name of whether the stream delivers.
func (r *row) state() string {
	if r.Stopped {
		return "stopped"
	}
	return "running"
}

func deref[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
