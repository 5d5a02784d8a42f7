// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package terminal

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func at(ms int) time.Time { return noon.Add(time.Duration(ms) * time.Millisecond) }

func checkout() Waterfall {
	return Waterfall{Width: 100, Roots: []Span{{
		Name: "orders", Kind: "POST /checkout", Start: at(0), End: at(3067), Status: StatusFault, Note: "502",
		Children: []Span{
			{
				Name: "payments", Kind: "call", Start: at(35), End: at(3052), Status: StatusFault, Note: "504",
				Children: []Span{{
					Name: "payments", Start: at(38), End: at(3050), Status: StatusFault, Note: "CardNetworkTimeout",
					Children: []Span{{Name: "card-network", Kind: "remote", Start: at(44), End: at(3044), Status: StatusFault}},
				}},
			},
			{
				Name: "inventory", Kind: "call", Start: at(4), End: at(31),
				Children: []Span{{Name: "a span whose name does not fit into the column for it", Start: at(6), End: at(29)}},
			},
			{Name: "DynamoDB", Kind: "aws", Start: at(3053), End: at(3065), Status: StatusThrottle, Note: "429"},
			{Name: "notify", Start: at(3065), Status: StatusError, Note: "in progress"},
		},
	}}}
}

func TestWaterfall(t *testing.T) {
	t.Parallel()
	w := checkout()
	requireGolden(t, "waterfall.txt", w.Render(Style{}))
	requireGolden(t, "waterfall_color.txt", w.Render(Style{Colors: true}))
	w.Width = 60
	requireGolden(t, "waterfall_narrow.txt", w.Render(Style{}))
}

func TestWaterfallOfNothing(t *testing.T) {
	t.Parallel()
	require.Empty(t, Waterfall{}.Render(Style{}))
	require.NotPanics(t, func() { Waterfall{Roots: []Span{{Name: "instant", Start: noon, End: noon}}}.Render(Style{}) })
}

func TestFormatDuration(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0:                        "0 µs",
		250 * time.Microsecond:   "250 µs",
		1500 * time.Microsecond:  "1.50 ms",
		12345 * time.Microsecond: "12.3 ms",
		250 * time.Millisecond:   "250 ms",
		3067 * time.Millisecond:  "3.07 s",
		61 * time.Second:         "61.0 s",
	} {
		require.Equal(t, want, FormatDuration(d))
	}
}
