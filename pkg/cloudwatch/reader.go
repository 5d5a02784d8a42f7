// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package cloudwatch

import "context"

// Tenant is whose telemetry something is. Both are set from the credential scope of the request that brought it, or from
// the component's configuration.
type Tenant struct {
	Account string // 12 digits
	Region  string
}

// MetricReader answers for the metric data of a store, or of anything else that has some: the series of a unit test.
type MetricReader interface {
	// QueryMetrics answers each query with its buckets in order of Start, then Unit. Buckets without data are
	// absent; a metric that is not known has none.
	QueryMetrics(ctx context.Context, queries []MetricQuery) ([][]Bucket, error)

	// ListMetrics lists identities in order of namespace, name, dimensions, those behind after first (nil
	// from the start), at most limit.
	ListMetrics(ctx context.Context, f MetricFilter, after *Metric, limit int) ([]Metric, error)
}

// MetricQuery asks for the data of one metric, in buckets.
type MetricQuery struct {
	Tenant Tenant
	Metric Metric // exact identity
	Unit   string // "" means every unit, each in buckets of its own
	// Start and End are Unix seconds, half-open; buckets begin at Start and step by Period.
	Start, End int64
	Period     int64 // seconds; below 60 only points of StorageResolution 1 answer
	// Distribution asks for Bucket.Distribution.
	Distribution bool
}

// Bucket is the statistics of one metric in one unit over one period.
type Bucket struct {
	Start int64 // Unix seconds
	Unit  string
	StatisticSet
	// Distribution is nil when it was not asked for, or when the samples' distribution is unknown
	// (a StatisticSet was published). When it is known of a part of the samples only, it is of that part and not
	// Complete.
	Distribution *Distribution
}

// MetricFilter selects metrics for ListMetrics.
type MetricFilter struct {
	Tenant     Tenant
	Namespace  string // "" any
	Name       string // "" any
	Dimensions []DimensionFilter
	// Since lists metrics with data at or after this time (Unix seconds) only.
	Since int64
}
