// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate mdatagen metadata.yaml

// Package notificationextension delivers what alarms do: it holds SNS topics and their subscriptions, forwards actions to
// AWS, and tells receivers such as Slack, PagerDuty and email of alarms.
package notificationextension
