// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logsinsights

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/pkg/logsinsights/regexlit"
)

// pushdown is the part of a query that the store runs.
type pushdown struct {
	contains []string // texts that every wanted message has
	traceID  string
	where    string // true for every wanted row at least
	exact    bool   // contains and where decide: they are true for the wanted rows only
	limit    int    // how many rows are wanted, 0 when that is not known before they are read
	agg      *sqlStats
	notes    []note // for each command

	whereSize int
}

// note says where a command runs.
type note struct {
	command string
	where   string
}

// Where commands run.
const (
	inStore    = "store"
	inStoreToo = "store narrows, Go decides"
	inGo       = "Go"
	byOrder    = "order of reading"
)

// sqlStats is the first stats command as a statement.
type sqlStats struct {
	plan   *statsPlan
	sel    []string
	tail   string
	isTime []bool // of keys: their value is Unix milliseconds
}

// lower plans which part of the query the store runs, for a selection of these groups.
func (p *Plan) lower(pl *pipeline, groups []string) *pushdown {
	push := &pushdown{exact: true}
	if p.opt.Dialect == nil {
		push.exact = false
		for _, el := range pl.elements {
			push.notes = append(push.notes, note{el.cmd.String(), inGo})
		}
		return push
	}
	l := newLowering(&p.opt, groups)
	var where []string
	rowwise := true // no command yet that depends on order or makes other rows
	order := p.sortedByScan()
	for i, el := range pl.elements {
		at := inGo
		switch cmd := el.cmd.(type) {
		case *Filter:
			if rowwise {
				at = l.filter(cmd.Cond, push, &where)
			}
			if at != inStore {
				push.exact = false
			}
		case *Fields:
			l.define(cmd.Items)
		case *Display:
			l.define(cmd.Items)
		case *ParseCmd:
			names, groups, _ := cmd.outputs()
			for n, name := range names {
				l.defs[name] = l.parsed(cmd, groups[n])
			}
		case *Sort:
			if i == order {
				at = byOrder
			} else {
				rowwise = false
			}
		case *Limit:
			if rowwise && push.exact && push.limit == 0 {
				push.limit = cmd.N
				at = inStore
			}
			rowwise = false
		case *Stats:
			if i == pl.firstStats && rowwise && push.exact {
				if push.agg = l.stats(cmd, el.stats); push.agg != nil {
					at = inStore
				}
			}
			rowwise = false
		default:
			rowwise = false
		}
		push.notes = append(push.notes, note{el.cmd.String(), at})
		if el.stats != nil {
			// What follows sees the groups only.
			for _, rest := range pl.elements[i+1:] {
				push.notes = append(push.notes, note{rest.cmd.String(), inGo})
			}
			break
		}
	}
	push.where = strings.Join(where, " AND ")
	switch {
	case !push.exact || pl.aggregated:
		push.limit = 0
	case push.limit == 0 && rowwise:
		push.limit = pl.limit
	case push.limit > 0:
		push.limit = min(push.limit, pl.limit)
	}
	return push
}

// define lowers the aliases of fields and display.
func (l *lowering) define(items []*Item) {
	for _, it := range items {
		if it.Alias != "" {
			l.defs[it.Alias] = l.value(it.Expr)
		}
	}
}

// filter adds the conditions of one filter command. What message texts must contain goes to the selection, by which
// the store rules out rows it need not read.
func (l *lowering) filter(e Expr, push *pushdown, where *[]string) string {
	at := inStore
	for _, c := range conjuncts(e, nil) {
		needles, all := l.needles(c)
		for _, n := range needles {
			if n != "" && !slices.Contains(push.contains, n) && len(push.contains) < maxNeedles {
				push.contains = append(push.contains, n)
			} else if n != "" {
				all = all && slices.Contains(push.contains, n)
			}
		}
		if id := l.traceID(c); id != "" && push.traceID == "" {
			push.traceID = id
		}
		if all {
			continue
		}
		sql, ok := l.cond(c, false)
		if !ok {
			sql = l.superset(c, false)
			at = inStoreToo
		}
		if push.whereSize += len(sql); push.whereSize > maxWhereSQL {
			sql, at = "", inStoreToo
		}
		if sql != "" {
			*where = append(*where, "("+sql+")")
		}
	}
	if at == inStoreToo && len(*where) == 0 && len(push.contains) == 0 && push.traceID == "" {
		at = inGo
	}
	return at
}

