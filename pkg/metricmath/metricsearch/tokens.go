// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package metricsearch

// Tokens of a name are its runs of digits and its words, where a word begins at a capital letter and capitals in a row
// are one word (SDBFailure is sdb and failure). Everything else separates. The whole name without what separates is a
// token too. Case does not count between tokens, but it decides how a term is cut: couNT is cou and nt.

type class int

const (
	classOther class = iota
	classDigit
	classLower
	classUpper
)

func classOf(c byte) class {
	switch {
	case c >= '0' && c <= '9':
		return classDigit
	case c >= 'a' && c <= 'z', c >= 0x80:
		return classLower
	case c >= 'A' && c <= 'Z':
		return classUpper
	}
	return classOther
}

// nextToken is the place of the first token at or behind from; start is len(s) when there is none.
func nextToken(s string, from int) (start, end int) {
	for from < len(s) && classOf(s[from]) == classOther {
		from++
	}
	if from == len(s) {
		return from, from
	}
	first := classOf(s[from])
	end = run(s, from, first)
	if first != classUpper || end == len(s) || classOf(s[end]) != classLower {
		return from, end
	}
	if end-from > 1 {
		return from, end - 1 // the last capital begins the next word
	}
	return from, run(s, end, classLower)
}

func run(s string, from int, c class) int {
	for from < len(s) && classOf(s[from]) == c {
		from++
	}
	return from
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// pattern is a term without quotes, in tokens of lower case.
type pattern struct {
	tokens []string
	// whole, when not "", may also be all of a name: the term is not cut by its capitals.
	whole string
}

// newPattern has no tokens for a text without letters and digits.
func newPattern(text string) pattern {
	var p pattern
	var all []byte
	uncut, lastEnd := true, -1
	for start, end := nextToken(text, 0); start < len(text); start, end = nextToken(text, end) {
		if start == lastEnd && classOf(text[start]) == classUpper && classOf(text[start-1]) != classDigit {
			uncut = false
		}
		lastEnd = end
		token := make([]byte, 0, end-start)
		for _, c := range []byte(text[start:end]) {
			token = append(token, lower(c))
		}
		p.tokens = append(p.tokens, string(token))
		all = append(all, token...)
	}
	if uncut {
		p.whole = string(all)
	}
	return p
}

// match reports whether the tokens follow one another in the name. It allocates nothing: a search looks at all metrics.
func (p *pattern) match(name string) bool {
	for start, end := nextToken(name, 0); start < len(name); start, end = nextToken(name, end) {
		if p.matchAt(name, start, end) {
			return true
		}
	}
	return p.whole != "" && p.matchWhole(name)
}

func (p *pattern) matchAt(name string, start, end int) bool {
	for i, token := range p.tokens {
		if i > 0 {
			start, end = nextToken(name, end)
		}
		if !equalLower(name[start:end], token) {
			return false
		}
	}
	return true
}

func equalLower(s, lowered string) bool {
	if len(s) != len(lowered) {
		return false
	}
	for i := range len(s) {
		if lower(s[i]) != lowered[i] {
			return false
		}
	}
	return true
}

func (p *pattern) matchWhole(name string) bool {
	j := 0
	for i := range len(name) {
		if classOf(name[i]) == classOther {
			continue
		}
		if j == len(p.whole) || lower(name[i]) != p.whole[j] {
			return false
		}
		j++
	}
	return j == len(p.whole)
}
