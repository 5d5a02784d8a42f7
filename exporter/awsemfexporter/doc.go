// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate mdatagen metadata.yaml

// Package awsemfexporter writes metrics as embedded metric format documents to CloudWatch Logs or the standard output.
package awsemfexporter
