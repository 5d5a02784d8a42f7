package duckdb

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/nephoscope/nephoscope/internal/store"
)

func TestZ(t *testing.T) {
	cfg := testConfig(t)
	mb, _ := strconv.Atoi(os.Getenv("ZMB"))
	cfg.MemoryLimit = int64(mb) << 20
	size, _ := strconv.Atoi(os.Getenv("ZSIZE"))
	e := openEngine(t, cfg)
	_, err := e.inst.db.Exec("SELECT count(*) FROM (SELECT a.i, md5(a.i::varchar) m FROM range(3000000) a(i) ORDER BY m)")
	fmt.Println("sort", err)
	rows, err := e.inst.db.Query("select * from duckdb_temporary_files()")
	fmt.Println(rows.Next(), err)
	rows.Close()
	buf := make([]byte, size)
	total := 0
	t0 := time.Now()
	for i := 0; total < 1200<<20; i++ {
		for j := range buf { buf[j] = 'a' + byte(rand.IntN(26)) }
		err := e.WriteLogs(t.Context(), []store.LogRecord{record("g", "s", noonMs+int64(i), string(buf))})
		total += size
		if err != nil {
			fmt.Println(i, total>>20, err)
			break
		}
	}
	fmt.Println("written", total>>20, time.Since(t0))
	t0 = time.Now()
	fmt.Println(e.Close(), time.Since(t0))
}
