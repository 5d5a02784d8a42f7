// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package definitions

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// kindOfTFResource is how resources of a type are called in AWS.
type kindOfTFResource struct {
	// name is the attribute of the resource's name.
	name string
	// service and path make the ARN: the name follows the path. Without a service there is no ARN to tell.
	service, path       string
	global, accountless bool
	// idARN is set when the id is the ARN, not the name.
	idARN bool
	// id is false for resources whose id only a deployment knows.
	noID bool
}

// kindsOfTFResources are what actions and dimensions of alarms refer to.
var kindsOfTFResources = map[string]kindOfTFResource{
	"aws_sns_topic":                        {name: "name", service: "sns", idARN: true},
	"aws_sqs_queue":                        {name: "name", service: "sqs", noID: true},
	"aws_lambda_function":                  {name: "function_name", service: "lambda", path: "function:"},
	"aws_dynamodb_table":                   {name: "name", service: "dynamodb", path: "table/"},
	"aws_kinesis_stream":                   {name: "name", service: "kinesis", path: "stream/", idARN: true},
	"aws_kinesis_firehose_delivery_stream": {name: "name", service: "firehose", path: "deliverystream/", idARN: true},
	"aws_cloudwatch_log_group":             {name: "name", service: "logs", path: "log-group:"},
	"aws_s3_bucket":                        {name: "bucket", service: "s3", accountless: true},
	"aws_sfn_state_machine":                {name: "name", service: "states", path: "stateMachine:", idARN: true},
	"aws_ecs_cluster":                      {name: "name", service: "ecs", path: "cluster/", idARN: true},
	"aws_ecs_service":                      {name: "name", noID: true},
	"aws_db_instance":                      {name: "identifier", service: "rds", path: "db:", noID: true},
	"aws_rds_cluster":                      {name: "cluster_identifier", service: "rds", path: "cluster:"},
	"aws_elasticache_cluster":              {name: "cluster_id", service: "elasticache", path: "cluster:"},
	"aws_autoscaling_group":                {name: "name"},
	"aws_autoscaling_policy":               {name: "name", service: "autoscaling", path: "scalingPolicy:" + zeroUUID + ":autoScalingGroupName/module:policyName/"},
	"aws_appautoscaling_policy":            {name: "name", service: "autoscaling", path: "scalingPolicy:" + zeroUUID + ":resource/module:policyName/"},
	"aws_cloudwatch_event_rule":            {name: "name", service: "events", path: "rule/"},
	"aws_ssmincidents_response_plan":       {name: "name", service: "ssm-incidents", path: "response-plan/", global: true, idARN: true},
	"aws_cloudwatch_metric_alarm":          {name: "alarm_name", service: "cloudwatch", path: "alarm:"},
	"aws_cloudwatch_composite_alarm":       {name: "alarm_name", service: "cloudwatch", path: "alarm:"},
}

func (l *loader) tfARN(k *kindOfTFResource, name string) string {
	switch {
	case k.accountless:
		return "arn:" + l.Partition + ":" + k.service + ":::" + k.path + name
	case k.global:
		return "arn:" + l.Partition + ":" + k.service + "::" + l.Account + ":" + k.path + name
	}
	return l.arn(k.service, k.path+name)
}

// metaArguments of resources that say how many instances there are.
var metaSchema = &hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: "count"}, {Name: "for_each"}}}

// tellInstances tells the instances of a resource. broken is set when they cannot be told.
func (m *module) tellInstances(r *tfResource) {
	if r.told {
		return
	}
	r.told, r.keyed, r.broken = true, cty.DynamicPseudoType, cty.NilVal
	content, _, _ := r.block.Body.PartialContent(metaSchema)
	count, each := content.Attributes["count"], content.Attributes["for_each"]
	switch {
	case count != nil && each != nil:
		r.broken = cannotTell("%s has both count and for_each", r.address)
	case count != nil:
		r.keyed = cty.Number
		m.countInstances(r, count)
	case each != nil:
		r.keyed = cty.String
		m.eachInstances(r, each)
	default:
		r.instances = []tfInstance{{address: r.address}}
	}
}

