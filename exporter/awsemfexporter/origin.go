// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsemfexporter

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// resource is what documents have from a resource and, later, a scope.
type resource struct {
	attributes pcommon.Map
	namespace  string
	group      string
	stream     string
	scope      string
	prometheus bool
	// unresolved says that the names depend on the labels of points.
	unresolved bool
}

func (t *translator) resource(attrs pcommon.Map) resource {
	r := resource{attributes: attrs, namespace: t.cfg.Namespace}
	if r.namespace == "" {
		r.namespace = serviceNamespace(attrs)
	}
	if v, ok := attrs.Get("receiver"); ok {
		r.prometheus = v.AsString() == "prometheus"
	}
	if t.group.static() && t.stream.static() {
		r.group, r.stream = t.group[0], t.stream[0]
	} else {
		r.group, r.stream = t.place(lookupIn(attrs))
		// A pattern that the resource does not resolve is looked for in the labels.
		r.unresolved = strings.Contains(r.group, undefined) || strings.Contains(r.stream, undefined)
	}
	if t.cfg.LogStreamName == "" {
		r.stream = t.defaultStream
	}
	return r
}

const undefined = "undefined"

func (t *translator) place(lookups ...func(string) (string, bool)) (group, stream string) {
	return cutName(t.group.expand(cleanGroup, lookups...)), cutName(t.stream.expand(cleanStream, lookups...))
}

func lookupIn(attrs pcommon.Map) func(string) (string, bool) {
	return func(name string) (string, bool) {
		v, ok := attrs.Get(name)
		if !ok {
			return "", false
		}
		return v.AsString(), true
	}
}

// serviceNamespace is the namespace of a resource: that and the name of its service, as far as it has them.
func serviceNamespace(attrs pcommon.Map) string {
	var parts []string
	for _, name := range []string{"service.namespace", "service.name"} {
		if v, ok := attrs.Get(name); ok && v.AsString() != "" {
			parts = append(parts, v.AsString())
		}
	}
	if len(parts) == 0 {
		return defaultNamespace
	}
	return strings.Join(parts, "/")
}

// origin returns the key of a point's origin, which it makes when it is new.
func (x *translation) origin(r *resource, prometheusType string, attrs pcommon.Map) string {
	x.labels = x.labels[:0]
	for name, v := range attrs.All() {
		x.labels = append(x.labels, label{name, v.AsString()})
	}
	if r.scope != "" {
		x.setLabel(labelScope, r.scope)
	}
	if x.t.cfg.EKSFargateContainerInsightsEnabled {
		if text, ok := kubernetes(x.get); ok {
			x.setLabel(labelKubernetes, text)
		}
	}
	slices.SortFunc(x.labels, func(a, b label) int { return strings.Compare(a.name, b.name) })
	group, stream := r.group, r.stream
	if r.unresolved {
		group, stream = x.t.place(lookupIn(r.attributes), func(name string) (string, bool) {
			v := x.get(name)
			return v, v != ""
		})
		if x.t.cfg.LogStreamName == "" {
			stream = r.stream
		}
		if x.t.cfg.LogGroupName == "" {
			group = r.group
		}
	}

	x.key = x.key[:0]
	for _, s := range []string{r.namespace, group, stream, prometheusType} {
		x.appendKey(s)
	}
	for _, l := range x.labels {
		x.appendKey(l.name)
		x.appendKey(l.value)
	}
	sum := sha256.Sum256(x.key)
	var text [32]byte
	hex.Encode(text[:], sum[:16])
	if _, ok := x.origins[string(text[:])]; ok {
		return string(text[:])
	}
	key := string(text[:])
	x.origins[key] = x.t.newOrigin(&origin{
		namespace: r.namespace, group: group, stream: stream, prometheusType: prometheusType, labels: slices.Clone(x.labels),
	})
	return key
}

func (x *translation) appendKey(s string) {
	x.key = binary.AppendUvarint(x.key, uint64(len(s)))
	x.key = append(x.key, s...)
}

func (x *translation) get(name string) string {
	for _, l := range x.labels {
		if l.name == name {
			return l.value
		}
	}
	return ""
}

func (x *translation) setLabel(name, value string) {
	for i := range x.labels {
		if x.labels[i].name == name {
			x.labels[i].value = value
			return
		}
	}
	x.labels = append(x.labels, label{name, value})
}

// newOrigin finds what keeps it from being written.
func (t *translator) newOrigin(o *origin) *origin {
	switch {
	case !cloudwatch.ValidNamespace(o.namespace, cloudwatch.CharsetUnicode):
		o.problem = string(cloudwatch.ReasonInvalidNamespace)
	case strings.HasPrefix(o.namespace, reservedNamespace):
		o.problem = reasonReservedNamespace
	case slices.ContainsFunc(o.labels, func(l label) bool { return t.layout.Reserved(l.name) }):
		o.problem = reasonReservedName
	}
	return o
}
