// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsemfexporter

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// declaration is a MetricDeclaration made ready.
type declaration struct {
	sets     [][]string // each sorted, without duplicates
	names    []*regexp.Regexp
	matchers []labelMatcher
}

type labelMatcher struct {
	names     []string
	separator string
	regex     *regexp.Regexp
}

func compileDeclarations(list []MetricDeclaration) ([]declaration, error) {
	out := make([]declaration, len(list))
	for i, c := range list {
		d := &out[i]
		for _, set := range c.Dimensions {
			sorted := slices.Sorted(slices.Values(set))
			d.sets = appendSet(d.sets, slices.Compact(sorted))
		}
		for _, s := range c.MetricNameSelectors {
			r, err := regexp.Compile(s)
			if err != nil {
				return nil, fmt.Errorf("metric_declarations::%d: %w", i, err)
			}
			d.names = append(d.names, r)
		}
		for _, m := range c.LabelMatchers {
			r, err := regexp.Compile(m.Regex)
			if err != nil {
				return nil, fmt.Errorf("metric_declarations::%d: %w", i, err)
			}
			if m.Separator == "" {
				m.Separator = ";"
			}
			d.matchers = append(d.matchers, labelMatcher{m.LabelNames, m.Separator, r})
		}
	}
	return out, nil
}

func (d *declaration) matchesName(name string) bool {
	return slices.ContainsFunc(d.names, func(r *regexp.Regexp) bool { return r.MatchString(name) })
}

func (d *declaration) matchesLabels(o *origin) bool {
	if len(d.matchers) == 0 {
		return true
	}
	return slices.ContainsFunc(d.matchers, func(m labelMatcher) bool {
		values := make([]string, len(m.names))
		for i, n := range m.names {
			values[i], _ = o.label(n) // a label that is absent counts as empty
		}
		return m.regex.MatchString(strings.Join(values, m.separator))
	})
}

// dimensions are the declaration's sets of which the origin has every label.
func (t *translator) dimensions(d *declaration, o *origin) (sets [][]string) {
	for _, set := range d.sets {
		if !slices.ContainsFunc(set, func(name string) bool {
			_, ok := slices.BinarySearch(o.all, name)
			return !ok
		}) {
			sets = append(sets, set)
		}
	}
	return sets
}
