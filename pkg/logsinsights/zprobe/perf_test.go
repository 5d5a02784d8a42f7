package duckdb

import (
	"database/sql"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	_ "github.com/duckdb/duckdb-go/v2"
	dd "github.com/nephoscope/nephoscope/internal/store/duckdb"
)

func TestPerf(t *testing.T) {
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	ex := func(q string) {
		if _, err := db.Exec(q); err != nil {
			t.Fatal(q, err)
		}
	}
	ex(`SET threads=2`)
	ex(`ATTACH '/tmp/li/p.db' AS d`)
	ex(`USE d`)
	ex("CREATE TEMP TABLE mix AS SELECT CASE WHEN rowid%2=0 THEN message ELSE substr(message,2) END AS message FROM logs LIMIT 500000")
	ex("CREATE TEMP TABLE half AS SELECT message FROM logs LIMIT 500000")
	b, _ := os.ReadFile("/tmp/li/perf.sql")
	d := dd.Dialect{}
	for _, q := range strings.Split(string(b), "\n") {
		if strings.TrimSpace(q) == "" {
			continue
		}
		name := q
		for {
			i := strings.Index(q, "{J")
			if i < 0 {
				i = strings.Index(q, "{N")
			}
			if i < 0 {
				i = strings.Index(q, "{T")
			}
			if i < 0 {
				break
			}
			e := i + strings.Index(q[i:], "}")
			x := q[i+1 : e]
			r := ""
			switch x[0] {
			case 'J':
				r = d.JSONField("message", strings.Split(x[2:], "."))
			case 'N':
				r = d.ToNumber(d.JSONField("message", strings.Split(x[2:], ".")))
			case 'T':
				r = d.TimeFloor("ts", 300000)
			}
			q = q[:i] + r + q[e+1:]
		}
		var best time.Duration = 1e12
		var first string
		n := 0
		for k := 0; k < 3; k++ {
			t0 := time.Now()
			n = 0
			rows, err := db.Query(q)
			if err != nil {
				fmt.Println(q, err)
				break
			}
			cols, _ := rows.Columns()
			for rows.Next() {
				n++
				v := make([]any, len(cols))
				p := make([]any, len(cols))
				for i := range v {
					p[i] = &v[i]
				}
				rows.Scan(p...)
				if n == 1 {
					first = fmt.Sprint(v...)
				}
			}
			if rows.Err() != nil {
				fmt.Println(rows.Err())
			}
			rows.Close()
			if d := time.Since(t0); d < best {
				best = d
			}
		}
		fmt.Printf("%8.1f ms n=%d %.60s | %s\n", float64(best.Microseconds())/1000, n, first, name)
	}
}
