// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package difftest

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/internal/store"
)

// generator makes random events and queries from small vocabularies, so that they meet often.
type generator struct{ *rand.Rand }

func (g generator) pick(list ...string) string { return list[g.IntN(len(list))] }

// scalar is a JSON value without members.
func (g generator) scalar() string {
	switch g.IntN(8) {
	case 0:
		return strconv.Itoa(g.IntN(20) - 5)
	case 1:
		return fmt.Sprintf("%d.%d", g.IntN(10), g.IntN(100))
	case 2:
		return g.pick("true", "false", "null", "1e2", "1.50", "-0", "100", "12345678901234567", "NaN", "1e400", "0.1", "5.0")
	case 3:
		return `"` + g.pick("1", "5", "5.0", "-3", "0x1", " 1", "1e1", "12345678901234567") + `"`
	}
	return `"` + g.pick("a", "b", "abc", "ERROR", "INFO", "", "a,b", "é", `x\"y`, `\u0061`, "a b", "true", "4bf92f3577b34da6a3ce929d0e0e4736") + `"`
}

func (g generator) json(depth int) string {
	if depth > 2 || g.IntN(3) > 0 && depth > 0 {
		return g.scalar()
	}
	var members []string
	n := g.IntN(5)
	if depth > 0 && g.IntN(3) == 0 {
		for range n {
			members = append(members, g.json(depth+1))
		}
		return "[" + strings.Join(members, ",") + "]"
	}
	for range n {
		members = append(members, `"`+g.name()+`":`+g.json(depth+1))
	}
	return "{" + strings.Join(members, ", ") + "}"
}

func (g generator) name() string {
	return g.pick("level", "service", "duration_ms", "status", "trace_id", "a", "b", "a.b", "c", "0", "@x")
}

func (g generator) message() string {
	switch g.IntN(6) {
	case 0:
		return fmt.Sprintf("user=%s, n=%d; %s", g.pick("ann", "bob", "", "a\nb"), g.IntN(30), g.pick("ERROR", "ok", "error"))
	case 1:
		if g.IntN(2) == 0 {
			id := g.pick("f612fbaf-65ce-4fd2-8d1b-6718fcb0b269", "0a1b2c3d-0000-4000-8000-000000000002")
			return g.pick("START RequestId: "+id, "REPORT RequestId: "+id+"\tDuration: 5.50 ms\t", "2024\t"+id+"\tINFO\t"+g.json(0), "INFO "+g.json(0)+g.json(0))
		}
		return g.pick("", "plain ERROR", "[INFO] a b", "{broken", g.scalar())
	}
	return g.json(0)
}

// field is a field of an event as queries write it.
func (g generator) field() string {
	return g.pick("level", "service", "duration_ms", "status", "trace_id", "a", "b", "a.b", "a.0", "c", "a.b.c", "@@x", "@message", "@logStream", "nothing", "@type", "version", "@requestId", "@duration")
}

func (g generator) literal() string {
	return g.pick("1", "5", "-3", "0", "100", "5.0", "1.5", `"a"`, `"b"`, `"ERROR"`, `"5"`, `"5.0"`, `"true"`, `"1"`, `""`, `"é"`, `"x\"y"`, "12345678901234567", `"4bf92f3577b34da6a3ce929d0e0e4736"`, "true",
		`"REPORT"`, `"f612fbaf-65ce-4fd2-8d1b-6718fcb0b269"`)
}

func (g generator) value() string {
	switch g.IntN(6) {
	case 0:
		return g.field() + g.pick(" + ", " * ", " - ", " / ", " % ") + g.pick("2", "0", g.field())
	case 1:
		return g.pick("toMillis(@timestamp)", "@timestamp", "abs("+g.field()+")", "-"+g.field(), "toNumber("+g.field()+")")
	}
	return g.field()
}

