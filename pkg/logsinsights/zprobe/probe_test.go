package duckdb

import (
	"database/sql"
	"fmt"
	_ "github.com/duckdb/duckdb-go/v2"
	"os"
	"strings"
	"testing"
)

func TestProbe(t *testing.T) {
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	b, _ := os.ReadFile("/tmp/li/probe.sql")
	for _, q := range strings.Split(string(b), "\n") {
		if strings.TrimSpace(q) == "" {
			continue
		}
		q = strings.ReplaceAll(q, `\\0`, "\x00")
		rows, err := db.Query(q)
		if err != nil {
			fmt.Printf("%s\n   ERR %v\n", q, err)
			continue
		}
		cols, _ := rows.Columns()
		for rows.Next() {
			v := make([]any, len(cols))
			p := make([]any, len(cols))
			for i := range v {
				p[i] = &v[i]
			}
			if err := rows.Scan(p...); err != nil {
				fmt.Println(err)
			}
			fmt.Printf("%s\n   ", q)
			for i := range v {
				fmt.Printf("%q:%T ", fmt.Sprint(v[i]), v[i])
			}
			fmt.Println()
		}
		if rows.Err() != nil {
			fmt.Printf("%s\n   RERR %v\n", q, rows.Err())
		}
		rows.Close()
	}
}