func (m *module) countInstances(r *tfResource, a *hcl.Attribute) {
	v := m.tell(r.address+".count", func() cty.Value { return m.evalQuietly(r.address+".count", a.Expr, nil) })
	if why := reasons(v); len(why) > 0 {
		r.broken = cannotTell("%s", strings.Join(why, "; "))
		return
	}
	v, _ = v.Unmark()
	if !v.IsKnown() || v.IsNull() || v.Type() != cty.Number {
		r.broken = cannotTell("count of %s is not a number", r.address)
		return
	}
	n, _ := v.AsBigFloat().Int64()
	if n < 0 || n > maxInstances || !v.AsBigFloat().IsInt() {
		r.broken = cannotTell("count of %s must be a whole number up to %d", r.address, maxInstances)
		return
	}
	for i := range n {
		r.instances = append(r.instances, tfInstance{
			address: fmt.Sprintf("%s[%d]", r.address, i),
			vars:    map[string]cty.Value{"count": cty.ObjectVal(map[string]cty.Value{"index": cty.NumberIntVal(i)})},
		})
	}
}

func (m *module) eachInstances(r *tfResource, a *hcl.Attribute) {
	v := m.tell(r.address+".for_each", func() cty.Value { return m.evalQuietly(r.address+".for_each", a.Expr, nil) })
	shallow, _ := v.Unmark()
	switch t := shallow.Type(); {
	case !shallow.IsKnown():
		why := strings.Join(reasons(v), "; ")
		if why == "" {
			why = "for_each of " + r.address + " is not known"
		}
		r.broken = cannotTell("%s", why)
		return
	case shallow.IsNull(), !t.IsMapType() && !t.IsObjectType() && (!t.IsSetType() || t.ElementType() != cty.String):
		r.broken = cannotTell("for_each of %s must be a map, or a set of strings", r.address)
		return
	case shallow.LengthInt() > maxInstances:
		r.broken = cannotTell("for_each of %s has more than %d items", r.address, maxInstances)
		return
	}
	isSet := shallow.Type().IsSetType()
	for it := shallow.ElementIterator(); it.Next(); {
		key, item := it.Element()
		if isSet {
			key = item
		}
		key, _ = key.Unmark()
		if !key.IsKnown() || key.IsNull() {
			r.broken = cannotTell("for_each of %s has a key that is not known", r.address)
			return
		}
		r.instances = append(r.instances, tfInstance{
			address: fmt.Sprintf("%s[%q]", r.address, key.AsString()), key: key.AsString(),
			vars: map[string]cty.Value{"each": cty.ObjectVal(map[string]cty.Value{"key": key, "value": item})},
		})
	}
}

// resourceValue is what type.name stands for in an expression that uses the attributes; "" among them is all.
func (m *module) resourceValue(typ, name string, attributes map[string]bool) cty.Value {
	address := typ + "." + name
	r := m.resources[address]
	if r == nil {
		return m.undeclared(typ, name, attributes)
	}
	m.tellInstances(r)
	if r.broken != cty.NilVal {
		return r.broken
	}
	values := make([]cty.Value, len(r.instances))
	byKey := make(map[string]cty.Value, len(r.instances))
	for i := range r.instances {
		values[i] = m.instanceValue(r, &r.instances[i], attributes)
		byKey[r.instances[i].key] = values[i]
	}
	switch r.keyed {
	case cty.Number:
		return cty.TupleVal(values)
	case cty.String:
		return cty.ObjectVal(byKey)
	}
	return values[0]
}

