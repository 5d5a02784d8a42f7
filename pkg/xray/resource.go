// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package xray

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// scopeName is the instrumentation scope of spans made of documents.
const scopeName = "github.com/nephoscope/nephoscope/pkg/xray"

// resource finds or makes the resource that a document's spans belong to. Documents of the same program have
// the same text in the members that make it, so that comparing texts is enough.
//
// The resource repeats what the span's residual holds as well: processors may regroup, edit and add to
// resources without changing the documents.
func (c *converter) resource(m *members, h *head) ptrace.SpanSlice {
	t := c.tree
	key := c.key[:0]
	if !h.subsegment {
		key = append(key, h.name...)
	}
	for _, n := range [...]int32{m.origin, m.resourceARN, t.memberAt(m.service, "version")} {
		key = append(key, 0)
		if n != 0 {
			key = append(key, t.raw(n)...)
		}
	}
	if !h.subsegment && t.is(m.aws, kindObject) {
		for x := t.nodes[m.aws].child; x != 0; x = t.nodes[x].next {
			switch t.key(x) {
			case "ec2", "ecs", "eks", "elastic_beanstalk", "cloudwatch_logs", "xray":
				key = append(key, 0)
				key = append(key, t.src[t.nodes[x].keyStart:t.nodes[x].end]...)
			}
		}
	}
	if h.subsegment {
		key = append(key, 0, 's')
	}
	c.key = key
	if spans, ok := c.resources[string(key)]; ok {
		return spans
	}
	rs := c.td.ResourceSpans().AppendEmpty()
	ss := rs.ScopeSpans().AppendEmpty()
	ss.Scope().SetName(scopeName)
	c.fillResource(rs.Resource().Attributes(), m, h)
	if c.resources == nil {
		c.resources = make(map[string]ptrace.SpanSlice)
	}
	c.resources[string(key)] = ss.Spans()
	return ss.Spans()
}

func (c *converter) fillResource(a pcommon.Map, m *members, h *head) {
	t := c.tree
	a.EnsureCapacity(8)
	a.PutStr(attrCloudProvider, "aws")
	a.PutStr(attrCloudAccountID, c.account)
	a.PutStr(attrCloudRegion, c.region)
	origin, _ := t.strAt(m.origin)
	if platform := platformOf(origin); platform != "" {
		a.PutStr(attrCloudPlatform, platform)
	}
	c.resourceStr(a, attrResourceARN, m.resourceARN)
	if h.subsegment {
		return // whose it is only its segment knows
	}
	a.PutStr(attrServiceName, h.name)
	c.resourceStr(a, attrServiceVersion, t.memberAt(m.service, "version"))
	if !t.is(m.aws, kindObject) {
		return
	}
	if n := t.member(m.aws, "ec2"); n != 0 {
		c.resourceMembers(a, n, "instance_id", attrHostID, "instance_size", attrHostType, "ami_id", attrHostImageID,
			"availability_zone", attrCloudZone)
	}
	if n := t.member(m.aws, "elastic_beanstalk"); n != 0 {
		c.resourceMembers(a, n, "environment_name", attrServiceNS, "version_label", attrServiceVersion)
		if id := t.memberAt(n, "deployment_id"); t.is(id, kindNumber) {
			a.PutStr(attrServiceInstance, t.raw(id))
		}
	}
	if n := t.member(m.aws, "eks"); n != 0 {
		c.resourceMembers(a, n, "pod", attrPodName, "cluster_name", attrClusterName, "container_id", attrContainerID)
	}
	if n := t.member(m.aws, "ecs"); n != 0 {
		c.resourceMembers(a, n, "container", attrContainerName, "container_id", attrContainerID,
			"availability_zone", attrCloudZone, "container_arn", attrECSContainerARN, "task_arn", attrECSTaskARN,
			"task_family", attrECSTaskFamily, "cluster_arn", attrECSClusterARN, "launch_type", attrECSLaunchType)
	}
	if n := t.member(m.aws, "xray"); n != 0 {
		c.resourceMembers(a, n, "sdk", attrSDKName, "sdk_version", attrSDKVersion)
		// "X-Ray for Go", "aws-otel for Java": the language stands behind "for".
		if _, language, ok := strings.Cut(t.memberString(n, "sdk"), " for "); ok && language != "" {
			a.PutStr(attrSDKLanguage, strings.ToLower(language))
		}
	}
	if n := t.member(m.aws, "cloudwatch_logs"); t.is(n, kindArray) && t.nodes[n].child != 0 {
		c.logGroups(a, n)
	}
}

func (c *converter) logGroups(a pcommon.Map, n int32) {
	var names, arns []string
	for x := c.tree.nodes[n].child; x != 0; x = c.tree.nodes[x].next {
		if s := c.tree.memberString(x, "log_group"); s != "" {
			names = append(names, s)
		}
		if s := c.tree.memberString(x, "arn"); s != "" {
			arns = append(arns, s)
		}
	}
	putStrings(a, attrLogGroupNames, names)
	putStrings(a, attrLogGroupARNs, arns)
}

func putStrings(a pcommon.Map, attr string, values []string) {
	if len(values) == 0 {
		return
	}
	slice := a.PutEmptySlice(attr)
	slice.EnsureCapacity(len(values))
	for _, v := range values {
		slice.AppendEmpty().SetStr(v)
	}
}

// resourceMembers puts members of object n as attributes; pairs are member, attribute.
func (c *converter) resourceMembers(a pcommon.Map, n int32, pairs ...string) {
	for i := 0; i+1 < len(pairs); i += 2 {
		c.resourceStr(a, pairs[i+1], c.tree.memberAt(n, pairs[i]))
	}
}

func (c *converter) resourceStr(a pcommon.Map, attr string, n int32) {
	if s, ok := c.tree.strAt(n); ok && s != "" {
		a.PutStr(attr, s)
	}
}

// memberAt is member for an object that may be absent.
func (t *tree) memberAt(n int32, name string) int32 {
	if n == 0 {
		return 0
	}
	return t.member(n, name)
}

// Origins and the values of cloud.platform that say the same.
var platforms = [...]struct{ origin, platform string }{
	{"AWS::EC2::Instance", "aws_ec2"},
	{"AWS::ECS::Container", "aws_ecs"},
	{"AWS::ECS::EC2", "aws_ecs"},
	{"AWS::ECS::Fargate", "aws_ecs"},
	{"AWS::EKS::Container", "aws_eks"},
	{"AWS::ElasticBeanstalk::Environment", "aws_elastic_beanstalk"},
	{"AWS::AppRunner::Service", "aws_app_runner"},
	{"AWS::Lambda::Function", "aws_lambda"},
	{"AWS::Lambda", "aws_lambda"},
}

func platformOf(origin string) string {
	for _, p := range platforms {
		if p.origin == origin {
			return p.platform
		}
	}
	return ""
}
