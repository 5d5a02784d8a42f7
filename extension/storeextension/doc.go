// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate mdatagen metadata.yaml

// Package storeextension keeps telemetry in embedded DuckDB files. Components that write or read find it on the host.
package storeextension
