// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logsinsights

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// maxStats is how many stats commands a query may have.
const maxStats = 10

// Stats is the stats command: aggregate functions, by groups.
type Stats struct {
	Items []*Item
	By    []*Item
	span
}

func (s *Stats) pos() span { return s.span }
func (s *Stats) String() string {
	text := "stats " + joinItems(s.Items)
	if len(s.By) > 0 {
		text += " by " + joinItems(s.By)
	}
	return text
}

func parseStats(p *parser, at span) (Command, error) {
	items, err := p.items()
	if err != nil {
		return nil, err
	}
	s := &Stats{Items: items}
	if ok, err := p.take("by"); err != nil {
		return nil, err
	} else if ok {
		if s.By, err = p.items(); err != nil {
			return nil, err
		}
	}
	if p.isWord("offset") {
		return nil, errAt(p.tok.span, "stats with offset is not supported")
	}
	s.span = p.from(at)
	return s, nil
}

// aggCall is one call of an aggregate function in a stats command.
type aggCall struct {
	call *Call
	spec aggregate
	arg  evalFn // nil for count(*)
	pct  float64
	slot int
}

// statsPlan is a compiled stats command.
type statsPlan struct {
	keys    []evalFn // over the rows before; their slots behind are 0, 1, …
	aggs    []*aggCall
	ext     extendStage // the items, over the groups
	isTime  []bool
	slots   *int
	mem     *memory
	maxRows int
}

func (s *Stats) compile(c *compiler) (*statsPlan, error) {
	plan := &statsPlan{mem: c.mem, maxRows: c.opt.maxGroups()}
	post := &compiler{
		opt: c.opt, env: c.env, event: c.event, mem: c.mem, closed: true,
		names: map[string]int{}, exprs: map[string]int{}, defined: c.defined, statsSeen: c.statsSeen + 1, slots: new(int),
	}
	plan.slots = post.slots
	for _, it := range s.By {
		key, err := c.expr(it.Expr)
		if err != nil {
			return nil, err
		}
		slot := post.slot()
		plan.keys = append(plan.keys, key)
		plan.isTime = append(plan.isTime, isTimeExpr(it.Expr))
		if it.Alias != "" {
			if err := post.defineAt(it.Alias, slot, it.alias); err != nil {
				return nil, err
			}
		} else if f, ok := it.Expr.(*Ref); ok {
			post.names[f.Name()] = slot
		}
		post.exprs[it.Expr.String()] = slot
		post.output.stats = append(post.output.stats, outColumn{it.Column(), slotValue(slot)})
	}
	post.aggregate = func(call *Call) (evalFn, error) {
		a, err := c.aggCall(call)
		if err != nil {
			return nil, err
		}
		a.slot = post.slot()
		plan.aggs = append(plan.aggs, a)
		post.exprs[call.String()] = a.slot
		return slotValue(a.slot), nil
	}
	for _, it := range s.Items {
		eval, err := post.expr(it.Expr)
		if err != nil {
			return nil, err
		}
		slot := post.slot()
		plan.ext.slots = append(plan.ext.slots, slot)
		plan.ext.evals = append(plan.ext.evals, eval)
		if it.Alias != "" {
			if err := post.defineAt(it.Alias, slot, it.alias); err != nil {
				return nil, err
			}
		}
		post.exprs[it.Expr.String()] = slot
		post.output.stats = append(post.output.stats, outColumn{it.Column(), slotValue(slot)})
	}
	post.aggregate = nil
	*c = *post
	return plan, nil
}

// isTimeExpr is whether the expression is a time, so that groups by it come newest first.
func isTimeExpr(e Expr) bool {
	c, ok := e.(*Call)
	return ok && (takesPeriod(c.Name) || c.Name == "frommillis") || isTimestamp(e)
}

// aggCall compiles the arguments of an aggregate function over the rows before stats.
func (c *compiler) aggCall(call *Call) (*aggCall, error) {
	a := &aggCall{call: call, spec: aggregates[call.Name]}
	if err := checkArity(call, a.spec.min, a.spec.max); err != nil {
		return nil, err
	}
	if len(call.Args) == 0 {
		return a, nil
	}
	if _, star := call.Args[0].(*Star); star {
		return a, nil
	}
	var err error
	if a.arg, err = c.expr(call.Args[0]); err != nil {
		return nil, err
	}
	if a.spec.percentile() {
		p, ok := call.Args[1].(*Number)
		if !ok || p.Value < 0 || p.Value > 100 {
			return nil, errAt(call.Args[1].pos(), "the second argument of %s must be a number from 0 to 100", a.spec.spelling)
		}
		a.pct = p.Value
	}
	return a, nil
}

