// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate mdatagen metadata.yaml

// Package awsapireceiver puts into pipelines what the AWS API extension is sent.
package awsapireceiver
