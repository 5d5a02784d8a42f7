// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awscloudwatchexporter

import (
	"errors"
	"sync"

	"go.opentelemetry.io/collector/consumer/consumererror"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// maxPending bounds the increases that wait.
const maxPending = 100_000

// pendingIncreases are increases of cumulative series that could not be kept or sent yet.
type pendingIncreases struct {
	limit int

	mu   sync.Mutex
	data []cloudwatch.Datum
}

func (p *pendingIncreases) take() []cloudwatch.Datum {
	p.mu.Lock()
	defer p.mu.Unlock()
	data := p.data
	p.data = nil
	return data
}

// keep makes increases wait, and returns how many there is no room for.
func (p *pendingIncreases) keep(data []cloudwatch.Datum) (lost int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	room := min(max(p.limit-len(p.data), 0), len(data))
	p.data = append(p.data, data[:room]...)
	return len(data) - room
}

// unsentParts are what a call that failed did not send; known is false when the error does not say.
func (e *cloudWatchExporter) unsentParts(err error) (increases, data []cloudwatch.Datum, known bool) {
	var partial consumererror.Metrics
	if !errors.As(err, &partial) {
		return nil, nil, false
	}
	_ = e.fromMetrics(partial.Data(), attributeIncrease, func(list []cloudwatch.Datum, marked bool) {
		if marked {
			increases = append(increases, list...)
		} else {
			data = append(data, list...)
		}
	}) // nothing is dropped that this exporter wrote
	return increases, data, true
}

// unsentData are aggregated data that the queue had no room for.
type unsentData struct {
	mu   sync.Mutex
	data []cloudwatch.Datum
}

func (u *unsentData) add(data []cloudwatch.Datum) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.data = append(u.data, data...)
}

func (u *unsentData) take() []cloudwatch.Datum {
	u.mu.Lock()
	defer u.mu.Unlock()
	data := u.data
	u.data = nil
	return data
}

func (u *unsentData) size() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.data)
}
