// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package xray

import (
	"flag"
	"path/filepath"
	"strings"
	"testing"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/golden"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/pdatatest/ptracetest"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestToTracesGolden(t *testing.T) {
	for name, doc := range segmentFiles(t) {
		t.Run(filepath.Base(name), func(t *testing.T) {
			got, refused := ToTraces("123456789012", "eu-west-1", []string{doc})
			require.Empty(t, refused)
			file := strings.TrimSuffix(name, ".json") + ".golden.yaml"
			if *update {
				require.NoError(t, golden.WriteTraces(t, file, got))
				return
			}
			want, err := golden.ReadTraces(file)
			require.NoError(t, err)
			require.NoError(t, ptracetest.CompareTraces(want, got))
		})
	}
}
