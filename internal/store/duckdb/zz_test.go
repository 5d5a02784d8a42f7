package duckdb

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/internal/store"
)

func TestZWal(t *testing.T) {
	base := t.TempDir()
	cfg := testConfig(t)
	e := openEngine(t, cfg)
	for i := range 20 {
		require.NoError(t, e.WriteLogs(t.Context(), []store.LogRecord{record("g", "s", noonMs+int64(i), fmt.Sprint("message ", i))}))
	}
	wal := filepath.Join(cfg.Directory, "logs", "2026-11-21.db.wal")
	data, err := os.ReadFile(wal)
	require.NoError(t, err)
	fmt.Println("wal size", len(data))
	for name, f := range map[string]func(b []byte) []byte{
		"as is":      func(b []byte) []byte { return b },
		"torn 10":    func(b []byte) []byte { return b[:len(b)-10] },
		"torn 100":    func(b []byte) []byte { return b[:len(b)-100] },
		"zero tail":  func(b []byte) []byte { return append(b, make([]byte, 4096)...) },
		"zeroed end": func(b []byte) []byte { clear(b[len(b)-200:]); return b },
		"flip end":   func(b []byte) []byte { b[len(b)-60] ^= 0xff; return b },
		"flip mid":   func(b []byte) []byte { b[len(b)/2] ^= 0xff; return b },
		"garbage tail":   func(b []byte) []byte { return append(b, "0123456789abcdefghijklmnopqrstuvwxyz0123456789"...) },
		"flip head":   func(b []byte) []byte { b[20] ^= 0xff; return b },
	} {
		dir := filepath.Join(base, name)
		require.NoError(t, exec.Command("cp", "-r", cfg.Directory, dir).Run())
		require.NoError(t, os.WriteFile(filepath.Join(dir, "logs", "2026-11-21.db.wal"), f(append([]byte(nil), data...)), 0o600))
		c2 := testConfig(t)
		c2.Directory = dir
		e2, err := Open(t.Context(), c2)
		require.NoError(t, err)
		got, _ := scanAll(t, e2, store.LogScan{LogSelection: selection("g")})
		fmt.Println("=====", name, len(got))
		time.Sleep(100*time.Millisecond)
		require.NoError(t, e2.Close())
	}
}
