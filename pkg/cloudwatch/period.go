// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package cloudwatch

import "time"

// MaxDatumAge and MaxDatumFuture bound the timestamps that are accepted: two weeks back, two hours ahead.
const (
	MaxDatumAge    = 14 * 24 * time.Hour
	MaxDatumFuture = 2 * time.Hour
)

// ListedFor is how long after its last datum a metric is listed.
const ListedFor = 14 * 24 * time.Hour

// WithinIngestWindow reports whether a datum of this time (both Unix milliseconds) is accepted.
func WithinIngestWindow(timestampMs, nowMs int64) bool {
	return timestampMs >= nowMs-MaxDatumAge.Milliseconds() && timestampMs <= nowMs+MaxDatumFuture.Milliseconds()
}

// FloorTimestamp returns the Unix second of the point that a datum belongs to: its time floored to its storage
// resolution.
func FloorTimestamp(timestampMs int64, storageResolution int32) int64 {
	return floorTo(floorTo(timestampMs, 1000)/1000, int64(storageResolution))
}

// Tier is one stage of the life of data: readable in multiples of Period seconds until it is MaxAge seconds old.
type Tier struct {
	Period, MaxAge int64
}

// Tiers are the stages, finest first. Points of the first one exist for a StorageResolution of 1 only.
func Tiers() [4]Tier {
	const minute, hour, day = 60, 3600, 86400
	return [4]Tier{{1, 3 * hour}, {minute, 15 * day}, {5 * minute, 63 * day}, {hour, 455 * day}}
}

// ValidPeriod reports whether a period, in seconds, may be asked for: 1, 5, 10, 20, 30 or a multiple of 60.
func ValidPeriod(period int64) bool {
	switch period {
	case 1, 5, 10, 20, 30:
		return true
	}
	return period >= 60 && period%60 == 0
}

// AlignStart rounds the start of a request (Unix seconds) down as CloudWatch does: to the period when that is
// below a minute and the start is younger than three hours, else to the minute, beyond 15 days to five minutes,
// beyond 63 days to the hour. Buckets begin at the result and step by the period.
//
// ok is false when data of that age is not kept in this period any more; the answer is empty then, not an error.
func AlignStart(start, period, now int64) (aligned int64, ok bool) {
	age := now - start
	tiers := Tiers()
	for i, t := range tiers {
		switch {
		case i == 0 && period < t.Period*60:
			// Only high-resolution points answer, and only while they exist.
			return floorTo(start, period), age <= t.MaxAge
		case i == 0:
		case age <= t.MaxAge || i == len(tiers)-1:
			return floorTo(start, t.Period), period%t.Period == 0
		}
	}
	return 0, false // not reached
}

// AlignRange aligns the window of a request for data, [start, end) in Unix seconds: the start as [AlignStart]
// does, the end down to a multiple of the period. The buckets are alignedStart, alignedStart+period, … while they
// begin before alignedEnd. ok is false when the answer is empty.
func AlignRange(start, end, period, now int64) (alignedStart, alignedEnd int64, ok bool) {
	alignedStart, ok = AlignStart(start, period, now)
	alignedEnd = floorTo(end, period)
	return alignedStart, alignedEnd, ok && alignedStart < alignedEnd
}

// floorTo rounds down to a multiple of step, also below zero.
func floorTo(v, step int64) int64 {
	m := v % step
	if m < 0 {
		m += step
	}
	return v - m
}
