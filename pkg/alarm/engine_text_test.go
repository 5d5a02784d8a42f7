// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	packedReason = "Threshold Crossed: 2 out of the last 3 datapoints [100.0 (14/09/26 05:51:30), 100.0 (14/09/26 05:51:10)] " +
		"were greater than the threshold (50.0) (minimum 2 datapoints for OK -> ALARM transition)."
	packedData = `{"version":"1.0","queryDate":"2026-09-14T05:51:57.551+0000","startDate":"2026-09-14T05:50:50.000+0000",` +
		`"unit":"Count","statistic":"Average","period":10,"recentDatapoints":[0.0,null,100.0,null,100.0],"threshold":50.0,` +
		`"evaluatedDatapoints":[{"timestamp":"2026-09-14T05:51:30.000+0000","sampleCount":1.0,"value":100.0},` +
		`{"timestamp":"2026-09-14T05:51:10.000+0000","sampleCount":1.0,"value":100.0}]}`
)

func TestPackTexts(t *testing.T) {
	t.Parallel()
	require.LessOrEqual(t, textPhrases+len(textPhrase), int(' '))
	for _, c := range [][2]string{
		{"", ""},
		{InitialReason, ""},
		{InitialReason, "{}"},
		{packedReason, packedData},
		{"tab\tand\x00 \x01\x02\x1f\x7f é 世界 \xff\xfe", "[]"},
		{"99/99/99 99:99:99", `"2026-02-30T00:00:00.000+0000" "2026-02-03T00:00:00.000+0100" "9999-12-31T23:59:59.999+0000"`},
		{"1", "2026-09-14T05:51:57.551+000"},
		{"01/01/00 00:00:00 31/12/68 23:59:59 29/02/27 00:00:00 1/1/69", "1970-01-01T00:00:00.000+0000 2026-09-14T24:00:00.000+0000 2026-09-14T23:00:00.0x0+0000 2026-09-14T23:00:00.99x+0000"},
	} {
		reason, data := unpackTexts(packTexts(c[0], c[1]))
		assert.Equal(t, c[0], reason)
		assert.Equal(t, c[1], data)
	}
	assert.Less(t, len(packTexts(packedReason, packedData)), 190)
	reason, data := unpackTexts("")
	assert.Empty(t, reason+data)
}

func FuzzPackTexts(f *testing.F) {
	f.Add(packedReason, packedData)
	f.Add("\x00\x01", "\x1f")
	f.Fuzz(func(t *testing.T, reason, data string) {
		r, d := unpackTexts(packTexts(reason, data))
		if r != reason || d != data {
			t.Fatalf("%q, %q came back as %q, %q", reason, data, r, d)
		}
	})
}

func BenchmarkPackTexts(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if len(packTexts(packedReason, packedData)) == 0 {
			b.Fatal()
		}
	}
}
