// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package terminal

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func errorsTable() Table {
	return Table{
		Header: []string{"service", "error", "errors", "avg_ms"},
		Rows: [][]string{
			{"payments", "CardNetworkTimeout", "117", "3001.25"},
			{"orders", "PaymentFailed", "117", "3043.5"},
			{"inventory", "在庫切れ", "9", ""},
			{"web\x1b[31m", "two\nlines"},
		},
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	table := errorsTable()
	requireGolden(t, "table.txt", table.Render(Style{}))
	requireGolden(t, "table_color.txt", table.Render(Style{Colors: true}))
	table.Width = 34
	got := table.Render(Style{})
	requireGolden(t, "table_narrow.txt", got)
	for line := range strings.Lines(got) {
		require.LessOrEqual(t, Columns(strings.TrimSuffix(line, "\n")), 34)
	}
}

func TestTableCell(t *testing.T) {
	t.Parallel()
	table := Table{Header: []string{"a", "b"}, Rows: [][]string{{"x", "1"}}, Cell: func(_, column int, text string) string {
		if column == 1 {
			return "<" + text + ">"
		}
		return text
	}}
	require.Equal(t, "a  b\n─  ─\nx  <1>\n", table.Render(Style{}))
}

func TestTableWithoutColumns(t *testing.T) {
	t.Parallel()
	require.Empty(t, Table{}.Render(Style{}))
}

func TestPrintable(t *testing.T) {
	t.Parallel()
	require.Equal(t, "plain – ünïcode", Printable("plain – ünïcode"))
	require.Equal(t, "a b", Printable("a\tb"))
	require.NotContains(t, Printable("\x1b]0;title\a \x9b31m \u202e"), "\x1b")
	require.Equal(t, "\ufffd\ufffd\ufffd", Printable("\r\u202e\u2028"))
}

func TestTruncate(t *testing.T) {
	t.Parallel()
	require.Equal(t, "abc", Truncate("abc", 3))
	require.Equal(t, "ab…", Truncate("abcd", 3))
	require.Equal(t, "在…", Truncate("在庫切れ", 4))
	require.Equal(t, 8, Columns("在庫切れ"))
	require.Equal(t, 1, Columns("e\u0301"))
	require.Empty(t, Truncate("abc", 0))
}
