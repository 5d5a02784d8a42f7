// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsapireceiver

import (
	"context"
	"errors"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
)

// testHost has one extension of the given name.
type testHost map[component.ID]component.Component

func (h testHost) GetExtensions() map[component.ID]component.Component { return h }

func newTestHost() component.Host {
	return testHost{component.MustNewID("aws_api"): &testExtension{}}
}

// testExtension keeps what was registered with it.
type testExtension struct {
	component.StartFunc
	component.ShutdownFunc

	logs    consumer.Logs
	metrics consumer.Metrics
	traces  consumer.Traces
}

var errTaken = errors.New("taken")

func (e *testExtension) RegisterLogs(c consumer.Logs) (func(context.Context) error, error) {
	return register(&e.logs, c)
}

func (e *testExtension) RegisterMetrics(c consumer.Metrics) (func(context.Context) error, error) {
	return register(&e.metrics, c)
}

func (e *testExtension) RegisterTraces(c consumer.Traces) (func(context.Context) error, error) {
	return register(&e.traces, c)
}

func register[C comparable](slot *C, c C) (func(context.Context) error, error) {
	var none C
	if *slot != none {
		return nil, errTaken
	}
	*slot = c
	return func(context.Context) error {
		*slot = none
		return nil
	}, nil
}
