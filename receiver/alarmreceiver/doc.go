// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate mdatagen metadata.yaml

// Package alarmreceiver puts what happens to alarms into logs pipelines, as EventBridge events.
package alarmreceiver
