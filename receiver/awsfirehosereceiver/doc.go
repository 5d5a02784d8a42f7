// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate mdatagen metadata.yaml

// Package awsfirehosereceiver takes what Amazon Data Firehose delivers to HTTP endpoints: CloudWatch metric streams.
package awsfirehosereceiver
