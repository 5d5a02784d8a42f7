// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package definitions

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/dynblock"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// tfSchema is what a block of a resource may have, and what CloudFormation calls it. Values of "" are passed over.
type tfSchema struct {
	attributes map[string]string
	blocks     map[string]*tfSchema
	property   string // of a block
	single     bool   // there is at most one block
}

func (s *tfSchema) hcl() *hcl.BodySchema {
	out := &hcl.BodySchema{}
	for _, name := range sortedKeys(s.attributes) {
		out.Attributes = append(out.Attributes, hcl.AttributeSchema{Name: name})
	}
	for _, name := range sortedKeys(s.blocks) {
		out.Blocks = append(out.Blocks, hcl.BlockHeaderSchema{Type: name})
	}
	return out
}

var commonArguments = map[string]string{
	"alarm_name": "AlarmName", "alarm_description": "AlarmDescription", "actions_enabled": "ActionsEnabled",
	"alarm_actions": "AlarmActions", "ok_actions": "OKActions", "insufficient_data_actions": "InsufficientDataActions",
	"tags":  "Tags",
	"count": "", "for_each": "", "provider": "", "depends_on": "", "region": "",
}

func withCommon(more map[string]string) map[string]string {
	maps.Copy(more, commonArguments)
	return more
}

var lifecycleBlock = &tfSchema{attributes: map[string]string{
	"create_before_destroy": "", "prevent_destroy": "", "ignore_changes": "", "replace_triggered_by": "",
}}

var metricAlarmSchema = &tfSchema{
	attributes: withCommon(map[string]string{
		"comparison_operator": "ComparisonOperator", "evaluation_periods": "EvaluationPeriods", "metric_name": "MetricName",
		"namespace": "Namespace", "period": "Period", "statistic": "Statistic", "extended_statistic": "ExtendedStatistic",
		"threshold": "Threshold", "threshold_metric_id": "ThresholdMetricId", "datapoints_to_alarm": "DatapointsToAlarm",
		"dimensions": "Dimensions", "unit": "Unit", "treat_missing_data": "TreatMissingData",
		"evaluate_low_sample_count_percentiles": "EvaluateLowSampleCountPercentile", "evaluation_interval": "EvaluationInterval",
	}),
	blocks: map[string]*tfSchema{
		"metric_query": {
			property: "Metrics",
			attributes: map[string]string{
				"id": "Id", "expression": "Expression", "label": "Label", "period": "Period", "return_data": "ReturnData",
				"account_id": "AccountId",
			},
			blocks: map[string]*tfSchema{"metric": {
				property: "MetricStat", single: true,
				attributes: map[string]string{
					"metric_name": "MetricName", "namespace": "Namespace", "dimensions": "Dimensions", "period": "Period",
					"stat": "Stat", "unit": "Unit",
				},
			}},
		},
		"evaluation_criteria": {property: "EvaluationCriteria", single: true, blocks: map[string]*tfSchema{"promql_criteria": {
			property: "PromQLCriteria", single: true, attributes: map[string]string{
				"query": "Query", "pending_period": "PendingPeriod", "recovery_period": "RecoveryPeriod",
			},
		}}},
		"lifecycle": lifecycleBlock,
	},
}

var compositeAlarmSchema = &tfSchema{
	attributes: withCommon(map[string]string{"alarm_rule": "AlarmRule"}),
	blocks: map[string]*tfSchema{
		"actions_suppressor": {single: true, attributes: map[string]string{
			"alarm": "ActionsSuppressor", "wait_period": "ActionsSuppressorWaitPeriod",
			"extension_period": "ActionsSuppressorExtensionPeriod",
		}},
		"lifecycle": lifecycleBlock,
	},
}

// snakeCase is what Terraform calls a property.
func snakeCase(property string) string {
	for _, s := range []*tfSchema{metricAlarmSchema, compositeAlarmSchema, metricAlarmSchema.blocks["metric_query"], metricAlarmSchema.blocks["metric_query"].blocks["metric"]} {
		for name, p := range s.attributes {
			if p == property {
				return name
			}
		}
	}
	return property
}

