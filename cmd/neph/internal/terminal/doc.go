// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package terminal draws charts, tables and waterfalls as text. Colour is an addition: everything that is shown
// can be read without it.
package terminal
