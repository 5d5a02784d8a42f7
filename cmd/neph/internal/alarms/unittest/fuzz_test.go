// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package unittest

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// FuzzFile reads test files, and runs the tests that are short.
func FuzzFile(f *testing.F) {
	for _, pattern := range []string{"../testdata/*.test.yaml", "../../../../../examples/alarms/tests/*.test.yaml"} {
		files, _ := filepath.Glob(pattern)
		for _, file := range files {
			if data, err := os.ReadFile(file); err == nil {
				f.Add(data)
			}
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if bytes.Contains(data, []byte("definitions")) || bytes.Contains(data, []byte("files")) {
			return // nothing of this machine is to be read
		}
		file, err := parse("x.test.yaml", data)
		if err != nil {
			return
		}
		for i := range file.Tests {
			if test := &file.Tests[i]; test.end.Sub(test.start) < time.Hour {
				result := file.Run(t.Context(), test, time.Now)
				if result.Failed() && result.Err == nil && len(result.Failures) == 0 {
					t.Fatal("failed without a reason")
				}
			}
		}
	})
}
