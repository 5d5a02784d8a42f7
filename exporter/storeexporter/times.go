// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package storeexporter

import (
	"time"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// reasonTime counts items whose time the store does not keep. It refuses a write that has one of them, so that they
// must not be where their neighbours are.
const reasonTime = string(cloudwatch.ReasonTimestampOutOfRange)

// latestMs is the end of the time that the store keeps, in Unix milliseconds. It begins in 1970.
var latestMs = time.Date(2260, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()

func keepsMs(ms int64) bool { return ms >= 0 && ms < latestMs }

func keepsNs(ns int64) bool { return ns >= 0 && keepsMs(ns/int64(time.Millisecond)) }

// dropTimes takes the data out of their batches whose times the store does not keep, and counts them.
func dropTimes(batches []cloudwatch.Batch) (kept []cloudwatch.Batch, dropped int64) {
	kept = batches[:0]
	for _, b := range batches {
		data := b.Data[:0]
		for i := range b.Data {
			switch {
			case !keepsMs(b.Data[i].TimestampMs):
				dropped++
			case len(data) == i: // nothing before it was dropped
				data = b.Data[:i+1]
			default:
				data = append(data, b.Data[i])
			}
		}
		if b.Data = data; len(data) > 0 {
			kept = append(kept, b)
		}
	}
	return kept, dropped
}
