// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsemfexporter

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
	"github.com/nephoscope/nephoscope/pkg/emf"
)

// Labels that are made here.
const (
	labelScope          = "OTelLib"
	labelKubernetes     = "kubernetes"
	labelPrometheusType = "prom_metric_type"
	memberVersion       = "Version"
)

// label is a member of documents that says what was measured. Those of a point are sorted by name.
type label struct {
	name, value string
}

// origin is what documents have from the resource, the scope and the attributes of points.
type origin struct {
	namespace, group, stream string
	labels                   []label
	prometheusType           string
	// problem is why nothing of it can be written; "" when it can.
	problem string

	// Made when the first document is written.
	written    bool
	properties []emf.Property
	rollups    [][]string
	all        []string // the set of all labels, sorted
	noAll      bool     // there cannot be such a set
	declared   []int    // declarations that its labels match
}

func (o *origin) label(name string) (string, bool) {
	i, ok := slices.BinarySearchFunc(o.labels, name, func(l label, n string) int { return strings.Compare(l.name, n) })
	if !ok {
		return "", false
	}
	return o.labels[i].value, true
}

// usable reports whether a label can be a dimension. Its value has to be a string in the document.
func (t *translator) usable(l label) bool {
	return !t.json[l.name] && cloudwatch.ValidDimensionName(l.name, cloudwatch.CharsetUnicode) &&
		cloudwatch.ValidDimensionValue(l.value, cloudwatch.CharsetUnicode)
}

// write makes what all documents of the origin share.
func (t *translator) write(o *origin) {
	if o.written {
		return
	}
	o.written = true
	o.properties = make([]emf.Property, 0, len(o.labels)+2)
	var names []string // without the scope's
	var zero []string
	for _, l := range o.labels {
		p := emf.Property{Name: l.name, Value: l.value}
		if t.json[l.name] {
			if text, ok := compactJSON(l.value); ok {
				p.Value, p.JSON = text, true
			}
		}
		o.properties = append(o.properties, p)
		switch {
		case t.usable(l):
			o.all = append(o.all, l.name)
			if l.name == labelScope {
				zero = []string{labelScope}
			} else {
				names = append(names, l.name)
			}
		case l.value != "" && !t.json[l.name]:
			o.noAll = true // leaving out what identifies the series would mix it with others
		}
	}
	o.noAll = o.noAll || len(o.all) > cloudwatch.MaxDimensions
	if o.prometheusType != "" {
		o.properties = setProperty(o.properties, labelPrometheusType, o.prometheusType)
	}
	if t.layout == emf.LayoutAWS {
		if _, taken := o.label(memberVersion); !taken {
			o.properties = append(o.properties, emf.Property{Name: memberVersion, Value: versionCurrent})
		}
	}
	o.rollups = t.rollUp(zero, names)
	for i := range t.declarations {
		if t.declarations[i].matchesLabels(o) {
			o.declared = append(o.declared, i)
		}
	}
}

// rollUp makes the additional dimension sets.
func (t *translator) rollUp(zero, names []string) (sets [][]string) {
	option := t.cfg.DimensionRollupOption
	if option == rollupZeroAndSingle && len(names) > 0 {
		sets = append(sets, append([]string{}, zero...))
	}
	if option == rollupNone {
		return nil
	}
	for _, name := range names {
		set := append(append(make([]string, 0, len(zero)+1), zero...), name)
		slices.Sort(set)
		sets = append(sets, set)
	}
	return sets
}

func setProperty(list []emf.Property, name, value string) []emf.Property {
	for i := range list {
		if list[i].Name == name {
			list[i] = emf.Property{Name: name, Value: value}
			return list
		}
	}
	return append(list, emf.Property{Name: name, Value: value})
}

// compactJSON returns the JSON without white space, so that a document stays on one line.
func compactJSON(s string) (string, bool) {
	var b bytes.Buffer
	if json.Compact(&b, []byte(s)) != nil {
		return "", false
	}
	return b.String(), true
}

// appendSet adds a set unless it is there.
func appendSet(sets [][]string, set []string) [][]string {
	if slices.ContainsFunc(sets, func(s []string) bool { return slices.Equal(s, set) }) {
		return sets
	}
	return append(sets, set)
}
