// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logsinsights

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// evalFn evaluates an expression for a row.
type evalFn func(*row) value

// env is what functions may ask besides their arguments.
type env struct {
	now        int64 // Unix ms
	start, end int64
	// failed is set by a function that would need too much memory; the run ends with it.
	failed error
}

// tooLong makes the run fail.
func (e *env) tooLong(function string) value {
	e.failed = fmt.Errorf("%w: the function %s would make a text of more than %d bytes", ErrLimit, function, maxTextBytes)
	return value{}
}

// compiler turns a query into a chain of stages. It is used once per run: the functions it makes keep
// scratch space and serve one goroutine.
type compiler struct {
	opt   *Options
	env   *env
	event *eventReader
	mem   *memory
	names map[string]int // ephemeral fields: their slot
	exprs map[string]int // unnamed columns by the printed expression: their slot
	// defined holds every ephemeral name of the query, also those that a stats left behind.
	defined map[string]bool
	slots   *int // of the rows up to the next stats
	closed  bool // behind stats, where the event's fields are gone
	output  output
	// aggregate, when not nil, compiles calls of aggregate functions: inside stats.
	aggregate func(*Call) (evalFn, error)
	statsSeen int
}

// output is what the result shows.
type output struct {
	display []outColumn // the last display, or nil
	fields  []outColumn // of fields commands
	parsed  []outColumn // fields that parse, unnest … made
	stats   []outColumn
}

type outColumn struct {
	name string
	eval evalFn
}

// columns is the list of result columns.
func (c *compiler) columns() []outColumn {
	if c.output.display != nil {
		return c.output.display
	}
	cols := c.output.fields
	switch {
	case cols != nil:
	case c.closed:
		cols = c.output.stats
	default:
		cols = []outColumn{
			{"@timestamp", c.event.field("@timestamp")},
			{"@message", c.event.field("@message")},
		}
	}
	return append(append([]outColumn(nil), cols...), dropColumns(c.output.parsed, cols)...)
}

// dropColumns is cols without those whose name is in seen, or stands in cols before.
func dropColumns(cols, seen []outColumn) []outColumn {
	var out []outColumn
	for _, c := range cols {
		same := func(o outColumn) bool { return o.name == c.name }
		if !slices.ContainsFunc(seen, same) && !slices.ContainsFunc(out, same) {
			out = append(out, c)
		}
	}
	return out
}

func newCompiler(o *Options) *compiler {
	c := &compiler{
		opt:   o,
		env:   &env{start: o.Start, end: o.End},
		event: newEventReader(o),
		mem:   &memory{max: o.maxBytes()},
		names: map[string]int{},
		exprs: map[string]int{},
		slots: new(int),

		defined: map[string]bool{},
	}
	if o.Now != nil {
		c.env.now = o.Now().UnixMilli()
	} else {
		c.env.now = time.UnixMilli(o.End).UnixMilli()
	}
	return c
}

// slot returns a new slot.
func (c *compiler) slot() int {
	*c.slots++
	return *c.slots - 1
}

// define makes name an ephemeral field and returns its slot.
func (c *compiler) define(name string, at span) (int, error) {
	n := c.slot()
	return n, c.defineAt(name, n, at)
}

// defineAt makes name an ephemeral field with this slot.
func (c *compiler) defineAt(name string, slot int, at span) error {
	if _, ok := c.names[name]; ok || c.defined[name] {
		err := errAt(at, "Ephemeral field is already defined: %s", name)
		err.located = true
		return err
	}
	c.defined[name] = true
	c.names[name] = slot
	return nil
}

func slotValue(n int) evalFn { return func(r *row) value { return r.slots[n] } }

