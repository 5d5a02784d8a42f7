// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsemfexporter

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/nephoscope/nephoscope/pkg/cloudwatchlogs"
)

// patternAttributes are what may stand in braces in the names of groups and streams, with the attribute that it stands
// for. An attribute of the pattern's own name counts first.
var patternAttributes = map[string]string{
	"ClusterName":          "aws.ecs.cluster.name",
	"TaskId":               "aws.ecs.task.id",
	"NodeName":             "k8s.node.name",
	"PodName":              "pod",
	"ServiceName":          "service.name",
	"ContainerInstanceId":  "aws.ecs.container.instance.id",
	"TaskDefinitionFamily": "aws.ecs.task.family",
	"InstanceId":           "service.instance.id",
	"FaasName":             "faas.name",
	"FaasVersion":          "faas.version",
}

// namePattern is text and patterns in turns: the text at even places, names of patterns at odd ones.
type namePattern []string

func parsePattern(s string) (namePattern, error) {
	var p namePattern
	for rest := s; ; {
		open := strings.IndexAny(rest, "{}")
		if open < 0 {
			return append(p, rest), nil
		}
		end := strings.IndexByte(rest[open:], '}')
		if rest[open] == '}' || end < 0 {
			return nil, fmt.Errorf("unbalanced braces in %q", s)
		}
		name := rest[open+1 : open+end]
		if _, ok := patternAttributes[name]; !ok {
			return nil, fmt.Errorf("unknown pattern {%s} in %q: there are %s", name, s,
				strings.Join(slices.Sorted(maps.Keys(patternAttributes)), ", "))
		}
		p = append(p, rest[:open], name)
		rest = rest[open+end+1:]
	}
}

// checkPattern is for the configuration: the text between patterns has to be allowed in a name.
func checkPattern(s string, group bool) error {
	p, err := parsePattern(s)
	if err != nil {
		return err
	}
	for i := 0; i < len(p); i += 2 {
		switch {
		case group && !cloudwatchlogs.GroupNameAlphabet(p[i]):
			return fmt.Errorf("a log group's name has letters, digits and ./_-# only, got %q", s)
		case !group && strings.ContainsAny(p[i], ":*"):
			return fmt.Errorf("a log stream's name has neither : nor *, got %q", s)
		}
	}
	return nil
}

// expand replaces the patterns. A pattern that no look-up knows becomes cloudwatchlogs.Undefined.
func (p namePattern) expand(clean func(string) string, lookups ...func(name string) (string, bool)) string {
	if len(p) == 1 {
		return p[0]
	}
	var b strings.Builder
	for i, part := range p {
		if i%2 == 0 {
			b.WriteString(part)
			continue
		}
		b.WriteString(clean(resolve(part, lookups)))
	}
	return b.String()
}

func resolve(pattern string, lookups []func(string) (string, bool)) string {
	for _, lookup := range lookups {
		if v, ok := lookup(pattern); ok {
			if v != "" {
				return v
			}
			continue
		}
		if v, ok := lookup(patternAttributes[pattern]); ok && v != "" {
			return v
		}
	}
	return cloudwatchlogs.Undefined
}

// static reports whether the pattern is text only.
func (p namePattern) static() bool { return len(p) == 1 }

// cleanGroup makes text that may stand in the name of a log group: what may not becomes an underscore.
func cleanGroup(s string) string {
	if cloudwatchlogs.GroupNameAlphabet(s) {
		return s
	}
	return strings.Map(func(r rune) rune {
		if cloudwatchlogs.GroupNameAlphabet(string(r)) {
			return r
		}
		return '_'
	}, s)
}

// cleanStream does it for the name of a log stream.
func cleanStream(s string) string {
	return strings.NewReplacer(":", "_", "*", "_").Replace(s)
}

// cutName bounds a name.
func cutName(s string) string {
	if len(s) <= cloudwatchlogs.MaxNameLength {
		return s
	}
	n := 0
	for i := range s {
		if n == cloudwatchlogs.MaxNameLength {
			return s[:i]
		}
		n++
	}
	return s
}
