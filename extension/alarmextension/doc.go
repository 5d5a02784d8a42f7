// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate mdatagen metadata.yaml

// Package alarmextension keeps CloudWatch alarms, evaluates them on the metrics that an alarm processor shows it, and runs
// their actions.
package alarmextension
