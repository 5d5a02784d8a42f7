// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package definitions

import (
	"bytes"
	"strconv"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/nephoscope/nephoscope/pkg/alarm"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// Marshal writes the alarms and mute rules of a set in the native form. What it writes reads as the same definitions.
func Marshal(set *Set) ([]byte, error) {
	root := newMap()
	if len(set.Alarms) > 0 {
		list := &yaml.Node{Kind: yaml.SequenceNode}
		for i := range set.Alarms {
			list.Content = append(list.Content, marshalAlarm(set.Alarms[i].Alarm).node)
		}
		root.node.Content = append(root.node.Content, textNode("Alarms"), list)
	}
	if len(set.MuteRules) > 0 {
		list := &yaml.Node{Kind: yaml.SequenceNode}
		for i := range set.MuteRules {
			list.Content = append(list.Content, marshalMuteRule(set.MuteRules[i].Rule).node)
		}
		root.node.Content = append(root.node.Content, textNode("MuteRules"), list)
	}
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(root.node); err != nil {
		return nil, err
	}
	return b.Bytes(), enc.Close()
}

// mapNode is a map that is being written. What is not given is left out.
type mapNode struct{ node *yaml.Node }

func newMap() mapNode { return mapNode{&yaml.Node{Kind: yaml.MappingNode}} }

func textNode(s string) *yaml.Node {
	n := &yaml.Node{}
	n.SetString(s)
	return n
}

func (m mapNode) add(key string, v *yaml.Node) {
	m.node.Content = append(m.node.Content, textNode(key), v)
}

func (m mapNode) text(key, s string) {
	if s != "" {
		m.add(key, textNode(s))
	}
}

func (m mapNode) optional(key string, s *string) {
	if s != nil {
		m.add(key, textNode(*s))
	}
}

func (m mapNode) integer(key string, n int32) {
	if n != 0 {
		m.add(key, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: strconv.Itoa(int(n))})
	}
}

func (m mapNode) boolean(key string, b *bool) {
	if b != nil {
		m.add(key, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: strconv.FormatBool(*b)})
	}
}

func (m mapNode) texts(key string, list []string) {
	if len(list) == 0 {
		return
	}
	n := &yaml.Node{Kind: yaml.SequenceNode}
	for _, s := range list {
		n.Content = append(n.Content, textNode(s))
	}
	m.add(key, n)
}

func (m mapNode) instant(key string, t *time.Time) {
	if t != nil {
		m.add(key, textNode(t.UTC().Format(time.RFC3339Nano)))
	}
}

func (m mapNode) pairs(key, name string, n int, pair func(int) (string, string)) {
	if n == 0 {
		return
	}
	list := &yaml.Node{Kind: yaml.SequenceNode}
	for i := range n {
		item := newMap()
		k, v := pair(i)
		item.add(name, textNode(k))
		item.add("Value", textNode(v))
		list.Content = append(list.Content, item.node)
	}
	m.add(key, list)
}

func (m mapNode) dimensions(dims []cloudwatch.Dimension) {
	m.pairs("Dimensions", "Name", len(dims), func(i int) (string, string) { return dims[i].Name, dims[i].Value })
}

func (m mapNode) tags(tags []alarm.Tag) {
	m.pairs("Tags", "Key", len(tags), func(i int) (string, string) { return tags[i].Key, tags[i].Value })
}

func marshalAlarm(a *alarm.Definition) mapNode {
	m := newMap()
	m.text("AlarmName", a.Name)
	m.optional("AlarmDescription", a.Description)
	if a.Composite != nil {
		c := a.Composite
		m.text("AlarmRule", c.Rule)
		m.text("ActionsSuppressor", c.ActionsSuppressor)
		for _, p := range []struct {
			key   string
			value *int32
		}{{"ActionsSuppressorWaitPeriod", c.WaitPeriod}, {"ActionsSuppressorExtensionPeriod", c.ExtensionPeriod}} {
			if p.value != nil {
				m.add(p.key, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: strconv.Itoa(int(*p.value))})
			}
		}
	}
	if a.Metric != nil {
		m.metric(a.Metric)
	}
	if !a.ActionsEnabled {
		m.boolean("ActionsEnabled", &a.ActionsEnabled)
	}
	m.texts("AlarmActions", a.AlarmActions)
	m.texts("OKActions", a.OKActions)
	m.texts("InsufficientDataActions", a.InsufficientDataActions)
	m.tags(a.Tags)
	return m
}

func (m mapNode) metric(a *alarm.MetricAlarm) {
	m.text("Namespace", a.Namespace)
	m.text("MetricName", a.MetricName)
	m.dimensions(a.Dimensions)
	m.text("Statistic", a.Statistic)
	m.text("ExtendedStatistic", a.ExtendedStatistic)
	m.integer("Period", a.Period)
	m.text("Unit", a.Unit)
	if len(a.Metrics) > 0 {
		list := &yaml.Node{Kind: yaml.SequenceNode}
		for i := range a.Metrics {
			list.Content = append(list.Content, marshalQuery(&a.Metrics[i]).node)
		}
		m.add("Metrics", list)
	}
	m.integer("EvaluationPeriods", a.EvaluationPeriods)
	m.integer("DatapointsToAlarm", a.DatapointsToAlarm)
	if a.Threshold != nil {
		m.add("Threshold", &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!float", Value: strconv.FormatFloat(*a.Threshold, 'g', -1, 64)})
	}
	m.text("ThresholdMetricId", a.ThresholdMetricID)
	m.text("ComparisonOperator", string(a.ComparisonOperator))
	m.text("TreatMissingData", string(a.TreatMissingData))
	m.text("EvaluateLowSampleCountPercentile", a.EvaluateLowSampleCountPercentile)
	window := newMap()
	switch {
	case a.WallClock != nil:
		clock := newMap()
		clock.text("Timezone", a.WallClock.Timezone)
		window.add("WallClockWindow", clock.node)
	case a.SlidingWindow:
		window.add("SlidingWindow", newMap().node)
	default:
		return
	}
	m.add("EvaluationWindow", window.node)
}

func marshalQuery(q *alarm.Query) mapNode {
	m := newMap()
	m.text("Id", q.ID)
	m.text("Expression", q.Expression)
	if s := q.Metric; s != nil {
		metric, stat := newMap(), newMap()
		metric.text("Namespace", s.Namespace)
		metric.text("MetricName", s.MetricName)
		metric.dimensions(s.Dimensions)
		stat.add("Metric", metric.node)
		stat.integer("Period", s.Period)
		stat.text("Stat", s.Stat)
		stat.text("Unit", s.Unit)
		m.add("MetricStat", stat.node)
	}
	m.optional("Label", q.Label)
	m.integer("Period", q.Period)
	m.boolean("ReturnData", q.ReturnData)
	m.text("AccountId", q.AccountID)
	return m
}

func marshalMuteRule(r *alarm.MuteRule) mapNode {
	m, schedule, rule, targets := newMap(), newMap(), newMap(), newMap()
	m.text("Name", r.Name)
	m.optional("Description", r.Description)
	schedule.text("Expression", r.Expression)
	schedule.text("Duration", r.Duration)
	schedule.text("Timezone", r.Timezone)
	rule.add("Schedule", schedule.node)
	m.add("Rule", rule.node)
	targets.texts("AlarmNames", r.AlarmNames)
	m.add("MuteTargets", targets.node)
	m.instant("StartDate", r.StartDate)
	m.instant("ExpireDate", r.ExpireDate)
	m.tags(r.Tags)
	return m
}
