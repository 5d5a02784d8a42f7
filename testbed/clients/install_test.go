// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package clients

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/testbed/install"
)

// installPython makes a virtual environment with the pinned packages and returns its interpreter.
func installPython(t *testing.T, name, requirements string) string {
	t.Helper()
	return install.Python(t, name, requirements)
}

// installNode copies the tests beside the pinned packages, where Node.js looks for them, and returns the folder.
func installNode(t *testing.T) string {
	t.Helper()
	_, err := exec.LookPath("npm")
	require.NoError(t, err, "Node.js with npm is needed for these tests")
	dir := install.Dir("node")
	install.Once(t, dir, []string{filepath.Join("node", "package.json"), filepath.Join("node", "package-lock.json")}, func() {
		require.NoError(t, os.RemoveAll(dir))
		require.NoError(t, os.MkdirAll(dir, 0o750))
		copyFiles(t, "node", dir, "package.json", "package-lock.json")
		install.Run(t, dir, "npm", "ci", "--no-audit", "--no-fund", "--loglevel=error")
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