// expr compiles an expression for rows at this place of the query.
func (c *compiler) expr(e Expr) (evalFn, error) {
	if c.closed || len(c.exprs) > 0 {
		if n, ok := c.exprs[e.String()]; ok {
			return slotValue(n), nil
		}
	}
	switch e := e.(type) {
	case *Ref:
		return c.field(e)
	case *Number:
		v := value{kind: number, num: e.Value}
		return constant(v), nil
	case *Text:
		return constant(textValue(e.Value)), nil
	case *Bool:
		return constant(boolValue(e.Value)), nil
	case *Unary:
		return c.unary(e)
	case *Binary:
		return c.binary(e)
	case *Like:
		return c.like(e)
	case *In:
		return c.in(e)
	case *Access:
		x, err := c.expr(e.X)
		if err != nil {
			return nil, err
		}
		return accessor(x, []Part{e.Part}), nil
	case *Call:
		return c.call(e)
	case *PeriodLit:
		return nil, errAt(e.span, "unexpected symbol found %s: a period is no value here", e)
	case *Star:
		return nil, errAt(e.span, "unexpected symbol found *")
	}
	return nil, errAt(e.pos(), "unexpected expression %s", e)
}

func constant(v value) evalFn { return func(*row) value { return v } }

// field resolves a name: an ephemeral field, a step into an ephemeral map, or a field of the event.
func (c *compiler) field(f *Ref) (evalFn, error) {
	for n := len(f.Parts); n > 0; n-- {
		if indexed(f.Parts[:n]) {
			continue
		}
		if slot, ok := c.names[joinParts(f.Parts[:n])]; ok {
			if n == len(f.Parts) {
				return slotValue(slot), nil
			}
			return accessor(slotValue(slot), f.Parts[n:]), nil
		}
	}
	if c.closed {
		return nil, errAt(f.span, "Unknown symbols found in or after stats: %s", f.Name())
	}
	if n := strings.Count(f.Name(), ".") + 1; n > maxNameParts {
		return nil, errAt(f.span, "the field name %s has %d parts, the limit is %d", f.Name(), n, maxNameParts)
	}
	return c.event.field(f.Name()), nil
}

func indexed(parts []Part) bool {
	for _, p := range parts {
		if p.Index {
			return true
		}
	}
	return false
}

// accessor steps into a map or list.
func accessor(x evalFn, parts []Part) evalFn {
	type stepTo struct {
		name  string
		index int
	}
	steps := make([]stepTo, len(parts))
	for i, p := range parts {
		steps[i] = stepTo{p.Name, -1}
		if isIndex(p.Name) && !p.Quoted {
			n := 0
			for _, d := range []byte(p.Name) {
				n = n*10 + int(d-'0')
			}
			steps[i].index = n
		}
	}
	return func(r *row) value {
		v := x(r)
		for _, s := range steps {
			if v.kind != document {
				return value{}
			}
			index := s.index
			if v.str[0] == '{' {
				index = -1 // a key may be a number: m.0
			}
			v = v.part(s.name, index)
		}
		return v
	}
}

func (c *compiler) unary(u *Unary) (evalFn, error) {
	x, err := c.expr(u.X)
	if err != nil {
		return nil, err
	}
	if u.Op == "not" {
		return func(r *row) value { return boolValue(!x(r).truth()) }, nil
	}
	return func(r *row) value {
		f, ok := x(r).asNumber()
		if !ok {
			return value{}
		}
		return numberValue(-f)
	}, nil
}

func (c *compiler) binary(b *Binary) (evalFn, error) {
	x, err := c.expr(b.X)
	if err != nil {
		return nil, err
	}
	y, err := c.expr(b.Y)
	if err != nil {
		return nil, err
	}
	switch b.Op {
	case "and":
		return func(r *row) value { return boolValue(x(r).truth() && y(r).truth()) }, nil
	case "or":
		return func(r *row) value { return boolValue(x(r).truth() || y(r).truth()) }, nil
	case "=":
		return func(r *row) value { return boolValue(isEqual(x(r), y(r))) }, nil
	case "!=":
		return func(r *row) value {
			a, b := x(r), y(r)
			return boolValue(comparable(a) && comparable(b) && !equal(a, b))
		}, nil
	case "<", "<=", ">", ">=":
		return ordered(b.Op, x, y), nil
	}
	op := arithmetic(b.Op)
	return func(r *row) value {
		f, ok := x(r).asNumber()
		if !ok {
			return value{}
		}
		g, ok := y(r).asNumber()
		if !ok {
			return value{}
		}
		return numberValue(op(f, g))
	}, nil
}

// comparable is whether the value may take part in a comparison: it is there, and no map or list.
func comparable(v value) bool { return v.kind != missing && v.kind != document }

