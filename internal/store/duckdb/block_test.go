// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package duckdb

import (
	"context"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

func TestColumns(t *testing.T) {
	const midnight = 1_700_006_400
	for name, make := range map[string]func(p *points, i int){
		"one sample a minute": func(p *points, i int) {
			p.add(midnight+int64(i)*60, cloudwatch.StatisticSet{SampleCount: 1, Sum: 7, Minimum: 7, Maximum: 7}, nil)
		},
		"sets, some with a distribution, some late": func(p *points, i int) {
			var dist []byte
			if i%3 == 0 {
				dist = []byte{byte(i)}
			}
			p.add(midnight+int64(i*i%97), cloudwatch.StatisticSet{SampleCount: float64(i), Sum: math.Pi, Minimum: -1, Maximum: 1e300}, dist)
		},
		"the same count, empty distributions": func(p *points, i int) {
			p.add(midnight+86399, cloudwatch.StatisticSet{SampleCount: 3, Sum: float64(i), Minimum: 0, Maximum: 2}, []byte{})
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, n := range []int{1, 2, 3, 100} {
				var want points
				for i := range n {
					make(&want, i)
				}
				want.sort()
				data := appendColumns(nil, &want, midnight)
				var got points
				require.NoError(t, got.appendPoints(data, midnight, true))
				require.Equal(t, want, got)
				require.NoError(t, got.appendPoints(data, midnight, false))
				require.Len(t, got.max, 2*n)
				for cut := range data {
					require.ErrorIs(t, new(points).appendPoints(data[:cut], midnight, true), errBlock)
				}
			}
		})
	}
}

func FuzzColumns(f *testing.F) {
	var p points
	p.add(60, cloudwatch.StatisticSet{SampleCount: 1, Sum: 1, Minimum: 1, Maximum: 1}, nil)
	f.Add(appendColumns(nil, &p, 0))
	p.add(61, cloudwatch.StatisticSet{SampleCount: 2, Sum: 1, Minimum: 1, Maximum: 1}, []byte{1, 2})
	f.Add(appendColumns(nil, &p, 0))
	f.Fuzz(func(t *testing.T, data []byte) {
		var p points
		if p.appendPoints(data, 0, true) != nil {
			return
		}
		if n := len(p.ts); len(p.count) != n || len(p.sum) != n || len(p.min) != n || len(p.max) != n || len(p.dist) != n {
			t.Fatal("columns of different length")
		}
	})
}

// TestBlocksAreMadeAgain checks that what is missing, damaged, left over or of another file does no harm.
func TestBlocksAreMadeAgain(t *testing.T) {
	for name, harm := range map[string]func(t *testing.T, dir string, names []string){
		"nothing": func(*testing.T, string, []string) {},
		"all missing": func(t *testing.T, dir string, _ []string) {
			t.Helper()
			require.NoError(t, os.RemoveAll(dir))
		},
		"one missing": func(t *testing.T, dir string, names []string) {
			t.Helper()
			require.NoError(t, os.Remove(filepath.Join(dir, names[1])))
		},
		"cut off": func(t *testing.T, dir string, names []string) {
			t.Helper()
			require.NoError(t, os.Truncate(filepath.Join(dir, names[1]), 200))
		},
		"empty": func(t *testing.T, dir string, names []string) {
			t.Helper()
			require.NoError(t, os.Truncate(filepath.Join(dir, names[0]), 0))
		},
		"a bit": func(t *testing.T, dir string, names []string) {
			t.Helper()
			path := filepath.Join(dir, names[0])
			data, err := os.ReadFile(path)
			require.NoError(t, err)
			data[blockHeaderSize+3] ^= 4
			require.NoError(t, os.WriteFile(path, data, 0o600))
		},
		"a header": func(t *testing.T, dir string, names []string) {
			t.Helper()
			path := filepath.Join(dir, names[2])
			data, err := os.ReadFile(path)
			require.NoError(t, err)
			data[20] ^= 1
			require.NoError(t, os.WriteFile(path, data, 0o600))
		},
		"left over": func(t *testing.T, dir string, names []string) {
			t.Helper()
			require.NoError(t, os.WriteFile(filepath.Join(dir, "0-10.points.new"), []byte("half"), 0o600))
			data, err := os.ReadFile(filepath.Join(dir, names[0]))
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(filepath.Join(dir, "5-3.points"), data, 0o600))
		},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := testConfig(t)
			cfg.blockRows = 10
			at := noon.Unix() - sPerDay
			e, err := Open(t.Context(), cfg)
			require.NoError(t, err)
			for i := range int64(35) {
				require.NoError(t, e.WriteMetrics(t.Context(), tenant, []cloudwatch.Datum{
					datum(metric("a"), at+i*60, 1), datum(metric("b"), at+(35-i)*60, 2),
				}))
			}
			f := e.filesIn(signalMetrics, minDay, maxDay)[0]
			require.NoError(t, e.buildBlocks(t.Context(), f, false))
			dir := f.blocks.dir
			require.NoError(t, e.Close())
			entries, err := os.ReadDir(dir)
			require.NoError(t, err)
			var names []string
			for _, entry := range entries {
				names = append(names, entry.Name())
			}
			slices.Sort(names)
			require.GreaterOrEqual(t, len(names), 3)
			harm(t, dir, names)

			e = openEngine(t, cfg)
			check := func() {
				t.Helper()
				got, err := e.QueryMetrics(t.Context(), []store.MetricQuery{
					{Tenant: tenant, Metric: metric("a"), Start: at, End: at + 3600, Period: 60},
					{Tenant: tenant, Metric: metric("b"), Start: at, End: at + 3600, Period: 3600, Distribution: true},
				})
				require.NoError(t, err)
				require.Len(t, got[0], 35)
				require.Len(t, got[1], 1)
				assert.Equal(t, cloudwatch.StatisticSet{SampleCount: 35, Sum: 70, Minimum: 2, Maximum: 2}, got[1][0].StatisticSet)
				assert.InDelta(t, 35, got[1][0].Distribution.Count(), 0)
			}
			check()
			f = e.filesIn(signalMetrics, minDay, maxDay)[0]
			require.NoError(t, e.buildBlocks(t.Context(), f, true))
			check()
			id := ""
			require.NoError(t, e.read(t.Context(), []*dayFile{f}, func(_ context.Context, s *snapshot) (err error) {
				id, err = s.fileID(t.Context(), f)
				return err
			}))
			v, err := f.blocks.view(id)
			require.NoError(t, err)
			defer v.release()
			assert.Len(t, v.blocks, 1, "a day that is over is one block")
			assert.EqualValues(t, 70, v.covered)
		})
	}
}

func TestMergeBuckets(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 500 {
		want := map[int64]float64{}
		var all []store.Bucket
		for range rng.IntN(6) {
			var run []store.Bucket
			at := int64(rng.IntN(5))
			for range rng.IntN(6) {
				run = append(run, store.Bucket{Start: at, StatisticSet: cloudwatch.StatisticSet{SampleCount: 1}})
				want[at]++
				at += 1 + int64(rng.IntN(3))
			}
			all = mergeBuckets(all, run)
		}
		require.Len(t, all, len(want))
		for i, b := range all {
			require.InDelta(t, want[b.Start], b.SampleCount, 0)
			require.True(t, i == 0 || all[i-1].Start < b.Start)
		}
	}
}
