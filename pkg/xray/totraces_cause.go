// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package xray

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// cause makes exceptions events. It returns the first message, for the status.
func (c *converter) cause(s ptrace.Span, h *head, n int32) (message string) {
	t := c.tree
	list := t.member(n, "exceptions")
	if t.nodes[n].kind != kindObject || !t.is(list, kindArray) || !c.allObjects(list) {
		c.keep("cause", n) // the id of an exception elsewhere, or a shape of its own
		return ""
	}
	mark := c.open("cause")
	for x := t.nodes[n].child; x != 0; x = t.nodes[x].next {
		if t.key(x) != "exceptions" {
			c.keepMember(x)
		}
	}
	if t.nodes[list].child == 0 {
		c.keep("exceptions", list)
	}
	c.close(mark, false)
	when := h.end
	if when == 0 {
		when = h.start
	}
	for x := t.nodes[list].child; x != 0; x = t.nodes[x].next {
		e := s.Events().AppendEmpty()
		e.SetName(eventException)
		e.SetTimestamp(pcommon.Timestamp(when))
		if m := c.exception(e.Attributes(), x); message == "" {
			message = m
		}
	}
	return message
}

func (c *converter) allObjects(list int32) bool {
	for x := c.tree.nodes[list].child; x != 0; x = c.tree.nodes[x].next {
		if c.tree.nodes[x].kind != kindObject {
			return false
		}
	}
	return true
}

func (c *converter) exception(a pcommon.Map, n int32) (message string) {
	t := c.tree
	a.EnsureCapacity(6)
	// The exception's own residual is built behind that of the span.
	outer := len(c.residual)
	c.residual = append(c.residual, '{')
	var id, typ, text, remote, truncated, skipped, cause, stack int32
	for x := t.nodes[n].child; x != 0; x = t.nodes[x].next {
		switch t.key(x) {
		case "id":
			id = x
		case "type":
			typ = x
		case "message":
			text = x
		case "remote":
			remote = x
		case "truncated":
			truncated = x
		case "skipped":
			skipped = x
		case "cause":
			cause = x
		case "stack":
			stack = x
		default:
			c.keepMember(x)
		}
	}
	class, _ := c.putStr(a, attrExceptionType, "type", typ)
	message, _ = c.putStr(a, attrExceptionMessage, "message", text)
	c.putStr(a, attrXExceptionID, "id", id)
	c.putBool(a, attrXExceptionRemote, "remote", remote)
	c.putInt(a, attrXExceptionTrunc, "truncated", truncated)
	c.putInt(a, attrXExceptionSkipped, "skipped", skipped)
	c.putStr(a, attrXExceptionCause, "cause", cause)
	if stack != 0 {
		a.PutStr(attrXExceptionStack, t.raw(stack))
		if trace := c.stackTrace(class, message, stack); trace != "" {
			a.PutStr(attrExceptionStack, trace)
		}
	}
	if len(c.residual) > outer+1 {
		a.PutStr(attrXExceptionResidual, string(append(c.residual[outer:], '}')))
	}
	c.residual = c.residual[:outer]
	return message
}

// stackTrace writes the frames as text, most recent first as the document has them.
func (c *converter) stackTrace(class, message string, stack int32) string {
	t := c.tree
	if t.nodes[stack].kind != kindArray || t.nodes[stack].child == 0 {
		return ""
	}
	b := make([]byte, 0, 512)
	b = append(b, class...)
	if message != "" {
		b = append(append(b, ": "...), message...)
	}
	for x := t.nodes[stack].child; x != 0; x = t.nodes[x].next {
		if t.nodes[x].kind != kindObject {
			continue
		}
		b = append(b, "\n\tat "...)
		b = append(b, t.memberString(x, "label")...)
		path := t.memberString(x, "path")
		line := t.member(x, "line")
		b = append(append(b, " ("...), path...)
		if t.is(line, kindNumber) {
			b = append(append(b, ':'), t.raw(line)...)
		}
		b = append(b, ')')
	}
	return string(b)
}
