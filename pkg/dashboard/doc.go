// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package dashboard reads the bodies of CloudWatch dashboards: it validates them as CloudWatch does, with the same paths
// and messages, gives the text that CloudWatch keeps, and the definition of a metric widget as it is to be drawn.
package dashboard