func (m *module) instanceValue(r *tfResource, in *tfInstance, attributes map[string]bool) cty.Value {
	written, _ := r.block.Body.JustAttributes() // blocks are no attributes, and no matter here
	names := []string{}
	for name := range attributes {
		if name != "" {
			names = append(names, name)
		}
	}
	if attributes[""] {
		names = append(names, "arn", "id", "name")
		for name := range written {
			names = append(names, name)
		}
	}
	out := map[string]cty.Value{}
	for _, name := range names {
		out[name] = m.tell(in.address+"."+name, func() cty.Value { return m.attribute(r, in, written, name) })
	}
	return cty.ObjectVal(out)
}

// attribute is an attribute of a resource: as it is written, or as AWS would make it.
func (m *module) attribute(r *tfResource, in *tfInstance, written hcl.Attributes, name string) cty.Value {
	reference := in.address + "." + name
	if text, ok := m.l.Values[reference]; ok {
		return cty.StringVal(text)
	}
	if a := written[name]; a != nil {
		return m.evalQuietly(reference, a.Expr, in)
	}
	if v, ok := m.wellKnownData(r.typ, name); ok && r.data {
		return v
	}
	k, known := kindsOfTFResources[r.typ]
	if known && (name == k.name || name == "arn" && k.service != "" || name == "id" && !k.noID) {
		own := cty.StringVal(r.name)
		if a := written[k.name]; a != nil {
			own = m.tell(in.address+"."+k.name, func() cty.Value { return m.attribute(r, in, written, k.name) })
		}
		return m.computed(&k, name, own)
	}
	return cannotTell("%s is known after a deployment only: give a value for it", reference)
}

// computed makes an attribute of the name of a resource.
func (m *module) computed(k *kindOfTFResource, attribute string, own cty.Value) cty.Value {
	if attribute == k.name || attribute == "id" && !k.idARN {
		return own
	}
	plain, marks := own.Unmark()
	if !plain.IsKnown() || plain.IsNull() || plain.Type() != cty.String {
		return cty.UnknownVal(cty.String).WithMarks(marks)
	}
	return cty.StringVal(m.l.tfARN(k, plain.AsString())).WithMarks(marks)
}

// wellKnownData are the data sources about whose the alarms are.
func (m *module) wellKnownData(typ, attribute string) (cty.Value, bool) {
	l := m.l
	text, ok := map[string]string{
		"aws_caller_identity.account_id": l.Account,
		"aws_caller_identity.id":         l.Account,
		"aws_region.name":                l.Region,
		"aws_region.id":                  l.Region,
		"aws_region.region":              l.Region,
		"aws_partition.partition":        l.Partition,
		"aws_partition.id":               l.Partition,
		"aws_partition.dns_suffix":       map[bool]string{true: "amazonaws.com.cn", false: "amazonaws.com"}[l.Partition == "aws-cn"],
	}[typ+"."+attribute]
	return cty.StringVal(text), ok
}

// undeclared is a reference to a resource that no file declares: another file of the module may.
func (m *module) undeclared(typ, name string, attributes map[string]bool) cty.Value {
	plain, isData := strings.CutPrefix(typ, "data.")
	out := map[string]cty.Value{}
	for _, attribute := range sortedKeys(attributes) {
		reference := typ + "." + name + "." + attribute
		text, given := m.l.Values[reference]
		k, known := kindsOfTFResources[plain]
		switch {
		case given:
			out[attribute] = cty.StringVal(text)
		case attribute == "" || isData || !known || strings.HasSuffix(plain, "_alarm") ||
			!slices.Contains([]string{"arn", "id", k.name}, attribute) || attribute == "arn" && k.service == "" || attribute == "id" && k.noID:
			return cannotTell("%s is not declared in these files", strings.TrimSuffix(reference, "."))
		default:
			m.l.note(m.dir, 0, "%s.%s is not declared in these files, and is taken to have the name %q", typ, name, name)
			out[attribute] = m.computed(&k, attribute, cty.StringVal(name))
		}
	}
	return cty.ObjectVal(out)
}