const (
	// maxNeedles bounds the texts that messages are asked for.
	maxNeedles = 8
	// minNeedle is how long a text out of a regular expression must be to rule out enough to be worth looking for.
	minNeedle = 3
	// maxWhereSQL bounds the text of all conditions. Those beyond are left to Go.
	maxWhereSQL = 1 << 20
)

// conjuncts splits a condition at its ands.
func conjuncts(e Expr, list []Expr) []Expr {
	if b, ok := e.(*Binary); ok && b.Op == "and" {
		return conjuncts(b.Y, conjuncts(b.X, list))
	}
	return append(list, e)
}

// needles are texts that every message contains for which the condition holds. all is true when they say as much as
// the condition.
func (l *lowering) needles(e Expr) (texts []string, all bool) {
	like, ok := e.(*Like)
	if !ok || like.Not {
		return l.lambdaNeedles(e), false
	}
	if ref, ok := like.X.(*Ref); !ok || !l.ref(ref).message {
		return nil, false
	}
	if like.Regex == nil {
		return []string{like.Text}, true
	}
	re := parseSyntax(like.Regex)
	if re == nil {
		return nil, false
	}
	texts = regexlit.Required(re)
	if len(texts) == 1 && !strings.ContainsAny(like.src, `\.+*?()|[]{}^$`) && texts[0] == like.src {
		return texts, true // it is one literal
	}
	return slices.DeleteFunc(texts, func(s string) bool { return len(s) < minNeedle }), false
}

// lambdaNeedles narrows @type = "REPORT" and @requestId = "…" to lines that hold the word. Events of other groups
// have no such fields.
func (l *lowering) lambdaNeedles(e Expr) []string {
	b, ok := e.(*Binary)
	if !ok || b.Op != "=" {
		return nil
	}
	x, y := b.X, b.Y
	if isLiteral(x) {
		x, y = y, x
	}
	ref, ok := x.(*Ref)
	lit, ok2 := y.(*Text)
	if !ok || !ok2 || lit.Value == "" {
		return nil
	}
	if _, shadowed := l.defs[ref.Name()]; shadowed {
		return nil
	}
	if _, isNumber := parseNumber(lit.Value); isNumber {
		return nil // 007 is equal to 7
	}
	switch ref.Name() {
	case "@type":
		return []string{lit.Value + " "}
	case "@requestId", "@xrayTraceId", "@xraySegmentId":
		return []string{lit.Value}
	}
	return nil
}

// traceID is the promoted trace id of records that meet trace_id = "…".
func (l *lowering) traceID(e Expr) string {
	b, ok := e.(*Binary)
	if !ok || b.Op != "=" || !l.promoted || l.lambda {
		return ""
	}
	x, y := b.X, b.Y
	if _, ok := x.(*Text); ok {
		x, y = y, x
	}
	ref, ok := x.(*Ref)
	lit, ok2 := y.(*Text)
	if !ok || !ok2 || ref.Name() != "trace_id" {
		return ""
	}
	if _, shadowed := l.defs["trace_id"]; shadowed {
		return ""
	}
	id, _ := NormalizeTraceID(lit.Value)
	return id
}

