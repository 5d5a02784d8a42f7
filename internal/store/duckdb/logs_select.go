// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package duckdb

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/nephoscope/nephoscope/internal/store"
)

// condition is an SQL condition with the values of its placeholders.
type condition struct {
	sql  strings.Builder
	args []any
}

// and adds a conjunct.
func (c *condition) and(sql string, args ...any) {
	if c.sql.Len() > 0 {
		c.sql.WriteString(" AND ")
	}
	c.sql.WriteString(sql)
	c.args = append(c.args, args...)
}

func (c *condition) String() string { return c.sql.String() }

// nothing reports whether the selection cannot select an event.
func nothing(sel *store.LogSelection) bool {
	return len(sel.Groups) == 0 || sel.Streams != nil && len(sel.Streams) == 0 || sel.Start >= sel.End
}

// scope is the condition of the tenant, the selected groups, streams and time, before what is searched for. allGroups says that the file has
// no events of other groups.
func scope(sel *store.LogSelection, tenant uint16, allGroups bool) *condition {
	c := new(condition)
	c.and("ts >= make_timestamp_ms(?) AND ts < make_timestamp_ms(?)", clampMs(sel.Start), clampMs(sel.End))
	c.and(fmt.Sprintf("tenant = %d", tenant))
	if !allGroups {
		groupsCondition(c, sel.Groups)
	}
	if sel.Streams != nil {
		sql, args := oneOf("stream", sel.Streams)
		c.and(sql, args...)
	}
	if sel.StreamPrefix != "" {
		c.and("starts_with(stream, ?)", sel.StreamPrefix)
	}
	return c
}

// clampMs keeps a time within what DuckDB's timestamps hold.
func clampMs(ms int64) int64 { return min(max(ms, minDay.startMs()), (maxDay + 1).startMs()) }

// oneOf is the condition that a column is one of the values. Few are compared one by one, which is fastest; a statement over
// many files must not have a placeholder for each of many.
func oneOf(column string, values []string) (sql string, args []any) {
	switch n := len(values); {
	case n == 1:
		return column + " = ?", []any{values[0]}
	case n <= 4:
		for _, v := range values {
			args = append(args, v)
		}
		return column + " IN (" + strings.TrimSuffix(strings.Repeat("?, ", n), ", ") + ")", args
	case n <= 100:
		return "list_contains(?::VARCHAR[], " + column + ")", []any{values}
	}
	return column + " IN (SELECT unnest(?::VARCHAR[]))", []any{values}
}

func groupsCondition(c *condition, groups []store.LogGroupRange) {
	var plain []string
	var alternatives []string
	var args []any
	for i := range groups {
		g := &groups[i]
		one := new(condition)
		groupCondition(one, g)
		if len(one.args) == 1 {
			plain = append(plain, g.Group)
			continue
		}
		alternatives = append(alternatives, one.String())
		args = append(args, one.args...)
	}
	if len(plain) > 0 {
		sql, a := oneOf("grp", plain)
		alternatives, args = append(alternatives, sql), append(args, a...)
	}
	c.and("("+strings.Join(alternatives, " OR ")+")", args...)
}

// fewGroups are compared faster than they are looked up.
const fewGroups = 4

// narrowGroups leaves out groups that the file has no events of, and says whether it has events of those that remain only. That is
// known of a file that cannot change while it is read.
func (s *snapshot) narrowGroups(ctx context.Context, f *dayFile, sel *store.LogSelection) (all bool, err error) {
	if len(sel.Groups) <= fewGroups || !s.e.isReadOnly(f) || f.cache.hasManyStreams() {
		return false, nil
	}
	streams, err := s.allStreams(ctx, f)
	if err != nil {
		return false, err
	}
	present := map[string]bool{}
	for i := range streams {
		if streams[i].Tenant == sel.Tenant {
			present[streams[i].Group] = true
		}
	}
	all = true
	var groups []store.LogGroupRange
	for i := range sel.Groups {
		g := &sel.Groups[i]
		if present[g.Group] {
			groups = append(groups, *g)
			all = all && !hidesAny(streams, sel.Tenant, g)
		}
	}
	if len(groups) == 0 {
		groups = sel.Groups[:1] // selects nothing, as they all do
	}
	sel.Groups = groups
	return all && len(groups) == len(present), nil
}

