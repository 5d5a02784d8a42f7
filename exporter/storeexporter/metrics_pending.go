// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package storeexporter

import (
	"sync"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// maxPending bounds the increases that wait for the store.
const maxPending = 100_000

// pendingIncreases are increases of cumulative series that the store has not taken yet.
type pendingIncreases struct {
	limit int

	mu      sync.Mutex
	n       int
	batches []cloudwatch.Batch
}

// take hands out all that waits.
func (p *pendingIncreases) take() []cloudwatch.Batch {
	p.mu.Lock()
	defer p.mu.Unlock()
	batches := p.batches
	p.batches, p.n = nil, 0
	return batches
}

// keep makes the increases wait that were not written, and returns how many of them there is no room for.
func (p *pendingIncreases) keep(writes []metricsWrite) (lost int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range writes {
		w := &writes[i]
		b := cloudwatch.Batch{Account: w.tenant.Account, Region: w.tenant.Region}
		for k := range w.increases {
			switch {
			case w.kept[k]:
			case p.n == p.limit:
				lost++
			default:
				p.n++
				b.Data = append(b.Data, w.data[k])
			}
		}
		if len(b.Data) > 0 {
			p.batches = append(p.batches, b)
		}
	}
	return lost
}

func countUnkeptIncreases(writes []metricsWrite) (n int) {
	for i := range writes {
		for k := range writes[i].increases {
			if !writes[i].kept[k] {
				n++
			}
		}
	}
	return n
}
