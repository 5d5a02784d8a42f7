// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

//go:build cgo

package backtest

import (
	"database/sql"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/cmd/neph/internal/alarms/simulation"
	"github.com/nephoscope/nephoscope/internal/store/duckdb"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch/metricmemory"
)

// TestStore compares what comes of the store with what comes of the same data in memory.
func TestStore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data := noise(rand.New(rand.NewPCG(8, 9)), 3*time.Hour)
	engine, err := duckdb.Open(t.Context(), duckdb.Config{Directory: dir, MinFreeDisk: -1})
	require.NoError(t, err)
	require.NoError(t, engine.WriteMetrics(t.Context(), owner, data))
	_, _, err = OpenStore(t.Context(), dir)
	require.ErrorContains(t, err, "--endpoint-url", "it is open already")
	require.NoError(t, engine.Close())

	source, closeStore, err := OpenStore(t.Context(), dir)
	require.NoError(t, err)
	memory := metricmemory.New(0)
	require.NoError(t, memory.Add(owner, data))
	set := parse(t, alarmsOfManyKinds)
	s := Settings{Tenant: owner, Source: memory, From: start, To: start.Add(3 * time.Hour), Phase: simulation.DefaultPhase}
	want, err := Run(t.Context(), s, set)
	require.NoError(t, err)
	s.Source = source
	got, err := Run(t.Context(), s, set)
	require.NoError(t, err)
	for i := range want.Alarms {
		require.Equal(t, want.Alarms[i].Transitions, got.Alarms[i].Transitions, want.Alarms[i].Definition.Alarm.Name)
	}
	require.NoError(t, closeStore())
	_, _, err = OpenStore(t.Context(), filepath.Join(dir, "nosuch"))
	require.Error(t, err)
}

func TestParquet(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.parquet")
	db, err := sql.Open("duckdb", "")
	require.NoError(t, err)
	_, err = db.ExecContext(t.Context(), "COPY (SELECT TIMESTAMP '2026-01-05' + i * INTERVAL 1 MINUTE AS timestamp, i::DOUBLE AS value, "+
		"'N' AS namespace, 'a' AS metric_name, 'd=x' AS dimensions, 'Count' AS unit FROM range(3) t(i)) TO '"+path+"' (FORMAT parquet)")
	require.NoError(t, err)
	require.NoError(t, db.Close())
	f := files(t)
	require.NoError(t, f.Read(t.Context(), path))
	require.Equal(t, "0:0/1 1:1/1 2:2/1 ", contents(t, f, "a", "Count", cloudwatch.Dimension{Name: "d", Value: "x"}))
	require.Error(t, f.Read(t.Context(), write(t, "x.parquet", "not parquet")))
	require.Error(t, f.Read(t.Context(), "nosuch.parquet"))
}
