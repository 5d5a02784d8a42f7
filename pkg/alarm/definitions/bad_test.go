// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package definitions

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestBadFiles compares what is said of broken files, with the line and property of each problem.
func TestBadFiles(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"native.yaml", "template.yaml", "module.tf", "describe.json"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join("testdata", "bad", name)
			_, err := Load(Settings{}, file)
			var all *Error
			require.ErrorAs(t, err, &all)
			got := strings.ReplaceAll(err.Error(), filepath.ToSlash(filepath.Dir(file))+"/", "") + "\n"
			golden := file + ".golden"
			if *update {
				require.NoError(t, os.WriteFile(golden, []byte(got), 0o600))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			require.Equal(t, string(want), got)
		})
	}
}
