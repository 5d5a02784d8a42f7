// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package cloudwatch

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/golden"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

var update = flag.Bool("update", false, "write the golden files anew")

// Data to OpenTelemetry metrics, and back.
func TestToMetricsGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/data/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			raw, err := os.ReadFile(file)
			require.NoError(t, err)
			var data []Datum
			require.NoError(t, json.Unmarshal(raw, &data))
			got := ToMetrics("123456789012", "eu-central-1", data)
			text, err := (&pmetric.JSONMarshaler{}).MarshalMetrics(got)
			require.NoError(t, err)
			wantText := goldenFile(t, strings.TrimSuffix(file, ".json")+".metrics.golden", text)
			require.JSONEq(t, string(wantText), string(text))
			want, err := (&pmetric.JSONUnmarshaler{}).UnmarshalMetrics(wantText)
			require.NoError(t, err)

			batches, err := newTestConverter(t, ConverterConfig{}).Convert(want)
			require.NoError(t, err)
			require.Len(t, batches, 1)
			assert.Equal(t, canonical(data), canonical(batches[0].Data))
		})
	}
}

// goldenFile returns what a golden file holds. With -update it is written first, indented, and the test fails, so
// that the flag cannot be left on.
func goldenFile(t *testing.T, name string, text []byte) []byte {
	t.Helper()
	if *update {
		var b bytes.Buffer
		require.NoError(t, json.Indent(&b, text, "", "  "))
		b.WriteByte('\n')
		require.NoError(t, os.WriteFile(name, b.Bytes(), 0o644))
		t.Fail()
	}
	want, err := os.ReadFile(name)
	require.NoError(t, err)
	return want
}

// roundValues takes off the digits in which processors may differ.
func roundValues(values []float64) {
	for i, v := range values {
		values[i], _ = strconv.ParseFloat(strconv.FormatFloat(v, 'g', 9, 64), 64)
	}
}

type conversionResult struct {
	Batches           []Batch
	Dropped, Adjusted map[Reason]int64
}

// OpenTelemetry metrics of other origin to data.
func TestConvertGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/otlp/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			md, err := golden.ReadMetrics(file)
			require.NoError(t, err)
			c := newTestConverter(t, ConverterConfig{
				Account: "000000000000", Region: "us-east-1",
				Now: func() time.Time { return time.Unix(1735689200, 0) },
			})
			got := conversionResult{}
			got.Batches, err = c.Convert(md)
			got.Dropped, got.Adjusted = dropped(t, err), c.Stats().Adjusted
			for _, b := range got.Batches {
				for _, d := range b.Data {
					roundValues(d.Values)
				}
			}
			text, err := json.Marshal(got)
			require.NoError(t, err)
			want := goldenFile(t, strings.TrimSuffix(file, ".yaml")+".data.golden", text)
			assert.JSONEq(t, string(want), string(text))
		})
	}
}
