package duckdb

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/internal/store"
)

func TestZ(t *testing.T) {
	cfg := Config{Directory: os.Getenv("ZDIR"), MinFreeDisk: -1}
	e := openEngine(t, cfg)
	var f *dayFile
	if fs := e.filesIn(signalLogs, minDay, maxDay); len(fs) == 0 {
		g := newGenerator(7)
		midnight := dayOfMs(noonMs).startMs()
		n := 1_000_000
		var batch []store.LogRecord
		for i := range n {
			r := g.event(midnight + int64(i)*msPerDay/int64(n))
			if i == n/3 || i == n/2 {
				r.Message = `{"order":"ord-rare77ab-x"}`
			}
			if batch = append(batch, r); len(batch) == 8192 || i == n-1 {
				require.NoError(t, e.WriteLogs(t.Context(), batch))
				batch = batch[:0]
			}
		}
		return
	}
	f = e.filesIn(signalLogs, minDay, maxDay)[0]
	require.NoError(t, e.completeBloom(t.Context(), f))
	gs, err := e.LogStreams(t.Context(), tenant, store.LogGroupRange{})
	require.NoError(t, err)
	seen := map[string]bool{}
	var groups []any
	for _, s := range gs {
		if !seen[s.Group] {
			seen[s.Group] = true
			groups = append(groups, s.Group)
		}
	}
	lit := []string{}
	for _, g := range groups {
		lit = append(lit, quote(g.(string)))
	}
	lo, hi := clampMs(0), clampMs(noonMs*2)
	base := "ts >= make_timestamp_ms(?) AND ts < make_timestamp_ms(?)"
	tn := " AND account = ? AND region = ?"
	e.read(t.Context(), []*dayFile{f}, func(ctx context.Context, s *snapshot) error {
		for _, q := range []struct {
			name, sql string
			args      []any
		}{
			{"bare", "SELECT service, count(*) FROM X WHERE level='ERROR' GROUP BY 1", nil},
			{"ts", "SELECT service, count(*) FROM X WHERE level='ERROR' AND " + base + " GROUP BY 1", []any{lo, hi}},
			{"ts+tenant", "SELECT service, count(*) FROM X WHERE level='ERROR' AND " + base + tn + " GROUP BY 1", []any{lo, hi, tenant.Account, tenant.Region}},
			{"ts+tenant+grp=", "SELECT service, count(*) FROM X WHERE level='ERROR' AND " + base + tn + " AND grp = ? GROUP BY 1", []any{lo, hi, tenant.Account, tenant.Region, groups[0]}},
			{"ts+tenant+2 or", "SELECT service, count(*) FROM X WHERE level='ERROR' AND " + base + tn + " AND (grp = ? OR grp = ?) GROUP BY 1", []any{lo, hi, tenant.Account, tenant.Region, groups[0], groups[1]}},
			{"ts+tenant+in5", "SELECT service, count(*) FROM X WHERE level='ERROR' AND " + base + tn + " AND grp IN (?,?,?,?,?) GROUP BY 1", append([]any{lo, hi, tenant.Account, tenant.Region}, groups[:5]...)},
			{"ts+tenant+in100 ?", "SELECT service, count(*) FROM X WHERE level='ERROR' AND " + base + tn + " AND grp IN (" + placeholders(len(groups)) + ") GROUP BY 1", append([]any{lo, hi, tenant.Account, tenant.Region}, groups...)},
			{"ts+tenant+in100 literals", "SELECT service, count(*) FROM X WHERE level='ERROR' AND " + base + tn + " AND grp IN (" + strings.Join(lit, ",") + ") GROUP BY 1", []any{lo, hi, tenant.Account, tenant.Region}},
			{"ts+tenant+in100 unnest", "SELECT service, count(*) FROM X WHERE level='ERROR' AND " + base + tn + " AND grp IN (SELECT unnest(?::VARCHAR[])) GROUP BY 1", []any{lo, hi, tenant.Account, tenant.Region, gsList(groups)}},
			{"ts+tenant+in100 contains", "SELECT service, count(*) FROM X WHERE level='ERROR' AND " + base + tn + " AND list_contains(?::VARCHAR[], grp) GROUP BY 1", []any{lo, hi, tenant.Account, tenant.Region, gsList(groups)}},
			{"count scope tenant", "SELECT count(*), sum(bytes) FROM X WHERE " + base + tn, []any{lo, hi, tenant.Account, tenant.Region}},
			{"count scope grp=", "SELECT count(*), sum(bytes) FROM X WHERE " + base + tn + " AND grp = ?", []any{lo, hi, tenant.Account, tenant.Region, groups[0]}},
			{"count scope lit", "SELECT count(*), sum(bytes) FROM X WHERE ts >= '1970-01-01'::TIMESTAMP AND ts < '2070-01-01'::TIMESTAMP AND account='" + tenant.Account + "' AND region='" + tenant.Region + "' AND grp = '" + groups[0].(string) + "'", nil},
			{"count scope unnest", "SELECT count(*), sum(bytes) FROM X WHERE " + base + tn + " AND grp IN (SELECT unnest(?::VARCHAR[]))", []any{lo, hi, tenant.Account, tenant.Region, gsList(groups)}},
			{"scan level only", "SELECT count(*) FROM X WHERE level='ERROR'", nil},
			{"scan ts only", "SELECT count(*) FROM X WHERE " + base, []any{lo, hi}},
			{"scan ts only lit", "SELECT count(*) FROM X WHERE ts >= '1970-01-01'::TIMESTAMP AND ts < '2070-01-01'::TIMESTAMP", nil},
			{"scan account only", "SELECT count(*) FROM X WHERE account = ?", []any{tenant.Account}},
			{"rare", "SELECT count(*) FROM X WHERE contains(message, ?)", []any{"-rare77ab-"}},
		} {
			best, bestW := time.Hour, time.Hour
			for range 5 {
				c, w := cpuTime(), time.Now()
				err := s.query(ctx, strings.ReplaceAll(q.sql, "X", f.alias+".logs"), q.args, func(*sql.Rows) (bool, error) { return true, nil })
				require.NoError(t, err)
				best, bestW = min(best, cpuTime()-c), min(bestW, time.Since(w))
			}
			fmt.Printf("%-28s cpu %8.2f ms wall %8.2f\n", q.name, best.Seconds()*1000, bestW.Seconds()*1000)
		}
		return nil
	})
}

func gsList(g []any) []string {
	var o []string
	for _, x := range g {
		o = append(o, x.(string))
	}
	return o
}
