// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package backtest runs alarms over data of the past: which transitions there would have been, and what other thresholds
// would have made of it.
//
// Metric alarms are judged by the collector's own rules, minute by minute, over series that are put together once: an alarm
// over five minutes has one for each minute in which five minutes can begin. Composite alarms run in the collector's own
// engine over the transitions of the others.
package backtest
