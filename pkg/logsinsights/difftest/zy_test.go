package difftest

import (
	"context"
	"fmt"
	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/internal/store/duckdb"
	"github.com/stretchr/testify/require"
	"os"
	"strings"
	"testing"
	"time"
)

func TestZY(t *testing.T) {
	e, err := duckdb.Open(context.Background(), duckdb.Config{Directory: "/tmp/li/bench", MemoryLimit: 512 << 20, MinFreeDisk: -1, Now: func() time.Time { return time.UnixMilli(day) }})
	require.NoError(t, err)
	defer e.Close()
	var groups []string
	for i := range 20 {
		groups = append(groups, fmt.Sprintf("/app/g%d", i))
	}
	all := selection(benchTenant, groups...)
	all.Start = day
	all.End = day + 3*3600_000
	b, _ := os.ReadFile("/tmp/li/zy.txt")
	for _, l := range strings.Split(string(b), "\n") {
		if l == "" {
			continue
		}
		p := strings.Split(l, " ## ")
		for len(p) < 3 {
			p = append(p, "GROUP BY ()")
		}
		var a time.Duration = 1e15
		var rows [][]any
		for range 4 {
			t0 := cpu()
			rows, _, err = e.AggregateLogs(context.Background(), store.LogAggregate{LogSelection: all, Select: p[0], Where: p[1], Tail: p[2], NoStats: true})
			if err != nil {
				fmt.Println(err)
				break
			}
			a = min(a, cpu()-t0)
		}
		fmt.Printf("%7.0f ms n=%d %.60v | %s\n", a.Seconds()*1000, len(rows), rows[0], l)
	}
}
