// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package filterpattern

import (
	"strconv"
	"strings"

	"github.com/nephoscope/nephoscope/pkg/logsinsights/jsonscan"
)

// selector names a value in a JSON object: $.a.b[0].c, with one wildcard at most.
type selector struct {
	steps []selectorStep
}

type selectorStep struct {
	kind  stepKind
	key   string
	index int
}

type stepKind int

const (
	stepKey        stepKind = iota // .name
	stepQuotedKey                  // .['any text']
	stepIndex                      // [0]
	stepAnyElement                 // [*]
	stepAnyMember                  // .*
)

// selector reads a selector, which begins with a dollar sign.
func (p *jsonParser) selector() (*selector, error) {
	s := &selector{}
	wildcards := 0
	p.i++
	for p.i < len(p.text) {
		step, ok, err := p.step()
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		if step.kind == stepAnyElement || step.kind == stepAnyMember {
			wildcards++
		}
		s.steps = append(s.steps, step)
	}
	p.wildcards += min(wildcards, 1)
	switch {
	case len(s.steps) == 0:
		return nil, errChars("$")
	case wildcards > 1:
		return nil, errorf("the selector %s has more than one wildcard", s)
	}
	return s, nil
}

func (p *jsonParser) step() (s selectorStep, ok bool, err error) {
	rest := p.text[p.i:]
	switch {
	case strings.HasPrefix(rest, ".*"):
		p.i += 2
		return selectorStep{kind: stepAnyMember}, true, nil
	case strings.HasPrefix(rest, "[*]"):
		p.i += 3
		return selectorStep{kind: stepAnyElement}, true, nil
	case strings.HasPrefix(rest, ".['"):
		end := strings.Index(rest, "']")
		if end < 4 {
			return s, false, errChars(".['")
		}
		p.i += end + 2
		return selectorStep{kind: stepQuotedKey, key: rest[3:end]}, true, nil
	case rest[0] == '.':
		n := 1
		for n < len(rest) && (isWord(rest[n]) || rest[n] == '-') {
			n++
		}
		if n == 1 {
			return s, false, errChars("$." + badRun(rest+" ", 1))
		}
		p.i += n
		return selectorStep{kind: stepKey, key: rest[1:n]}, true, nil
	case rest[0] == '[':
		end := strings.IndexByte(rest, ']')
		if end < 0 {
			return s, false, errChars("[")
		}
		n, err := strconv.ParseUint(rest[1:end], 10, 31)
		if err != nil || len(rest[1:end]) > 1 && rest[1] == '0' {
			return s, false, errChars("[")
		}
		p.i += end + 1
		return selectorStep{kind: stepIndex, index: int(n)}, true, nil
	}
	return s, false, nil
}

func (s *selector) String() string {
	var b strings.Builder
	b.WriteByte('$')
	for _, st := range s.steps {
		switch st.kind {
		case stepKey:
			b.WriteString("." + st.key)
		case stepQuotedKey:
			b.WriteString(".['" + st.key + "']")
		case stepIndex:
			b.WriteString("[" + strconv.Itoa(st.index) + "]")
		case stepAnyElement:
			b.WriteString("[*]")
		case stepAnyMember:
			b.WriteString(".*")
		}
	}
	return b.String()
}

// each calls yield with the JSON text of each value that the selector names in doc, until it returns false.
func (s *selector) each(doc string, yield func(lit string) bool) {
	walk(doc, s.steps, yield)
}

// walk returns false when yield did.
func walk(doc string, steps []selectorStep, yield func(lit string) bool) bool {
	if len(steps) == 0 {
		return yield(doc)
	}
	step, more := steps[0], true
	switch {
	case doc[0] == '{' && (step.kind == stepKey || step.kind == stepQuotedKey):
		jsonscan.EachMember(doc, func(key, lit string) bool {
			if key != step.key {
				return true
			}
			more = walk(lit, steps[1:], yield)
			return false // of equal keys, the first one
		})
	case doc[0] == '{' && step.kind == stepAnyMember:
		jsonscan.EachMember(doc, func(_, lit string) bool {
			more = walk(lit, steps[1:], yield)
			return more
		})
	case doc[0] == '[' && step.kind == stepIndex:
		at := 0
		jsonscan.EachElement(doc, func(lit string) bool {
			if at < step.index {
				at++
				return true
			}
			more = walk(lit, steps[1:], yield)
			return false
		})
	case doc[0] == '[' && step.kind == stepAnyElement:
		jsonscan.EachElement(doc, func(lit string) bool {
			more = walk(lit, steps[1:], yield)
			return more
		})
	}
	return more
}
