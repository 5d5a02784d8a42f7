// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate mdatagen metadata.yaml

// Package emfconnector extracts metrics from log records that are embedded metric format documents.
package emfconnector
