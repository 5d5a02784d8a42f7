// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsemfexporter

import (
	"fmt"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
	"github.com/nephoscope/nephoscope/pkg/cloudwatchlogs"
	"github.com/nephoscope/nephoscope/pkg/emf"
)

// maxDocument is how long a document may be, so that every version of CloudWatch Logs takes it.
const maxDocument = emf.MaxDocumentBytes - cloudwatchlogs.EventOverhead

// selection is metrics that have the same dimension sets.
type selection struct {
	sets    [][]string
	metrics []int // indices of the group's data
}

// writeData writes metrics of different names in as few documents as the limits allow.
func (x *translation) writeData(g *group, data []cloudwatch.Datum) {
	o := g.origin
	x.t.write(o)
	for len(data) > 0 {
		n := min(len(data), emf.MaxMetricsPerDirective)
		for n > 0 {
			selections, sets := x.choose(o, data[:n])
			if n > 1 && n*sets > emf.MaxDataPerDocument {
				n /= 2
				continue
			}
			text := x.document(g, data[:n], selections)
			if len(text) <= maxDocument {
				x.docs = append(x.docs, document{o.group, o.stream, g.timestamp, string(text)})
				x.countUnselected(selections, n)
				break
			}
			if n == 1 {
				x.dropped[reasonTooLarge]++
				break
			}
			n /= 2
		}
		data = data[max(n, 1):]
	}
}

// choose finds the dimension sets of metrics, and the greatest number of sets that one of them has.
func (x *translation) choose(o *origin, data []cloudwatch.Datum) (list []selection, most int) {
	if x.t.cfg.DisableMetricExtraction {
		return nil, 0
	}
	if len(x.t.declarations) == 0 {
		var sets [][]string
		if !o.noAll {
			sets = append(sets, append([]string{}, o.all...))
		}
		for _, set := range o.rollups {
			sets = appendSet(sets, set)
		}
		if len(sets) == 0 {
			return nil, 0
		}
		s := selection{sets: sets, metrics: make([]int, len(data))}
		for i := range data {
			s.metrics[i] = i
		}
		return []selection{s}, len(sets)
	}
	index := make(map[string]int)
	for i := range data {
		matching := x.matching(o, data[i].Name)
		if len(matching) == 0 {
			continue
		}
		key := fmt.Sprint(matching)
		n, ok := index[key]
		if !ok {
			n = len(list)
			index[key] = n
			list = append(list, selection{sets: x.declaredSets(o, matching)})
		}
		list[n].metrics = append(list[n].metrics, i)
		most = max(most, len(list[n].sets))
	}
	return list, most
}

// matching are the declarations that choose a metric.
func (x *translation) matching(o *origin, name string) (list []int) {
	byName, ok := x.matches[name]
	if !ok {
		for i := range x.t.declarations {
			if x.t.declarations[i].matchesName(name) {
				byName = append(byName, i)
			}
		}
		x.matches[name] = byName
	}
	for _, i := range byName {
		for _, j := range o.declared {
			if i == j {
				list = append(list, i)
			}
		}
	}
	return list
}

func (x *translation) declaredSets(o *origin, declarations []int) (sets [][]string) {
	for _, i := range declarations {
		for _, set := range x.t.dimensions(&x.t.declarations[i], o) {
			sets = appendSet(sets, set)
		}
	}
	for _, set := range o.rollups {
		sets = appendSet(sets, set)
	}
	return sets
}

// document writes one document.
func (x *translation) document(g *group, data []cloudwatch.Datum, selections []selection) []byte {
	d := emf.Document{
		Layout: x.t.layout, TimestampMs: g.timestamp, Properties: g.origin.properties, Metrics: data,
	}
	for _, s := range selections {
		for rest := s.sets; len(rest) > 0; {
			n := min(len(rest), emf.MaxDimensionSetsPerDirective)
			d.Directives = append(d.Directives, emf.Directive{Namespace: g.origin.namespace, Dimensions: rest[:n], Metrics: s.metrics})
			rest = rest[n:]
		}
	}
	return emf.AppendDocument(nil, &d)
}

// countUnselected counts metrics that should be extracted and have no dimension set. With declarations, it is for the user to
// choose.
func (x *translation) countUnselected(selections []selection, n int) {
	if len(selections) == 0 && len(x.t.declarations) == 0 && !x.t.cfg.DisableMetricExtraction {
		x.dropped[reasonNoDimensionSet] += int64(n)
	}
}
