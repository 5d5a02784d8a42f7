// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package unittest runs tests of alarms: series of data, and what state the alarms are expected to be in at which time.
package unittest
