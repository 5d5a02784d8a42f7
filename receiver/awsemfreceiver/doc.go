// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate mdatagen metadata.yaml

// Package awsemfreceiver receives embedded metric format documents over TCP and UDP, as the CloudWatch agent does.
package awsemfreceiver
