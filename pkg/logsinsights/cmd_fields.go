// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logsinsights

// Fields is the fields command: columns of the result and new fields.
type Fields struct {
	Items []*Item
	span
}

func (f *Fields) pos() span      { return f.span }
func (f *Fields) String() string { return "fields " + joinItems(f.Items) }

// Display is the display command: the columns of the result.
type Display struct {
	Items []*Item
	span
}

func (d *Display) pos() span      { return d.span }
func (d *Display) String() string { return "display " + joinItems(d.Items) }

func parseFields(p *parser, at span) (Command, error) {
	items, err := p.items()
	return &Fields{Items: items, span: p.from(at)}, err
}

func parseDisplay(p *parser, at span) (Command, error) {
	items, err := p.items()
	return &Display{Items: items, span: p.from(at)}, err
}

func (f *Fields) compile(c *compiler) (stageMaker, error) {
	cols, make, err := c.items(f.Items, c.define)
	if err != nil {
		return nil, err
	}
	c.output.fields = append(c.output.fields, dropColumns(cols, c.output.fields)...)
	return make, nil
}

func (d *Display) compile(c *compiler) (stageMaker, error) {
	cols, make, err := c.items(d.Items, func(name string, _ span) (int, error) {
		n := c.slot() // display may use a name again
		c.names[name] = n
		return n, nil
	})
	if err != nil {
		return nil, err
	}
	c.output.display = cols
	return make, nil
}

// items compiles the items of fields and display.
func (c *compiler) items(items []*Item, define func(string, span) (int, error)) ([]outColumn, stageMaker, error) {
	ext := &extendStage{}
	var cols []outColumn
	for _, it := range items {
		eval, err := c.expr(it.Expr)
		if err != nil {
			return nil, nil, err
		}
		_, plain := it.Expr.(*Ref)
		if it.Alias != "" || !plain {
			var slot int
			if it.Alias != "" {
				if slot, err = define(it.Alias, it.alias); err != nil {
					return nil, nil, err
				}
			} else {
				slot = c.slot()
				c.exprs[it.Expr.String()] = slot
			}
			ext.slots = append(ext.slots, slot)
			ext.evals = append(ext.evals, eval)
			eval = slotValue(slot)
		}
		cols = append(cols, outColumn{it.Column(), eval})
	}
	if len(ext.slots) == 0 {
		return cols, nil, nil
	}
	return cols, func(next stage) stage { ext.next = next; return ext }, nil
}
