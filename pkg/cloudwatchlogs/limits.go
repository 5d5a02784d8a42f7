// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package cloudwatchlogs

import "time"

// Limits of PutLogEvents.
const (
	// EventOverhead is added to a message's bytes wherever AWS counts the size of an event.
	EventOverhead = 26
	// MaxEventBytes bounds one event, overhead included.
	MaxEventBytes = 1 << 20
	// MaxBatchBytes bounds the events of one call, overhead included.
	MaxBatchBytes = 1 << 20
	// MaxBatchEvents bounds the number of events of one call.
	MaxBatchEvents = 10_000
	// MaxBatchSpan bounds the time between the first and last event of one call.
	MaxBatchSpan = 24 * time.Hour
	// MaxFuture is how far ahead of the clock an event may be.
	MaxFuture = 2 * time.Hour
	// MaxAge is how old an event may be when it is put.
	MaxAge = 14 * 24 * time.Hour
)

// Limits of names and other strings, in characters.
const (
	MaxNameLength          = 512
	MaxIdentifierLength    = 2048
	MaxFilterPatternLength = 1024
	MaxQueryLength         = 10_000
	MaxTags                = 50
	MaxTagKeyLength        = 128
	MaxTagValueLength      = 256
)

// RetentionDays are the values that PutRetentionPolicy takes.
var RetentionDays = []int32{
	1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
}

// Classes of log groups.
const (
	ClassStandard         = "STANDARD"
	ClassInfrequentAccess = "INFREQUENT_ACCESS"
	ClassDelivery         = "DELIVERY"
)
