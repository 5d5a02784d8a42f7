// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package xray

import (
	"slices"
	"strconv"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// pending is an embedded subsegment whose span is still to be written.
type pending struct {
	node  int32
	index int64
	h     head
	m     members
}

// plan decides which elements of the array m.subsegments become spans, and returns where in c.pending they
// begin. The others become an attribute of the owner.
func (c *converter) plan(a pcommon.Map, m *members) (from int) {
	from = len(c.pending)
	n := m.subsegments
	if n == 0 {
		return from
	}
	t := c.tree
	if t.nodes[n].kind != kindArray {
		c.keep("subsegments", n)
		return from
	}
	others := []byte(nil)
	if t.nodes[n].child == 0 {
		others = []byte{'{'}
	}
	index := int64(0)
	for x := t.nodes[n].child; x != 0; x = t.nodes[x].next {
		p := pending{node: x, index: index}
		if t.embedded(&p) && !slices.Contains(c.ids, p.h.id) {
			c.ids = append(c.ids, p.h.id)
			c.pending = append(c.pending, p)
		} else {
			if others == nil {
				others = append(others, '{')
			}
			others = append(appendComma(others), '"')
			others = append(strconv.AppendInt(others, index, 10), '"', ':')
			others = append(others, t.raw(x)...)
		}
		index++
	}
	if others != nil {
		a.PutStr(attrSubsegments, string(append(others, '}')))
	}
	return from
}

// subsegments writes the spans that were planned from there on.
func (c *converter) subsegments(owner SpanID, from int) {
	to := len(c.pending)
	for i := from; i < to; i++ {
		p := c.pending[i]
		p.h.parent = owner
		c.span(p.node, &p.m, &p.h, typeEmbedded, p.index)
	}
	c.pending = c.pending[:from]
}

// embedded reads what a subsegment must have to be a span: an id, a name and a start.
func (t *tree) embedded(p *pending) bool {
	if t.nodes[p.node].kind != kindObject {
		return false
	}
	p.m = t.members(p.node)
	text, ok := t.strAt(p.m.id)
	if !ok {
		return false
	}
	var err error
	if p.h.id, err = ParseSpanID(text); err != nil || p.h.id.IsZero() {
		return false
	}
	return t.commonHead(&p.m, &p.h, false) == nil
}