func (g generator) cond(depth int) string {
	if depth < 3 && g.IntN(3) == 0 {
		switch g.IntN(3) {
		case 0:
			return "not (" + g.cond(depth+1) + ")"
		case 1:
			return "(" + g.cond(depth+1) + " and " + g.cond(depth+1) + ")"
		}
		return "(" + g.cond(depth+1) + " or " + g.cond(depth+1) + ")"
	}
	switch g.IntN(8) {
	case 0:
		return g.field() + g.pick(" like ", " not like ") + g.pick(`"a"`, `"ERROR"`, `"1"`, `""`, `","`, `/a/`, `/^[a-z]+$/`, `/(?i)error/`, `/\d\d/`, `/a.b/`, `/^$/`, `/user=(ann|bob)/`)
	case 1:
		return g.field() + g.pick(" in ", " not in ") + "[" + g.literal() + ", " + g.literal() + "]"
	case 2:
		return g.pick("ispresent", "isempty", "isNumeric", "isblank") + "(" + g.field() + ")" + g.pick("", " = 1", " = 0")
	case 3:
		return g.literal() + g.pick(" = ", " < ", " != ") + g.field()
	case 4:
		return "@timestamp " + g.pick("<", ">=", "=") + " " + strconv.Itoa(day+g.IntN(100)*60_000)
	}
	return g.value() + g.pick(" = ", " != ", " < ", " <= ", " > ", " >= ") + g.literal()
}

func (g generator) query() string {
	var b strings.Builder
	names := []string{}
	for n := g.IntN(3); n > 0; n-- {
		switch g.IntN(4) {
		case 0:
			name := fmt.Sprintf("p%d", len(names))
			names = append(names, name)
			b.WriteString("parse " + g.pick("", "@message ", g.field()+" ") + g.pick(`"user=*, n=*;*" as `+name+", "+name+"y, "+name+"z",
				`"*a*" as `+name+", "+name+"y", `/user=(?<`+name+`>\w*)/`, `/(?<`+name+`>\d+)/`, `/(?<`+name+`>x)?a/`, `"user=*" as `+name) + " | ")
		case 1:
			name := fmt.Sprintf("e%d", len(names))
			names = append(names, name)
			b.WriteString("fields " + g.value() + " as " + name + " | ")
		default:
			b.WriteString("filter " + g.cond(0) + " | ")
		}
	}
	arg := func() string {
		if len(names) > 0 && g.IntN(2) == 0 {
			return g.pick(names...)
		}
		return g.value()
	}
	switch g.IntN(4) {
	case 0:
		b.WriteString("fields @timestamp, " + arg())
	case 1:
		b.WriteString("fields @message | " + g.pick("limit 5", "sort @timestamp asc | limit 3", "sort "+g.field()+" desc, @timestamp asc | limit 9"))
	default:
		b.WriteString("stats count(*)")
		for n := g.IntN(4); n > 0; n-- {
			function := g.pick("count", "sum", "avg", "min", "max", "count_distinct", "stddev", "earliest", "latest", "sortsFirst", "pct")
			b.WriteString(", " + function + "(" + arg())
			if function == "pct" {
				b.WriteString(", " + g.pick("0", "50", "99.9", "100"))
			}
			b.WriteString(")")
		}
		if g.IntN(3) > 0 {
			b.WriteString(" by " + g.pick(arg(), "bin(5m)", "bin(1h), "+arg(), arg()+", "+g.field()))
		}
	}
	return b.String()
}

// checkRandom compares random queries over random events.
func checkRandom(t *testing.T, e store.LogStore, seed uint64, events, queries int) {
	t.Helper()
	g := generator{rand.New(rand.NewPCG(seed, 1))}
	tenant := store.Tenant{Account: "123456789012", Region: fmt.Sprint("r", seed)}
	groups := []string{"/app/a", g.pick("/app/b", "/aws/lambda/b")}
	var records []store.LogRecord
	for i := range events {
		ts := day + int64(g.IntN(7_200_000))
		r := store.LogRecord{
			Tenant: tenant, Group: g.pick(groups...), Stream: g.pick("1", "s2", "s3"), Timestamp: ts, Ingested: ts + int64(i), Message: g.message(),
		}
		promote(&r)
		records = append(records, r)
	}
	require.NoError(t, e.WriteLogs(t.Context(), records))
	for range queries {
		q := g.query()
		compare(t, e, selection(tenant, groups...), q)
	}
}

func TestRandom(t *testing.T) {
	e := openEngine(t)
	for seed := range uint64(4) {
		checkRandom(t, e, seed, 150, 40)
	}
}

func FuzzRandom(f *testing.F) {
	e := openEngine(f)
	for seed := range uint64(3) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		checkRandom(t, e, seed, 60, 5)
	})
}
