// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package duckdb

import "github.com/nephoscope/nephoscope/internal/store"

// Dialect is the SQL of DuckDB over the columns of aggregateColumns.
func (e *Engine) Dialect() store.Dialect { return Dialect{} }