func groupCondition(c *condition, g *store.LogGroupRange) {
	c.and("grp = ?", g.Group)
	hiding(c, g)
}

// hiding leaves out what the group's retention and deletions hide.
func hiding(c *condition, g *store.LogGroupRange) {
	if g.NotBefore != 0 {
		c.and("ts >= make_timestamp_ms(?)", clampMs(g.NotBefore))
	}
	if g.IngestedAfter != 0 {
		c.and("ingested > make_timestamp_ms(?)", clampMs(g.IngestedAfter))
	}
	streams := make([]string, 0, len(g.DeletedStreams))
	for s := range g.DeletedStreams {
		streams = append(streams, s)
	}
	slices.Sort(streams)
	for _, s := range streams {
		c.and("NOT (stream = ? AND ingested <= make_timestamp_ms(?))", s, clampMs(g.DeletedStreams[s]))
	}
}

// search is the condition of what is searched for, nil if nothing is.
func search(sel *store.LogSelection) *condition {
	c := new(condition)
	if sel.TraceID != "" {
		c.and("trace_id = ?", sel.TraceID)
	}
	for _, needle := range sel.Contains {
		if needle != "" {
			c.and("contains(message, ?)", needle)
		}
	}
	if c.sql.Len() == 0 {
		return nil
	}
	return c
}

// searchHashes are the tokens by which chunks of rows can be ruled out.
func searchHashes(sel *store.LogSelection) []uint64 {
	var hashes []uint64
	if sel.TraceID != "" {
		hashes = append(hashes, hashTraceID(sel.TraceID))
	}
	for _, needle := range sel.Contains {
		hashes = wholeTokens(hashes, needle)
	}
	for _, token := range sel.Tokens {
		eachToken(token, func(t string) { hashes = append(hashes, hashToken(t)) })
	}
	return hashes
}

// rowRange is a range of row ids, both ends included.
type rowRange struct{ first, last int64 }

// maxRanges bounds the parts of a statement. More are merged, the closest first.
const maxRanges = 64

// candidates are the ranges of the first rows of a file that may hold what is searched for; all is true when every row may.
func candidates(v *bloomView, hashes []uint64, start, end, rows int64) (ranges []rowRange, all bool) {
	skipped := false
	for i := range v.chunks {
		c := &v.chunks[i]
		if c.newest < start || c.oldest >= end || !v.mayHold(c, hashes) {
			skipped = true
			continue
		}
		first := int64(i) * bloomChunkRows
		ranges = appendRange(ranges, rowRange{first, first + int64(c.rows) - 1})
	}
	if !skipped {
		return nil, true
	}
	if n := covered(v.chunks); n < rows { // what is not indexed yet
		ranges = appendRange(ranges, rowRange{n, math.MaxInt64})
	}
	return mergeRanges(ranges), false
}

func appendRange(ranges []rowRange, r rowRange) []rowRange {
	if n := len(ranges); n > 0 && ranges[n-1].last+1 == r.first {
		ranges[n-1].last = r.last
		return ranges
	}
	return append(ranges, r)
}

func mergeRanges(ranges []rowRange) []rowRange {
	if len(ranges) <= maxRanges {
		return ranges
	}
	gaps := make([]int64, 0, len(ranges)-1)
	for i := 1; i < len(ranges); i++ {
		gaps = append(gaps, ranges[i].first-ranges[i-1].last)
	}
	slices.Sort(gaps)
	limit := gaps[len(ranges)-maxRanges-1]
	merged := ranges[:1]
	for _, r := range ranges[1:] {
		if r.first-merged[len(merged)-1].last <= limit {
			merged[len(merged)-1].last = r.last
		} else {
			merged = append(merged, r)
		}
	}
	return merged
}
