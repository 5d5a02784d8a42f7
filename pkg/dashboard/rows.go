// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package dashboard

import (
	"slices"
	"strconv"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// readRows expands the shorthand of rows: "." is what the row before has at the place, "..." all that it has from there up
// to what follows.
func (w *MetricWidget) readRows(c *checker, metrics *Value) []Row {
	var before []string
	ids := map[string]bool{}
	rows := make([]Row, 0, len(metrics.Items))
	for i := range metrics.Items {
		path := child("/metrics", strconv.Itoa(i))
		items := metrics.Items[i].Items
		var renderer *Value
		if last := len(items) - 1; items[last].Kind == KindObject {
			renderer, items = &items[last], items[:last]
		}
		row := w.readRenderer(renderer)
		if row.ID != "" {
			if ids[row.ID] {
				c.fail(path, `The id "`+row.ID+`" is there twice`)
			}
			ids[row.ID] = true
		}
		if len(items) > 0 {
			tokens, ok := expand(c, path, items, before)
			if !ok {
				continue
			}
			before = tokens
			row.setMetric(c, path, tokens)
		}
		rows = append(rows, row)
	}
	return rows
}

func (w *MetricWidget) readRenderer(v *Value) Row {
	row := Row{
		Expression: v.Member("expression").string(), ID: v.Member("id").string(), Color: v.Member("color").string(),
		Period:    int32(v.Member("period").intOr(int(w.Period))),
		Stat:      v.Member("stat").stringOr(w.Stat),
		Region:    v.Member("region").stringOr(w.Region),
		AccountID: v.Member("accountId").stringOr(w.AccountID),
		Hidden:    v.Member("visible").isFalse(), Right: v.Member("yAxis").string() == "right",
	}
	if label := v.Member("label"); label != nil {
		row.Label = &label.Text
	}
	return row
}

func (r *Row) setMetric(c *checker, path string, tokens []string) {
	switch {
	case r.Expression != "":
		c.fail(path, "A metric should NOT have an expression")
	case len(tokens) < 2:
		c.fail(path, "Should NOT have less than 2 items")
	case len(tokens)%2 != 0:
		c.fail(path, `The dimension "`+tokens[len(tokens)-1]+`" has no value`)
	default:
		r.Metric.Namespace, r.Metric.Name = tokens[0], tokens[1]
		for i := 2; i < len(tokens); i += 2 {
			r.Metric.Dimensions = append(r.Metric.Dimensions, cloudwatch.Dimension{Name: tokens[i], Value: tokens[i+1]})
		}
	}
}

// maxTokens bounds a row: a namespace, a name and 30 dimensions.
const maxTokens = 62

// expand resolves the shorthand of one row by the one before it.
func expand(c *checker, path string, items []Value, before []string) ([]string, bool) {
	var tokens []string
	for i := range items {
		at := child(path, strconv.Itoa(i))
		switch token := items[i].Text; token {
		case ".":
			if len(tokens) >= len(before) {
				c.fail(at, `There is nothing that "." could stand for`)
				return nil, false
			}
			tokens = append(tokens, before[len(tokens)])
		case "...":
			end := len(before) - (len(items) - i - 1)
			if end <= len(tokens) {
				c.fail(at, `There is nothing that "..." could stand for`)
				return nil, false
			}
			tokens = slices.Concat(tokens, before[len(tokens):end])
		default:
			tokens = append(tokens, token)
		}
	}
	if len(tokens) > maxTokens {
		c.fail(path, "Should NOT have more than "+strconv.Itoa(maxTokens)+" items")
		return nil, false
	}
	return tokens, true
}