// addAlarmResource reads the alarms of a resource, one per instance.
func (m *module) addAlarmResource(r *tfResource) {
	at := r.block.DefRange
	fail := func(message string) {
		m.l.problems.add(Problem{File: at.Filename, Line: at.Start.Line, Name: r.address, Message: message})
	}
	schema, typ := metricAlarmSchema, typeMetricAlarm
	switch r.typ {
	case "aws_cloudwatch_metric_alarm":
	case "aws_cloudwatch_composite_alarm":
		schema, typ = compositeAlarmSchema, typeCompositeAlarm
	default:
		fail("resources of type " + r.typ + " are not supported")
		return
	}
	m.tellInstances(r)
	if r.broken != cty.NilVal {
		fail(strings.Join(reasons(r.broken), "; "))
		return
	}
	for i := range r.instances {
		in := &r.instances[i]
		source := Source{File: at.Filename, Line: at.Start.Line, Format: FormatTerraform, Name: in.address}
		b := &tfAlarm{m: m, in: in, source: source}
		b.ctx = m.context(variablesOf(dynblock.WalkVariables(r.block.Body), schema), in)
		properties := b.body(dynblock.Expand(r.block.Body, b.ctx), schema, "", at.Start.Line)
		b.asProvider(properties, typ)
		m.l.addProperties(newDecoder(&m.l.problems, source, "", properties), typ, "")
	}
}

func variablesOf(n dynblock.WalkVariablesNode, s *tfSchema) []hcl.Traversal {
	if s == nil {
		return nil
	}
	vars, children := n.Visit(s.hcl())
	for _, child := range children {
		vars = append(vars, variablesOf(child.Node, s.blocks[child.BlockTypeName])...)
	}
	return vars
}

// tfAlarm makes the properties of one instance.
type tfAlarm struct {
	m      *module
	in     *tfInstance
	source Source
	ctx    *hcl.EvalContext
}

func (b *tfAlarm) fail(line int, path, message string) {
	b.m.l.problems.add(Problem{File: b.source.File, Line: line, Name: b.source.Name, Property: path, Message: message})
}

// body reads the arguments and blocks of a body under CloudFormation's names.
func (b *tfAlarm) body(body hcl.Body, s *tfSchema, path string, line int) *value {
	out := &value{kind: kindMap, line: line}
	content, diags := body.Content(s.hcl())
	for _, d := range diags {
		if d.Severity == hcl.DiagError {
			at := line
			if d.Subject != nil {
				at = d.Subject.Start.Line
			}
			b.fail(at, path, diagnosis(d))
		}
	}
	if content == nil {
		return out
	}
	attributes := make([]*hcl.Attribute, 0, len(content.Attributes))
	for _, a := range content.Attributes {
		attributes = append(attributes, a)
	}
	slices.SortFunc(attributes, func(x, y *hcl.Attribute) int { return x.NameRange.Start.Byte - y.NameRange.Start.Byte })
	for _, a := range attributes {
		b.argument(out, a, s.attributes[a.Name], path)
	}
	counts := map[string]int{}
	for _, block := range content.Blocks {
		b.block(out, block, s.blocks[block.Type], path, counts)
	}
	return out
}

func (b *tfAlarm) argument(out *value, a *hcl.Attribute, property, path string) {
	line := a.NameRange.Start.Line
	shown := strings.TrimPrefix(path+"."+a.Name, ".")
	switch a.Name {
	case "provider":
		b.m.l.note(b.source.File, line, "%s has a provider of its own, whose account and region are not looked at", b.source.Name)
		return
	case "count", "for_each", "depends_on", "create_before_destroy", "prevent_destroy", "ignore_changes", "replace_triggered_by":
		return
	}
	v, ok := b.told(a.Expr, line, shown)
	if !ok {
		out.fields = append(out.fields, field{key: property, shown: a.Name, line: line, value: &value{kind: kindUnknown, line: line}})
		return
	}
	if a.Name == "region" {
		if v.kind != kindNull && v.text != b.m.l.Region {
			b.fail(line, shown, "the alarm is of the region "+v.text+", and "+b.m.l.Region+" is read")
		}
		return
	}
	switch property {
	case "Dimensions":
		v = pairs(v, "Name")
	case "Tags":
		v = pairs(v, "Key")
	case "AlarmActions", "OKActions", "InsufficientDataActions":
		v = once(v)
	}
	out.fields = append(out.fields, field{key: property, shown: a.Name, line: line, value: v})
}

