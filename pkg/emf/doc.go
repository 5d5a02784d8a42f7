// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package emf reads and writes the CloudWatch embedded metric format: JSON log events that carry metrics.
//
// [Extract] finds the metrics of one log event. It follows the specification that AWS publishes, where that is
// silent what AWS's own emitters and exporters rely on: statistic objects as values, and the older layout
// without an _aws member. It never changes the event, and an error in one directive, dimension set or metric
// costs that one only.
package emf
