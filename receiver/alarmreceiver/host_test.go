// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarmreceiver

import (
	"context"
	"errors"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
)

// testHost has extensions of the given names.
type testHost map[component.ID]component.Component

func (h testHost) GetExtensions() map[component.ID]component.Component { return h }

func newTestHost() component.Host {
	return testHost{component.MustNewID("alarm"): &testSource{}}
}

// testSource keeps what was registered with it.
type testSource struct {
	component.StartFunc
	component.ShutdownFunc

	taker consumer.Logs
}

var errTaken = errors.New("taken")

func (s *testSource) RegisterEvents(c consumer.Logs) (func(context.Context) error, error) {
	if s.taker != nil {
		return nil, errTaken
	}
	s.taker = c
	return func(context.Context) error {
		s.taker = nil
		return nil
	}, nil
}