// stats lowers a stats command, or returns nil.
func (l *lowering) stats(s *Stats, plan *statsPlan) *sqlStats {
	st := &sqlStats{plan: plan}
	var keys []string
	for i, it := range s.By {
		v := l.value(it.Expr)
		sql := ""
		switch {
		case v.kind == sqlMissing:
			sql = "NULL"
		case v.kind == sqlInstant && v.ts != "":
			sql = l.d.EpochMs(v.ts)
		case v.kind == sqlNumber:
			sql = v.num
		default:
			sql = v.text
		}
		if sql == "" {
			return nil
		}
		st.sel = append(st.sel, sql)
		st.isTime = append(st.isTime, v.kind == sqlInstant)
		keys = append(keys, itoa(i+1))
	}
	for _, a := range plan.aggs {
		sql := l.aggregate(a)
		if sql == "" {
			return nil
		}
		st.sel = append(st.sel, sql)
	}
	if len(st.sel) == 0 {
		return nil
	}
	st.tail = "GROUP BY " + strings.Join(keys, ", ")
	if len(keys) == 0 {
		st.tail = "GROUP BY ()"
	}
	return st
}

func (l *lowering) aggregate(a *aggCall) string {
	if a.arg == nil {
		return "count(*)"
	}
	v := l.value(a.call.Args[0])
	if v.kind == sqlMissing {
		v = sqlValue{kind: sqlNumber, num: "CAST(NULL AS DOUBLE)"}
	}
	of := func(function string) string {
		if v.num == "" {
			return ""
		}
		return function + "(" + v.num + ")"
	}
	switch a.call.Name {
	case "count":
		if p := v.present(); p != "" {
			return "count(CASE WHEN " + p + " THEN 1 END)"
		}
	case "sum", "avg", "min", "max":
		return of(a.call.Name)
	case "stddev":
		return of("stddev_pop")
	case "variance":
		return of("var_pop")
	case "pct", "percentile":
		if v.num != "" {
			return l.d.Quantile(v.num, a.pct/100)
		}
	case "count_distinct", "countdistinct":
		switch {
		case v.kind == sqlNumber:
			return "count(DISTINCT " + v.num + ")"
		case v.kind == sqlInstant && v.ts != "":
			return "count(DISTINCT " + v.ts + ")"
		case v.text != "":
			return "count(DISTINCT " + v.text + ")"
		}
	case "earliest", "latest":
		edge, ok := l.d.(edger)
		if !ok {
			return ""
		}
		last := a.call.Name == "latest"
		switch {
		case v.kind == sqlNumber || v.kind == sqlInstant && v.num != "":
			return edge.AtEdge(v.num, last)
		case v.text != "" && !v.mayBeBool:
			return edge.AtEdge(v.text, last)
		}
	}
	return ""
}

// statement is the request for the store.
func (s *sqlStats) statement(push *pushdown, sel store.LogSelection) store.LogAggregate {
	return store.LogAggregate{
		LogSelection: sel,
		Select:       strings.Join(s.sel, ", "),
		Where:        push.where,
		Tail:         s.tail,
		MaxRows:      s.plan.maxRows,
	}
}

// rows turns the answer into the groups that Go goes on with.
func (s *sqlStats) rows(answer [][]any) ([]*row, error) {
	rows := make([]*row, 0, len(answer))
	for _, a := range answer {
		if len(a) != len(s.sel) {
			return nil, fmt.Errorf("the store answered %d columns instead of %d", len(a), len(s.sel))
		}
		r := &row{slots: make([]value, *s.plan.slots)}
		size := 128 + 40*len(r.slots)
		for i, x := range a {
			v, err := answered(x)
			if err != nil {
				return nil, err
			}
			size += len(v.str)
			switch n := i - len(s.isTime); {
			case n >= 0:
				r.slots[s.plan.aggs[n].slot] = v
			case s.isTime[i] && v.kind == number:
				r.slots[i] = timeValue(int64(v.num))
			default:
				r.slots[i] = v
			}
		}
		if err := s.plan.mem.add(size); err != nil {
			return nil, err
		}
		rows = append(rows, r)
	}
	return rows, nil
}

func answered(x any) (value, error) {
	switch x := x.(type) {
	case nil:
		return value{}, nil
	case int64:
		return numberValue(float64(x)), nil
	case float64:
		return numberValue(x), nil
	case string:
		return textValue(x), nil
	case bool:
		return flag(x), nil
	}
	return value{}, fmt.Errorf("the store answered a %T", x)
}