func isEqual(a, b value) bool { return comparable(a) && comparable(b) && equal(a, b) }

func ordered(op string, x, y evalFn) evalFn {
	return func(r *row) value {
		n, ok := compareValues(x(r), y(r))
		if !ok {
			return boolValue(false)
		}
		switch op {
		case "<":
			return boolValue(n < 0)
		case "<=":
			return boolValue(n <= 0)
		case ">":
			return boolValue(n > 0)
		}
		return boolValue(n >= 0)
	}
}

func (c *compiler) like(l *Like) (evalFn, error) {
	x, err := c.expr(l.X)
	if err != nil {
		return nil, err
	}
	match := func(s string) bool { return strings.Contains(s, l.Text) }
	if l.Regex != nil {
		match = l.Regex.MatchString
	}
	return func(r *row) value {
		s, ok := x(r).asText()
		return boolValue((ok && match(s)) != l.Not)
	}, nil
}

func (c *compiler) in(e *In) (evalFn, error) {
	x, err := c.expr(e.X)
	if err != nil {
		return nil, err
	}
	list := make([]evalFn, len(e.List))
	for i, item := range e.List {
		if list[i], err = c.expr(item); err != nil {
			return nil, err
		}
	}
	return func(r *row) value {
		v := x(r)
		found := false
		for _, item := range list {
			if isEqual(v, item(r)) {
				found = true
				break
			}
		}
		return boolValue(found != e.Not)
	}, nil
}

// call compiles a scalar function.
func (c *compiler) call(e *Call) (evalFn, error) {
	if isAggregate(e.Name) {
		if c.aggregate != nil {
			return c.aggregate(e)
		}
		return nil, errAt(e.span, "the aggregate function %s can be used in stats only", functionSpelling(e.Name))
	}
	if eval, err, ok := c.periodCall(e); ok {
		return eval, err
	}
	f := scalarFunction(e.Name)
	if err := checkArity(e, f.min, f.max); err != nil {
		return nil, err
	}
	args := make([]evalFn, len(e.Args))
	for i, a := range e.Args {
		eval, err := c.expr(a)
		if err != nil {
			return nil, err
		}
		args[i] = eval
	}
	eval := f.eval
	if f.prepare != nil {
		var err error
		if eval, err = f.prepare(e); err != nil {
			return nil, err
		}
	}
	vals := make([]value, len(args))
	return func(r *row) value {
		for i, a := range args {
			vals[i] = a(r)
		}
		return eval(c.env, vals)
	}, nil
}

func checkArity(e *Call, least, most int) error {
	n := len(e.Args)
	if n >= least && (most < 0 || n <= most) {
		return nil
	}
	want := plural(least)
	switch {
	case most < 0:
		want = "at least " + want
	case least != most:
		want = itoa(least) + " to " + plural(most)
	}
	return errAt(e.span, "the function %s takes %s, not %d", functionSpelling(e.Name), want, n)
}

func plural(n int) string {
	if n == 1 {
		return "1 argument"
	}
	return itoa(n) + " arguments"
}

// periodCall compiles bin, datefloor and dateceil.
func (c *compiler) periodCall(e *Call) (eval evalFn, err error, ok bool) {
	var at evalFn
	switch e.Name {
	case "bin":
		if err := checkArity(e, 1, 1); err != nil {
			return nil, err, true
		}
		if c.closed {
			return nil, errAt(e.span, "Unknown symbols found in or after stats: @timestamp"), true
		}
		at = c.event.field("@timestamp")
	case "datefloor", "dateceil":
		if err := checkArity(e, 2, 2); err != nil {
			return nil, err, true
		}
		if at, err = c.expr(e.Args[0]); err != nil {
			return nil, err, true
		}
	default:
		return nil, nil, false
	}
	p, isPeriod := e.Args[len(e.Args)-1].(*PeriodLit)
	if !isPeriod {
		return nil, errAt(e.Args[len(e.Args)-1].pos(), "the function %s takes a period such as 5m", functionSpelling(e.Name)), true
	}
	round := p.floor
	if e.Name == "dateceil" {
		round = p.ceil
	}
	return func(r *row) value {
		t, ok := at(r).asMillis()
		if !ok {
			return value{}
		}
		return timeValue(round(t))
	}, nil, true
}
