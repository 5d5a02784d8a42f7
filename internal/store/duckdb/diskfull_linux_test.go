// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package duckdb

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// smallDisk mounts a file system of the given size, or skips the test where that is not allowed.
func smallDisk(t *testing.T, size int) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d", size)); err != nil {
		t.Skipf("cannot mount a small disk: %v", err)
	}
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(dir, 0)) })
	return dir
}

// TestDiskFull fills the disk under the engine, checks that nothing acknowledged is lost and that reads go on, makes room and
// checks that writes are taken again.
func TestDiskFull(t *testing.T) {
	for name, tc := range map[string]struct {
		reserve  int64
		walLimit int64
	}{
		"in the log":                 {-1, 0},
		"in a checkpoint":            {-1, 1 << 20},
		"before the reserve is used": {14 << 20, 0},
	} {
		t.Run(name, func(t *testing.T) {
			disk := smallDisk(t, 48<<20)
			filler := filepath.Join(disk, "filler")
			require.NoError(t, os.WriteFile(filler, make([]byte, 20<<20), 0o600))
			cfg := testConfig(t)
			cfg.Directory = filepath.Join(disk, "store")
			cfg.MinFreeDisk, cfg.walLimit = tc.reserve, tc.walLimit
			e := openEngine(t, cfg)

			rng := rand.New(rand.NewPCG(5, 6))
			random := make([]byte, 1<<20)
			_, _ = rand.NewChaCha8([32]byte{}).Read(random)
			noise := base64.StdEncoding.EncodeToString(random) // does not compress well
			var acked []string
			n := 0
			write := func() error {
				n++
				stream := fmt.Sprint("s", n)
				batch := make([]store.LogRecord, 500)
				for i := range batch {
					batch[i] = record("g", stream, noonMs+int64(n), noise[rng.IntN(len(noise)-300):][:300])
				}
				err := e.WriteLogs(t.Context(), batch)
				if err == nil {
					acked = append(acked, stream)
				}
				return err
			}
			check := func() {
				t.Helper()
				rows, _, err := e.AggregateLogs(t.Context(), store.LogAggregate{
					LogSelection: selection("g"), Select: "stream, count(message)", Tail: "GROUP BY stream",
				})
				require.NoError(t, err)
				have := map[string]any{}
				for _, row := range rows {
					have[row[0].(string)] = row[1]
				}
				for _, s := range acked {
					require.Equal(t, int64(500), have[s], "acknowledged rows of %s", s)
				}
				require.Len(t, have, len(acked), "rows that were refused are there")
			}
			require.NoError(t, e.WriteMetrics(t.Context(), tenant, []cloudwatch.Datum{datum(metric("m"), noon.Unix(), 1)}))
			refused := 0
			for refused < 5 {
				if err := write(); err != nil {
					require.ErrorIs(t, err, store.ErrUnavailable)
					refused++
				}
				require.Less(t, n, 20_000)
			}
			t.Logf("%d calls acknowledged", len(acked))
			assert.True(t, e.Unavailable())
			check()
			require.ErrorIs(t, e.WriteMetrics(t.Context(), tenant, []cloudwatch.Datum{datum(metric("m"), noon.Unix(), 1)}), store.ErrUnavailable)
			got, err := e.QueryMetrics(t.Context(), []store.MetricQuery{{Tenant: tenant, Metric: metric("m"), Start: noon.Unix(), End: noon.Unix() + 60, Period: 60}})
			require.NoError(t, err)
			require.Len(t, got[0], 1)
			assert.InDelta(t, 1, got[0][0].SampleCount, 0)
			st, err := e.Stats(t.Context())
			require.NoError(t, err)
			assert.True(t, st.ReadOnly)
			assert.Empty(t, st.SetAside)

			require.NoError(t, e.Close())
			e = openEngine(t, cfg)
			check()
			if err := write(); err != nil { // closing may have made room by folding the log
				require.ErrorIs(t, err, store.ErrUnavailable)
			}

			require.NoError(t, os.Remove(filler))
			require.Eventually(t, func() bool {
				err := write()
				if err != nil && !errors.Is(err, store.ErrUnavailable) {
					t.Error(err)
				}
				return err == nil
			}, 20*time.Second, 50*time.Millisecond)
			for range 20 {
				require.NoError(t, write())
			}
			check()
			require.NoError(t, e.WriteMetrics(t.Context(), tenant, []cloudwatch.Datum{datum(metric("m"), noon.Unix(), 1)}))
			assert.False(t, e.Unavailable())

			require.NoError(t, e.Close())
			e = openEngine(t, cfg)
			check()
		})
	}
}
