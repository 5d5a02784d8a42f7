// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate mdatagen metadata.yaml

// Package awsapiextension serves the AWS observability APIs on one HTTP endpoint.
package awsapiextension
