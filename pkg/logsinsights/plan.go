// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logsinsights

import (
	"fmt"
	"slices"
	"time"

	"github.com/nephoscope/nephoscope/internal/store"
)

// Options say how a query is to be run.
type Options struct {
	// Dialect is what the store's conditions are written in. Without one, everything runs in Go.
	Dialect store.Dialect
	// Start and End are the query's time range in Unix ms, for queryStartTime() and its kin.
	Start, End int64
	// Limit is the limit of StartQuery: it counts as a last limit command. 0 is none.
	Limit int
	// Now is the time of now(). Nil is the End of the range.
	Now func() time.Time
	// Account is the account of @log and @ptr for records that carry none.
	Account string
	// Groups are the log groups, for [Plan.Explain]; Run takes them from its selection.
	Groups []string
	// Promoted says that the store's typed columns were written by the rules of [Promoted].
	Promoted bool
	// MaxGroups bounds the groups of a stats command, MaxBytes the memory of one run. 0 is the default:
	// 100,000 groups and 256 MiB.
	MaxGroups int
	MaxBytes  int
	// Progress, when not nil, is called now and then while events are read, and once at the end.
	Progress func(Progress)
}

// Progress is what a running query has to show.
type Progress struct {
	RecordsRead    int64 // events read so far
	RecordsMatched int64
	// Rows are the rows found so far, when the query gives them before its end: those without stats, sort …
	Rows [][]Field
}

func (o *Options) maxGroups() int {
	if o.MaxGroups > 0 {
		return o.MaxGroups
	}
	return 100_000
}

func (o *Options) maxBytes() int {
	if o.MaxBytes > 0 {
		return o.MaxBytes
	}
	return 256 << 20
}

// Plan is a checked query. It may be run many times, also at once.
type Plan struct {
	query *Query
	opt   Options
}

// Compile checks a query and plans how to run it. An error in the query is a *[SyntaxError].
func Compile(q *Query, o Options) (*Plan, error) {
	if o.Limit < 0 || o.Limit > maxLimit {
		return nil, fmt.Errorf("limit must be from 1 to %d, not %d", maxLimit, o.Limit)
	}
	p := &Plan{query: q, opt: o}
	if _, err := p.pipeline(); err != nil {
		return nil, inCharacters(q.src, err)
	}
	return p, nil
}

// element is a compiled command.
type element struct {
	cmd   Command
	make  stageMaker // nil when there is nothing to do for each row
	stats *statsPlan
}

// pipeline is a query compiled for one run.
type pipeline struct {
	compiler   *compiler
	elements   []element
	slots      *int // of the rows of events
	descending bool // the order in which events are wanted
	columns    []outColumn
	aggregated bool
	limit      int
	firstStats int // index in elements, or -1
}

func (p *Plan) pipeline() (*pipeline, error) {
	c := newCompiler(&p.opt)
	pl := &pipeline{compiler: c, slots: c.slots, descending: true, firstStats: -1, limit: defaultLimit}
	sortedByScan := p.sortedByScan()
	if sortedByScan >= 0 {
		pl.descending, _ = p.query.Commands[sortedByScan].(*Sort).byTime()
	}
	var sorted, dedup Command
	for i, cmd := range p.query.Commands {
		if _, ok := cmd.(*Limit); !ok && dedup != nil {
			return nil, errAt(cmd.pos(), "only limit may follow dedup")
		}
		el := element{cmd: cmd}
		var err error
		switch cmd := cmd.(type) {
		case *Stats:
			if sorted != nil {
				return nil, errAt(sorted.pos(), "sort and limit must come behind the last stats")
			}
			if c.statsSeen == maxStats {
				return nil, errAt(cmd.span, "a query may have %d stats commands", maxStats)
			}
			if pl.firstStats < 0 {
				pl.firstStats = i
			}
			pl.aggregated = true
			el.stats, err = cmd.compile(c)
		case *Sort:
			sorted = cmd
			el.make, err = cmd.compile(c)
			if i == sortedByScan {
				el.make = nil
			}
		case *Limit:
			sorted = cmd
			pl.limit = maxLimit
			el.make = cmd.compile()
		case *Dedup:
			dedup = cmd
			el.make, err = cmd.compile(c)
		case *Fields:
			el.make, err = cmd.compile(c)
		case *Display:
			el.make, err = cmd.compile(c)
		case *Filter:
			el.make, err = cmd.compile(c)
		case *ParseCmd:
			el.make, err = cmd.compile(c)
		case *Unnest:
			el.make, err = cmd.compile(c)
		case *Accum:
			el.make, err = cmd.compile(c)
		default:
			err = errAt(cmd.pos(), "the command %s is not supported", cmd)
		}
		if err != nil {
			return nil, err
		}
		pl.elements = append(pl.elements, el)
	}
	if p.opt.Limit > 0 {
		pl.limit = min(pl.limit, p.opt.Limit)
	}
	pl.columns = c.columns()
	return pl, nil
}

// chain builds the stages from the element first on, in front of the sink.
func (pl *pipeline) chain(first int, end *sink, matched *int64) stage {
	next := stage(end)
	countAt := pl.countAt()
	for i := len(pl.elements) - 1; i >= first; i-- {
		if matched != nil && countAt == i+1 {
			next = &countStage{matched, next}
		}
		el := pl.elements[i]
		switch {
		case el.stats != nil:
			next = newStatsStage(el.stats, next)
		case el.make != nil:
			next = el.make(next)
			if s, ok := next.(*sortStage); ok {
				s.bound = pl.sortBound(i)
			}
		}
	}
	if matched != nil && countAt == 0 {
		next = &countStage{matched, next}
	}
	return next
}

// countAt is the place behind the last filter on events, where matched records are counted.
func (pl *pipeline) countAt() int {
	at := len(pl.elements)
	for i, el := range pl.elements {
		switch el.cmd.(type) {
		case *Limit, *Dedup, *Stats, *Unnest, *Accum:
			at = min(at, i)
		}
	}
	for at > 0 {
		if _, ok := pl.elements[at-1].cmd.(*Filter); ok {
			break
		}
		at--
	}
	return at
}

// sortBound is how many rows of the sort at i can matter, 0 when all may.
func (pl *pipeline) sortBound(i int) int {
	for _, el := range pl.elements[i+1:] {
		switch cmd := el.cmd.(type) {
		case *Fields, *Display, *ParseCmd:
		case *Limit:
			return min(cmd.N, pl.limit)
		default:
			return 0
		}
	}
	return pl.limit
}

// sortedByScan is the index of the sort that the order of reading fulfils, or -1: the first command that
// depends on the order, by the event's own @timestamp alone.
func (p *Plan) sortedByScan() int {
	for i, cmd := range p.query.Commands {
		switch cmd := cmd.(type) {
		case *Sort:
			if _, ok := cmd.byTime(); ok {
				return i
			}
			return -1
		case *Limit, *Dedup, *Stats, *Accum:
			return -1
		}
		if definesTimestamp(cmd) {
			return -1
		}
	}
	return -1
}

// definesTimestamp is whether the command gives the name @timestamp to something else.
func definesTimestamp(cmd Command) bool {
	var items []*Item
	switch cmd := cmd.(type) {
	case *Fields:
		items = cmd.Items
	case *Display:
		items = cmd.Items
	case *ParseCmd:
		names, _, _ := cmd.outputs()
		return slices.Contains(names, "@timestamp")
	case *Unnest:
		return cmd.Name == "@timestamp"
	}
	return slices.ContainsFunc(items, func(it *Item) bool { return it.Alias == "@timestamp" })
}