// statsStage gathers rows in groups.
type statsStage struct {
	*statsPlan
	groups map[string]*group
	order  []*group
	key    []byte
	vals   []value
	next   stage
}

type group struct {
	keys []value
	aggs []aggregator
}

func newStatsStage(p *statsPlan, next stage) *statsStage {
	return &statsStage{statsPlan: p, groups: map[string]*group{}, vals: make([]value, len(p.keys)), next: next}
}

// appendKey adds a text so that different lists of texts have different keys.
func appendKey(dst []byte, s string) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(s))+1)
	return append(dst, s...)
}

// appendMissing adds a missing value.
func appendMissing(dst []byte) []byte { return append(dst, 0) }

// appendInstant adds a time, which no text equals.
func appendInstant(dst []byte, ms float64) []byte {
	dst = binary.AppendUvarint(dst, math.MaxUint64)
	return binary.BigEndian.AppendUint64(dst, uint64(int64(ms)))
}

func (s *statsStage) push(r *row) (bool, error) {
	s.key = s.key[:0]
	for i, k := range s.keys {
		v := k(r)
		if v.kind == boolean {
			v = flag(v.num != 0) // a group holds 1, "1" and true alike
		}
		if v.kind == instant {
			s.key = appendInstant(s.key, v.num)
		} else if key, ok := v.key(); ok {
			s.key = appendKey(s.key, key)
		} else {
			v = value{}
			s.key = appendMissing(s.key)
		}
		s.vals[i] = v
	}
	g, ok := s.groups[string(s.key)]
	if !ok {
		var err error
		if g, err = s.add(s.key, s.vals); err != nil {
			return false, err
		}
	}
	for i, a := range s.aggs {
		v := value{kind: number}
		if a.arg != nil {
			v = a.arg(r)
		}
		if err := g.aggs[i].add(v, r); err != nil {
			return false, err
		}
	}
	return true, nil
}

func (s *statsStage) add(key []byte, vals []value) (*group, error) {
	if len(s.order) >= s.maxRows {
		return nil, fmt.Errorf("%w: more than %d groups in stats", ErrLimit, s.maxRows)
	}
	g := &group{keys: slices.Clone(vals), aggs: make([]aggregator, len(s.aggs))}
	size := 200 + 2*len(key) + 40*len(vals) + 64*len(s.aggs)
	for i, a := range s.aggs {
		g.aggs[i] = a.spec.make(s.mem, a.pct)
	}
	s.groups[string(key)] = g
	s.order = append(s.order, g)
	return g, s.mem.add(size)
}

func (s *statsStage) flush() error {
	if len(s.keys) == 0 && len(s.order) == 0 {
		if _, err := s.add(nil, nil); err != nil {
			return err
		}
	}
	rows := make([]*row, len(s.order))
	for i, g := range s.order {
		r := &row{slots: make([]value, *s.slots)}
		copy(r.slots, g.keys)
		for j, a := range s.aggs {
			r.slots[a.slot] = g.aggs[j].result()
		}
		rows[i] = r
	}
	s.groups, s.order = nil, nil
	return s.emit(rows)
}

// emit hands the groups on: newest time first, other keys in natural order.
func (s *statsPlan) emitTo(next stage, rows []*row) error {
	slices.SortFunc(rows, func(a, b *row) int {
		for i := range s.keys {
			n := naturalCompare(a.slots[i], b.slots[i])
			if s.isTime[i] {
				n = -n
			}
			if n == 0 {
				x, _ := a.slots[i].key()
				y, _ := b.slots[i].key()
				if x < y {
					n = -1
				} else if x > y {
					n = 1
				}
			}
			if n != 0 {
				return n
			}
		}
		return 0
	})
	ext := s.ext
	ext.next = next
	for _, r := range rows {
		more, err := ext.push(r)
		if err != nil {
			return err
		}
		if !more {
			break
		}
	}
	return next.flush()
}

func (s *statsStage) emit(rows []*row) error { return s.emitTo(s.next, rows) }
