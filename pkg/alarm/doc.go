// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package alarm evaluates CloudWatch alarms: metric alarms, metric-math, Metrics Insights and anomaly-detection alarms,
// and composite alarms, with their state machine, suppression, mute rules, reasons and reason data.
//
// Nothing in it knows the time: every entry takes it. A [Rule] decides one evaluation of one metric alarm from the periods
// that it is given. An [Engine] holds many alarms and the data that they watch, and says what happened as [Event]s. The
// collector, a unit test of somebody's alarms and a backtest over last month's data all run the same engine.
package alarm
