// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package terminal

import (
	"slices"
	"strconv"
	"strings"
)

// Table is rows under headings. Columns whose every cell is a number are aligned to the right.
type Table struct {
	Header []string
	Rows   [][]string
	// Width bounds the whole table; the widest columns give way. 0 is unbounded.
	Width int
	// Cell, when set, dresses the text of a cell (already padded); it must not change its width.
	Cell func(row, column int, text string) string
}

const columnGap = "  "

// Render draws the table, each line ended.
func (t Table) Render(st Style) string {
	n := len(t.Header)
	for _, row := range t.Rows {
		n = max(n, len(row))
	}
	if n == 0 {
		return ""
	}
	header := cells(t.Header, n)
	rows := make([][]string, len(t.Rows))
	for i, row := range t.Rows {
		rows[i] = cells(row, n)
	}
	widths, numeric := t.measure(header, rows)

	var b strings.Builder
	line := make([]string, n)
	for c, text := range header {
		line[c] = st.Bold(pad(Truncate(text, widths[c]), widths[c], numeric[c]))
	}
	writeLine(&b, line)
	for c := range header {
		line[c] = st.Dim(strings.Repeat("─", widths[c]))
	}
	writeLine(&b, line)
	for r, row := range rows {
		for c, text := range row {
			line[c] = pad(Truncate(text, widths[c]), widths[c], numeric[c])
			if t.Cell != nil {
				line[c] = t.Cell(r, c, line[c])
			}
		}
		writeLine(&b, line)
	}
	return b.String()
}

// writeLine ends the line without the blanks that pad its last column.
func writeLine(b *strings.Builder, cells []string) {
	b.WriteString(strings.TrimRight(strings.Join(cells, columnGap), " "))
	b.WriteByte('\n')
}

func cells(row []string, n int) []string {
	out := make([]string, n)
	for i, s := range row {
		out[i] = Printable(s)
	}
	return out
}

func (t Table) measure(header []string, rows [][]string) (widths []int, numeric []bool) {
	widths, numeric = make([]int, len(header)), make([]bool, len(header))
	for c := range header {
		widths[c] = Columns(header[c])
		values := 0
		numeric[c] = true
		for _, row := range rows {
			widths[c] = max(widths[c], Columns(row[c]))
			if row[c] == "" {
				continue
			}
			values++
			numeric[c] = numeric[c] && isNumber(row[c])
		}
		numeric[c] = numeric[c] && values > 0
	}
	if t.Width > 0 {
		shrink(widths, t.Width-len(columnGap)*(len(widths)-1))
	}
	return widths, numeric
}

// minColumn is what a column keeps when others are wide: enough to recognise a value.
const minColumn = 6

// shrink takes columns from the widest until the sum fits.
func shrink(widths []int, total int) {
	for i := range widths {
		widths[i] = min(widths[i], max(total, minColumn))
	}
	for {
		sum := 0
		for _, w := range widths {
			sum += w
		}
		widest := slices.Max(widths)
		if sum <= total || widest <= minColumn {
			return
		}
		widths[slices.Index(widths, widest)]--
	}
}

func isNumber(s string) bool {
	_, err := strconv.ParseFloat(strings.TrimSuffix(strings.ReplaceAll(s, ",", ""), "%"), 64)
	return err == nil
}

func pad(s string, columns int, right bool) string {
	if right {
		return padLeft(s, columns)
	}
	return padRight(s, columns)
}
