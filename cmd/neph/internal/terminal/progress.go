// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package terminal

import (
	"fmt"
	"strings"
	"sync"
)

// Progress shows how far a piece of work has come: a line that is rewritten where a person looks at it, one line
// at the end elsewhere.
type Progress struct {
	mu    sync.Mutex
	out   Output
	label string
	shown string
}

// NewProgress begins a progress line.
func NewProgress(out Output, label string) *Progress {
	return &Progress{out: out, label: label}
}

const progressColumns = 24

// Update shows the part that is done (0 to 1), and a note.
func (p *Progress) Update(part float64, note string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.out.Interactive {
		return
	}
	full := int(min(1, max(0, part)) * progressColumns)
	bar := p.out.Color(ColorCyan, strings.Repeat("━", full)) + p.out.Dim(strings.Repeat("━", progressColumns-full))
	line := fmt.Sprintf("  %s %s %3.0f%%  %s", p.label, bar, part*100, p.out.Dim(Truncate(note, p.room())))
	if line == p.shown {
		return
	}
	p.shown = line
	p.out.Printf("%s", "\r\x1b[K"+line)
}

func (p *Progress) room() int {
	return max(0, p.out.Width-Columns(p.label)-progressColumns-12)
}

// Done ends the line with what came of it.
func (p *Progress) Done(result string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.out.Interactive {
		p.out.Printf("%s", "\r\x1b[K")
	}
	p.end(ColorGreen, "✓", p.out.Dim(result))
}

// Fail ends the line of a piece of work that did not succeed; the reason may be left to others.
func (p *Progress) Fail(reason string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.out.Interactive {
		p.out.Printf("%s", "\r\x1b[K")
	}
	p.end(ColorRed, "✗", reason)
}

func (p *Progress) end(c Color, mark, text string) {
	p.out.Println(strings.TrimRight("  "+p.out.Color(c, mark)+" "+p.label+"  "+text, " "))
}
