// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package api serves the alarm operations of CloudWatch's API.
package api