// told is the value of an expression, without anything unknown in it.
func (b *tfAlarm) told(expr hcl.Expression, line int, shown string) (*value, bool) {
	v, diags := expr.Value(b.ctx)
	if diags.HasErrors() {
		for _, d := range diags {
			if d.Severity == hcl.DiagError {
				b.fail(line, shown, diagnosis(d))
			}
		}
		return nil, false
	}
	if why := reasons(v); len(why) > 0 {
		b.fail(line, shown, strings.Join(why, "; "))
		return nil, false
	}
	v, _ = v.UnmarkDeep()
	if !v.IsWhollyKnown() {
		b.fail(line, shown, "is not known before a deployment")
		return nil, false
	}
	if tooLarge(v) {
		b.fail(line, shown, "is larger than "+strconv.Itoa(maxTerraformBytes)+" bytes")
		return nil, false
	}
	return fromCty(v, line), true
}

func (b *tfAlarm) block(out *value, block *hcl.Block, s *tfSchema, path string, counts map[string]int) {
	line := block.DefRange.Start.Line
	shown := block.Type
	if !s.single {
		shown += "[" + strconv.Itoa(counts[block.Type]) + "]"
	}
	counts[block.Type]++
	if s == lifecycleBlock {
		return
	}
	shown = strings.TrimPrefix(path+"."+shown, ".")
	if s.single && counts[block.Type] > 1 {
		b.fail(line, shown, "occurs twice")
		return
	}
	content := b.body(block.Body, s, shown, line)
	switch block.Type {
	case "actions_suppressor":
		for _, f := range content.fields {
			f.shown = "actions_suppressor." + f.name()
			out.fields = append(out.fields, f)
		}
		return
	case "metric":
		content = metricStatOf(content)
	}
	if s.single {
		out.fields = append(out.fields, field{key: s.property, shown: block.Type, line: line, value: content})
		return
	}
	for i := range out.fields {
		if out.fields[i].key == s.property {
			out.fields[i].value.list = append(out.fields[i].value.list, content)
			return
		}
	}
	out.fields = append(out.fields, field{key: s.property, shown: block.Type, line: line, value: listValue(line, content)})
}

// metricStatOf puts what names the metric into Metric, as CloudFormation has it.
func metricStatOf(v *value) *value {
	out, metric := &value{kind: kindMap, line: v.line}, &value{kind: kindMap, line: v.line}
	for _, f := range v.fields {
		switch f.key {
		case "MetricName", "Namespace", "Dimensions":
			metric.fields = append(metric.fields, f)
		default:
			out.fields = append(out.fields, f)
		}
	}
	out.fields = append(out.fields, field{key: "Metric", line: v.line, value: metric})
	return out
}

// asProvider does what the AWS provider does with arguments that are empty or missing.
func (b *tfAlarm) asProvider(v *value, typ string) {
	dropEmpty(v)
	if typ != typeMetricAlarm {
		b.addDefaultTags(v)
		return
	}
	add := func(to *value, key, shown string, content *value) {
		if to.get(key) == nil {
			to.fields = append(to.fields, field{key: key, shown: shown, line: v.line, value: content})
		}
	}
	add(v, "TreatMissingData", "treat_missing_data", stringValue(v.line, "missing"))
	if v.get("ThresholdMetricId") == nil && v.get("EvaluationCriteria") == nil {
		add(v, "Threshold", "threshold", &value{kind: kindNumber, line: v.line, text: "0"})
	}
	if queries := v.get("Metrics"); queries != nil {
		for _, q := range queries.list {
			add(q, "ReturnData", "return_data", &value{kind: kindBool, line: q.line, text: "false"})
		}
	}
	b.addDefaultTags(v)
}

