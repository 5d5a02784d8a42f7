// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate mdatagen metadata.yaml

// Package alarmprocessor passes metrics through and shows the alarm extension those that some alarm watches.
package alarmprocessor
