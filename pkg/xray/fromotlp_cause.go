// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package xray

import (
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/ptrace"
)

// maxStackFrames bounds the frames of one exception; X-Ray has a member for how many were cut.
const maxStackFrames = 256

// cause writes the exceptions of a span. A span that failed without one gets an exception of its status.
func (o *otlpSpan) cause(w *docWriter) {
	s := o.span
	n := 0
	for _, e := range s.Events().All() {
		if e.Name() == eventException {
			n++
		}
	}
	message := s.Status().Message()
	failed := s.Status().Code() == ptrace.StatusCodeError
	if n == 0 && (!failed || message == "") {
		return
	}
	mark := w.open("cause")
	w.name("exceptions")
	w.buf = append(w.buf, '[')
	remote := s.Kind() == ptrace.SpanKindClient || s.Kind() == ptrace.SpanKindProducer
	if n == 0 {
		w.buf = append(w.buf, '{')
		w.spanID("id", o.id.derive("status"))
		w.str("message", message)
		if remote {
			w.bool("remote", true)
		}
		w.buf = append(w.buf, '}')
	}
	i := 0
	for _, e := range s.Events().All() {
		if e.Name() != eventException {
			continue
		}
		a := e.Attributes()
		w.buf = append(appendComma(w.buf), '{')
		w.spanID("id", o.id.derive("exception "+strconv.Itoa(i)))
		i++
		w.optional("type", stringOf(a, attrExceptionType))
		w.optional("message", stringOf(a, attrExceptionMessage))
		if remote {
			w.bool("remote", true)
		}
		if stack := stringOf(a, attrExceptionStack); stack != "" {
			w.stack(stack)
		}
		w.buf = append(w.buf, '}')
	}
	w.buf = append(w.buf, ']')
	w.close(mark, false)
}

type frame struct {
	path, label string
	line        int
}

// stack writes the frames that are found in a stack trace's text.
func (w *docWriter) stack(text string) {
	frames, truncated := parseStack(text)
	if len(frames) == 0 {
		return
	}
	w.name("stack")
	w.buf = append(w.buf, '[')
	for _, f := range frames {
		w.buf = append(appendComma(w.buf), '{')
		w.optional("path", f.path)
		if f.line > 0 {
			w.int("line", int64(f.line))
		}
		w.optional("label", f.label)
		w.buf = append(w.buf, '}')
	}
	w.buf = append(w.buf, ']')
	if truncated > 0 {
		w.int("truncated", int64(truncated))
	}
}

// parseStack reads the shapes that the languages print. Lines that are no frames (the message, "Caused by")
// are passed over; a text without any known frame is one frame a line.
func parseStack(text string) (frames []frame, truncated int) {
	add := func(f frame) {
		if len(frames) < maxStackFrames {
			frames = append(frames, f)
		} else {
			truncated++
		}
	}
	lines := strings.Split(text, "\n")
	python := false
	for i, line := range lines {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "at "):
			add(atFrame(line[3:]))
		case strings.HasPrefix(line, `File "`):
			if f, ok := pythonFrame(line); ok {
				python = true
				add(f)
			}
		case i+1 < len(lines) && strings.HasSuffix(line, ")") && strings.HasPrefix(lines[i+1], "\t/"):
			path, no := cutLine(strings.TrimSpace(strings.SplitN(strings.TrimSpace(lines[i+1]), " +0x", 2)[0]))
			add(frame{label: line, path: path, line: no}) // Go
		}
	}
	if python { // the most recent call is last there
		for i, j := 0, len(frames)-1; i < j; i, j = i+1, j-1 {
			frames[i], frames[j] = frames[j], frames[i]
		}
	}
	if len(frames) > 0 {
		return frames, truncated
	}
	for _, line := range lines {
		if line = strings.TrimSpace(line); line != "" {
			add(frame{label: line})
		}
	}
	return frames, truncated
}

// atFrame reads what Java, JavaScript and .NET print behind "at".
func atFrame(s string) frame {
	if label, place, ok := strings.Cut(s, " in "); ok { // .NET
		path, no := cutLine(strings.Replace(place, ":line ", ":", 1))
		return frame{label: label, path: path, line: no}
	}
	open := strings.LastIndexByte(s, '(')
	if open < 0 || !strings.HasSuffix(s, ")") {
		path, no := cutColumn(s)
		return frame{path: path, line: no}
	}
	path, no := cutColumn(s[open+1 : len(s)-1])
	return frame{label: strings.TrimSpace(s[:open]), path: path, line: no}
}

func pythonFrame(s string) (frame, bool) {
	path, rest, ok := strings.Cut(s[len(`File "`):], `", line `)
	if !ok {
		return frame{}, false
	}
	no, label, _ := strings.Cut(rest, ", in ")
	n, err := strconv.Atoi(no)
	return frame{path: path, line: n, label: label}, err == nil
}

// cutLine splits path:line.
func cutLine(s string) (path string, line int) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return s, 0
	}
	n, err := strconv.Atoi(s[i+1:])
	if err != nil || n < 0 {
		return s, 0
	}
	return s[:i], n
}

// cutColumn splits path:line and path:line:column.
func cutColumn(s string) (path string, line int) {
	path, line = cutLine(s)
	if p, l := cutLine(path); l > 0 {
		return p, l
	}
	return path, line
}
