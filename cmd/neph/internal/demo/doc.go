// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package demo runs a small shop against a collector: it sends telemetry in every way that AWS applications do, reads
// it back through the AWS APIs, and compares.
package demo
