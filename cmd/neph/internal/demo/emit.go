// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/xray"
)

// Addresses are where a collector takes telemetry in besides its AWS endpoint.
type Addresses struct {
	XRay, EMF, OTLPHTTP string
}

// emitter sends a shop's telemetry, each service in its own way.
type emitter struct {
	shop   *Shop
	ledger *ledger

	metrics *cloudwatch.Client
	logs    *cloudwatchlogs.Client
	traces  *xray.Client
	emf     net.Conn
	segment net.Conn
	otlp    otlpClient

	datagrams int
}

const dialTimeout = 5 * time.Second

func newEmitter(ctx context.Context, shop *Shop, cfg aws.Config, at Addresses) (*emitter, error) {
	e := &emitter{
		shop: shop, ledger: newLedger(),
		metrics: cloudwatch.NewFromConfig(cfg), logs: cloudwatchlogs.NewFromConfig(cfg), traces: xray.NewFromConfig(cfg),
		otlp: otlpClient{endpoint: "http://" + at.OTLPHTTP, http: &http.Client{Timeout: 30 * time.Second}},
	}
	d := net.Dialer{Timeout: dialTimeout}
	var err error
	if e.emf, err = d.DialContext(ctx, "tcp", at.EMF); err != nil {
		return nil, fmt.Errorf("connect to the EMF receiver: %w", err)
	}
	if e.segment, err = d.DialContext(ctx, "udp", at.XRay); err != nil {
		return nil, errors.Join(fmt.Errorf("connect to the X-Ray receiver: %w", err), e.emf.Close())
	}
	return e, nil
}

func (e *emitter) close() error {
	e.otlp.http.CloseIdleConnections()
	return errors.Join(e.emf.Close(), e.segment.Close())
}

// minute sends what one minute of the shop has to say.
func (e *emitter) minute(ctx context.Context, m *Minute) error {
	for _, send := range []struct {
		what string
		fn   func(context.Context, *Minute) error
	}{
		{"metrics of orders (PutMetricData)", e.putMetrics},
		{"logs (PutLogEvents)", e.putLogs},
		{"metrics of payments (EMF)", e.putEMF},
		{"segments (X-Ray)", e.putSegments},
		{"spans of inventory (OTLP)", e.putSpans},
		{"metrics of inventory (OTLP)", e.putOTLPMetrics},
		{"logs of inventory (OTLP)", e.putOTLPLogs},
	} {
		if err := send.fn(ctx, m); err != nil {
			return fmt.Errorf("send %s: %w", send.what, err)
		}
	}
	return nil
}
