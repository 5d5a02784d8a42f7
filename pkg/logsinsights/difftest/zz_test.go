package difftest

import (
	"context"
	"fmt"
	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/internal/store/duckdb"
	"github.com/nephoscope/nephoscope/pkg/logsinsights"
	"github.com/stretchr/testify/require"
	"os"
	"syscall"
	"testing"
	"time"
)

func cpu() time.Duration {
	var r syscall.Rusage
	syscall.Getrusage(0, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
func TestZZ(t *testing.T) {
	n := 2000000
	dir := "/tmp/li/bench"
	_, serr := os.Stat(dir)
	e, err := duckdb.Open(context.Background(), duckdb.Config{Directory: dir, MemoryLimit: 512 << 20, MinFreeDisk: -1, Now: func() time.Time { return time.UnixMilli(day) }})
	require.NoError(t, err)
	defer e.Close()
	if serr != nil {
		batch := []store.LogRecord{}
		for i := range n {
			batch = append(batch, benchRecord(i, n))
			if len(batch) == 8192 || i == n-1 {
				require.NoError(t, e.WriteLogs(context.Background(), batch))
				batch = batch[:0]
			}
		}
	}
	var groups []string
	for i := range 20 {
		groups = append(groups, fmt.Sprintf("/app/g%d", i))
	}
	all := selection(benchTenant, groups...)
	needle := benchRecord(n/3, n)
	d := e.Dialect()
	for _, q := range []struct {
		name, query, sel, where, tail string
		contains                      []string
		trace                         string
	}{
		{"rare", `filter @message like "` + needle.TraceID[3:20] + `" | stats count(*)`, "count(*)", "", "GROUP BY ()", []string{needle.TraceID[3:20]}, ""},
		{"err-by-svc", `filter level = "ERROR" | stats count(*) as n by service | sort n desc`, "service, count(*)", "level='ERROR'", "GROUP BY 1", nil, ""},
		{"pct", `stats pct(duration_ms, 50), pct(duration_ms, 95), pct(duration_ms, 99), avg(duration_ms) by bin(1h)`, "time_bucket(INTERVAL '1 hour', ts) b, quantile_cont(duration_ms,0.5), quantile_cont(duration_ms,0.95), quantile_cont(duration_ms,0.99), avg(duration_ms)", "", "GROUP BY 1", nil, ""},
		{"regex", `parse @message /user=(?<u>\w+), method/ | stats count(*) by u`, `regexp_extract(message,'user=(\w+), method',1), count(*)`, "", "GROUP BY 1", nil, ""},
		{"glob", `parse @message "user=*, method:*, " as u, m | stats count(*) by u, m`, `regexp_extract(message,'user=([^,]*), method:([^,]*), ',1), regexp_extract(message,'user=([^,]*), method:([^,]*), ',2), count(*)`, "", "GROUP BY 1,2", nil, ""},
		{"5m", `stats count(*) by bin(5m)`, `time_bucket(INTERVAL '5 minutes', ts), count(*)`, "", "GROUP BY 1", nil, ""},
		{"trace", `filter trace_id = "` + needle.TraceID + `" | stats count(*)`, "count(*)", "trace_id='" + needle.TraceID + "'", "GROUP BY ()", nil, ""},
		{"json", `filter ctx.az = "1" | stats count(*) by ctx.deep.k`, `json_extract_string(message,'$.ctx.deep.k'), count(*)`, "json_extract_string(message,'$.ctx.az')='1'", "GROUP BY 1", nil, ""},
		{"jsonnum", `filter ctx.deep.k > 5 | stats count(*)`, `count(*)`, "TRY_CAST(json_extract_string(message,'$.ctx.deep.k') AS DOUBLE) > 5", "GROUP BY ()", nil, ""},
	} {
		if f := os.Getenv("ZZ"); f != "" && f != q.name {
			continue
		}
		var a, b time.Duration = 1e15, 1e15
		for range 3 {
			t0 := cpu()
			_, err := run(context.Background(), e, all, q.query, logsinsights.Options{Dialect: d, Promoted: true})
			require.NoError(t, err)
			a = min(a, cpu()-t0)
			t0 = cpu()
			s := all
			s.Contains = q.contains
			_, _, err = e.AggregateLogs(context.Background(), store.LogAggregate{LogSelection: s, Select: q.sel, Where: q.where, Tail: q.tail})
			require.NoError(t, err)
			b = min(b, cpu()-t0)
		}
		fmt.Printf("%-12s ours %7.0f ms cpu, raw %7.0f ms cpu, ratio %.2f\n", q.name, a.Seconds()*1000, b.Seconds()*1000, float64(a)/float64(b))
	}
}