// dropEmpty drops arguments that are null, "" or, for whole numbers, 0: the provider takes those for missing.
func dropEmpty(v *value) {
	for _, item := range v.list {
		dropEmpty(item)
	}
	kept := v.fields[:0]
	for _, f := range v.fields {
		empty := f.value.kind == kindNull || f.value.kind == kindString && f.value.text == "" && f.key != "Value" ||
			f.value.kind == kindList && len(f.value.list) == 0
		switch f.key {
		case "Period", "DatapointsToAlarm":
			empty = empty || f.value.text == "0"
		}
		if empty {
			continue
		}
		dropEmpty(f.value)
		kept = append(kept, f)
	}
	v.fields = kept
}

// addDefaultTags adds the default_tags of the provider that the alarm does not set itself.
func (b *tfAlarm) addDefaultTags(v *value) {
	for _, p := range b.m.providers {
		content, _, _ := p.Body.PartialContent(&hcl.BodySchema{
			Attributes: []hcl.AttributeSchema{{Name: "alias"}}, Blocks: []hcl.BlockHeaderSchema{{Type: "default_tags"}},
		})
		if content.Attributes["alias"] != nil {
			continue
		}
		for _, block := range content.Blocks {
			attributes, _ := block.Body.JustAttributes()
			a := attributes["tags"]
			if a == nil {
				continue
			}
			in := &tfAlarm{m: b.m, source: b.source, ctx: b.m.context(a.Expr.Variables(), nil)}
			tags, ok := in.told(a.Expr, b.source.Line, "default_tags.tags")
			if !ok {
				return
			}
			b.mergeTags(v, pairs(tags, "Key"))
		}
	}
}

func (b *tfAlarm) mergeTags(v, defaults *value) {
	own := v.get("Tags")
	if own == nil {
		own = listValue(v.line)
		v.fields = append(v.fields, field{key: "Tags", shown: "tags", line: v.line, value: own})
	}
	has := map[string]bool{}
	for _, tag := range own.list {
		if k := tag.get("Key"); k != nil {
			has[k.text] = true
		}
	}
	for _, tag := range defaults.list {
		if k := tag.get("Key"); k != nil && !has[k.text] {
			own.list = append(own.list, tag)
		}
	}
}

// pairs makes a list of {Name, Value} of a map.
func pairs(v *value, name string) *value {
	if v.kind != kindMap {
		return v
	}
	out := listValue(v.line)
	for _, f := range v.fields {
		out.list = append(out.list, &value{kind: kindMap, line: v.line, fields: []field{
			{key: name, line: v.line, value: stringValue(v.line, f.key)}, {key: "Value", line: v.line, value: f.value},
		}})
	}
	return out
}

// once drops what a list has twice: actions are a set.
func once(v *value) *value {
	seen := map[string]bool{}
	out := &value{kind: v.kind, line: v.line, text: v.text, fields: v.fields}
	for _, item := range v.list {
		if item.scalar() && seen[item.text] {
			continue
		}
		seen[item.text] = true
		out.list = append(out.list, item)
	}
	return out
}

// fromCty is a value of Terraform as a value of a document. It is known, and bounded.
func fromCty(v cty.Value, line int) *value {
	out := &value{line: line}
	if v.IsNull() {
		return out
	}
	switch t := v.Type(); {
	case t == cty.Bool:
		out.kind, out.text = kindBool, strconv.FormatBool(v.True())
	case t == cty.Number:
		out.kind = kindNumber
		text, err := convert.Convert(v, cty.String)
		if err == nil {
			out.text = text.AsString()
		}
	case t == cty.String:
		out.kind, out.text = kindString, v.AsString()
	case t.IsMapType() || t.IsObjectType():
		out.kind = kindMap
		for it := v.ElementIterator(); it.Next(); {
			key, item := it.Element()
			out.fields = append(out.fields, field{key: key.AsString(), line: line, value: fromCty(item, line)})
		}
	case t.IsListType() || t.IsSetType() || t.IsTupleType():
		out.kind = kindList
		for it := v.ElementIterator(); it.Next(); {
			_, item := it.Element()
			out.list = append(out.list, fromCty(item, line))
		}
	}
	return out
}
