// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package clients

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// cache is where clients are installed. It is not checked in; a change of a pin installs anew.
const cache = ".cache"

// installTimeout bounds an installation: it downloads some 40 MB.
const installTimeout = 10 * time.Minute

// installPython makes a virtual environment with the pinned packages and returns its interpreter.
func installPython(t *testing.T, name, requirements string) string {
	t.Helper()
	base, err := exec.LookPath("python3")
	require.NoError(t, err, "python3 is needed for these tests")
	requirements, err = filepath.Abs(filepath.Join("python", requirements))
	require.NoError(t, err)
	dir, err := filepath.Abs(filepath.Join(cache, name))
	require.NoError(t, err)
	bin := "bin"
	if runtime.GOOS == "windows" {
		bin = "Scripts"
	}
	python := filepath.Join(dir, bin, "python3")
	once(t, dir, []string{requirements}, func() {
		require.NoError(t, os.RemoveAll(dir))
		install(t, ".", base, "-m", "venv", dir)
		install(t, ".", python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "-r", requirements)
	})
	return python
}

// installNode copies the tests beside the pinned packages, where Node.js looks for them, and returns the folder.
func installNode(t *testing.T) string {
	t.Helper()
	_, err := exec.LookPath("npm")
	require.NoError(t, err, "Node.js with npm is needed for these tests")
	dir, err := filepath.Abs(filepath.Join(cache, "node"))
	require.NoError(t, err)
	once(t, dir, []string{filepath.Join("node", "package.json"), filepath.Join("node", "package-lock.json")}, func() {
		require.NoError(t, os.RemoveAll(dir))
		require.NoError(t, os.MkdirAll(dir, 0o750))
		copyFiles(t, "node", dir, "package.json", "package-lock.json")
		install(t, dir, "npm", "ci", "--no-audit", "--no-fund", "--loglevel=error")
	})
	for _, old := range []string{"apps", "*.mjs"} {
		found, err := filepath.Glob(filepath.Join(dir, old))
		require.NoError(t, err)
		for _, f := range found {
			require.NoError(t, os.RemoveAll(f))
		}
	}
	require.NoError(t, os.Mkdir(filepath.Join(dir, "apps"), 0o750))
	for _, pattern := range []string{"*.mjs", filepath.Join("apps", "*.mjs")} {
		found, err := filepath.Glob(filepath.Join("node", pattern))
		require.NoError(t, err)
		for _, f := range found {
			rel, err := filepath.Rel("node", f)
			require.NoError(t, err)
			copyFiles(t, "node", dir, rel)
		}
	}
	return dir
}

func copyFiles(t *testing.T, from, to string, names ...string) {
	t.Helper()
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join(from, name))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(to, name), text, 0o600))
	}
}

// once runs fn unless it ran before, to its end, for the same contents of the files.
func once(t *testing.T, dir string, files []string, fn func()) {
	t.Helper()
	h := sha256.New()
	for _, f := range files {
		text, err := os.ReadFile(f)
		require.NoError(t, err)
		h.Write(text)
	}
	sum := hex.EncodeToString(h.Sum(nil))
	marker := filepath.Join(dir, ".installed")
	if have, err := os.ReadFile(marker); err == nil && string(have) == sum {
		return
	}
	fn()
	require.NoError(t, os.WriteFile(marker, []byte(sum), 0o600))
}

func install(t *testing.T, dir, program string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), installTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s: %s", program, out)
}
