//go:build windows

// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package duckdb

import "time"

func cpuTime() time.Duration { return 0 }
