// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate mdatagen metadata.yaml

// Package awsxrayreceiver takes the place of the X-Ray daemon: SDKs send it segments over UDP and ask it for
// sampling rules over TCP.
package awsxrayreceiver
