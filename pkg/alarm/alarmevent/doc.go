// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package alarmevent says what happened to an alarm in the words in which CloudWatch says it: the message that is published
// to an SNS topic, the payload of a Lambda function, the events of EventBridge, and the items of the alarm's history.
//
// Keys are in the order in which CloudWatch writes them, numbers are written as Java does.
package alarmevent
