// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package cloudwatch

// Attributes of the resource, the scope and a metric's metadata that carry what OpenTelemetry metrics have no
// field for.
const (
	// AttributeNamespace, on the scope, is the namespace of the scope's metrics. Its presence says that the
	// metrics follow the conventions of [ToMetrics].
	AttributeNamespace = "aws.cloudwatch.namespace"
	// AttributeStorageResolution, on the scope, is 1 or 60; absent means 60.
	AttributeStorageResolution = "aws.cloudwatch.storage_resolution"
	// MetadataCounts, in a metric's metadata, are the counts of its only data point as doubles, where a field of
	// the data point cannot hold them because they are fractional.
	MetadataCounts = "aws.cloudwatch.counts"

	attributeProvider = "cloud.provider"
	attributeAccount  = "cloud.account.id"
	attributeRegion   = "cloud.region"
	providerAWS       = "aws"
)
