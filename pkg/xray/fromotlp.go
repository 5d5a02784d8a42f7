// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package xray

import (
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// otlp makes documents of a span that never was one.
func (e *exporter) otlp(x *exportSpan) {
	s := x.span
	o := otlpSpan{span: s, a: s.Attributes(), r: x.resource, id: SpanID(s.SpanID()), parent: SpanID(s.ParentSpanID())}
	o.segment = s.Kind() == ptrace.SpanKindServer || o.parent.IsZero()
	dependency := s.Kind() == ptrace.SpanKindClient || s.Kind() == ptrace.SpanKindProducer || s.Kind() == ptrace.SpanKindConsumer
	o.dependency = dependency
	if dependency && stringOf(o.a, "aws.span.kind") == "LOCAL_ROOT" {
		// A service whose first span calls another one: a segment of the service, and the call in it.
		service := o
		service.id, service.segment, service.dependency, service.bare = o.id.derive("local root"), true, false, true
		w := docWriter{e: e, buf: e.buf[:0]}
		service.write(&w)
		e.finish(&w, x)
		o.parent, o.segment = service.id, false
	}
	w := docWriter{e: e, buf: e.buf[:0]}
	o.write(&w)
	e.finish(&w, x)
}

type otlpSpan struct {
	span       ptrace.Span
	a          pcommon.Map
	r          *exportResource
	id, parent SpanID
	segment    bool
	dependency bool
	bare       bool // the service's half of a local root: nothing of the call
	used       usedAttributes
}

// usedAttributes are those that some member of the document holds; all others are metadata.
type usedAttributes []string

// take reads the first of several attributes that is a string with text, and marks it as used.
func (o *otlpSpan) take(keys ...string) string {
	for _, k := range keys {
		if s := stringOf(o.a, k); s != "" {
			o.used = append(o.used, k)
			return s
		}
	}
	return ""
}

// takeInt is take for an integer.
func (o *otlpSpan) takeInt(keys ...string) (int64, bool) {
	for _, k := range keys {
		if v, ok := o.a.Get(k); ok && v.Type() == pcommon.ValueTypeInt {
			o.used = append(o.used, k)
			return v.Int(), true
		}
	}
	return 0, false
}

func (o *otlpSpan) write(w *docWriter) {
	s := o.span
	w.buf = append(w.buf, '{')
	w.str("name", o.name())
	w.spanID("id", o.id)
	w.traceID(TraceID(s.TraceID()))
	if !o.parent.IsZero() {
		w.spanID("parent_id", o.parent)
	}
	w.name("start_time")
	w.buf = appendSeconds(w.buf, int64(s.StartTimestamp()))
	if s.EndTimestamp() != 0 {
		w.name("end_time")
		w.buf = appendSeconds(w.buf, int64(s.EndTimestamp()))
	} else {
		w.bool("in_progress", true)
	}
	ns := ""
	if o.segment {
		if origin := o.origin(); origin != "" {
			w.str("origin", origin)
		}
		w.optional("resource_arn", stringOf(o.r.attributes, attrResourceARN))
	} else {
		w.str("type", "subsegment")
		switch {
		case o.isAWS():
			ns = "aws"
		case s.Kind() == ptrace.SpanKindClient || s.Kind() == ptrace.SpanKindProducer:
			ns = "remote"
		}
		w.optional("namespace", ns)
	}
	w.optional("user", o.take(attrUser, "user.id"))
	status := o.http(w)
	o.flags(w, status)
	o.aws(w, ns)
	if o.segment {
		o.service(w)
	}
	if !o.bare {
		if !o.segment {
			o.sql(w)
		}
		o.cause(w)
		w.links(s, &overlay{})
	}
	o.annotationsAndMetadata(w)
	w.buf = append(w.buf, '}')
}

// isAWS is true for a call by an AWS SDK.
func (o *otlpSpan) isAWS() bool {
	return stringOf(o.a, "rpc.system") == "aws-api" || stringOf(o.a, "rpc.system.name") == "aws-api" ||
		stringOf(o.a, attrAWSService) != ""
}

// name finds what the service or the thing it calls is called.
func (o *otlpSpan) name() string {
	kind := o.span.Kind()
	if !o.dependency {
		if kind == ptrace.SpanKindServer || stringOf(o.a, "aws.span.kind") == "LOCAL_ROOT" {
			if name := stringOf(o.a, "aws.local.service"); name != "" {
				return cleanName(name)
			}
		}
		if o.bare || kind == ptrace.SpanKindServer {
			if name := stringOf(o.r.attributes, attrServiceName); name != "" {
				return cleanName(name)
			}
		}
	} else if name := stringOf(o.a, "aws.remote.service"); name != "" {
		if o.isAWS() {
			name = strings.TrimPrefix(strings.TrimPrefix(name, "AWS.SDK."), "AWS::")
		}
		return cleanName(name)
	}
	if name := firstString(o.a, "peer.service", "service.peer.name"); name != "" {
		return cleanName(name)
	}
	if o.isAWS() {
		if name := firstString(o.a, attrAWSService, "rpc.service"); name != "" {
			return cleanName(name)
		}
	}
	if o.dependency {
		if db := firstString(o.a, attrDBNamespace, "db.name"); db != "" {
			if host := firstString(o.a, attrServerAddress, "net.peer.name"); host != "" {
				db += "@" + host
			}
			return cleanName(db)
		}
	}
	if o.segment {
		// A root that serves nobody is still the work of its service.
		if name := stringOf(o.r.attributes, attrServiceName); name != "" && !o.dependency {
			return cleanName(name)
		}
	}
	if o.dependency {
		if name := firstString(o.a, "rpc.service", "http.host", attrServerAddress, "net.peer.name"); name != "" {
			return cleanName(name)
		}
	}
	return cleanName(o.span.Name())
}

// origin is the AWS resource type that the service runs on.
func (o *otlpSpan) origin() string {
	r := o.r.attributes
	platform := stringOf(r, attrCloudPlatform)
	if platform == "aws_ecs" {
		switch strings.ToLower(stringOf(r, attrECSLaunchType)) {
		case "ec2":
			return "AWS::ECS::EC2"
		case "fargate":
			return "AWS::ECS::Fargate"
		}
		return "AWS::ECS::Container"
	}
	if platform == "aws_lambda" {
		return "AWS::Lambda::Function"
	}
	for _, p := range platforms {
		if p.platform == platform {
			return p.origin
		}
	}
	return ""
}

// http writes the request and the response and returns the status.
func (o *otlpSpan) http(w *docWriter) int64 {
	if o.bare {
		return 0
	}
	mark := w.open("http")
	m := w.open("request")
	w.optional("method", o.take(attrHTTPMethod, "http.method"))
	w.optional("url", o.url())
	w.optional("user_agent", o.take(attrUserAgent, "http.user_agent"))
	if o.span.Kind() == ptrace.SpanKindServer {
		peer := firstString(o.a, "network.peer.address", "net.peer.ip", "net.sock.peer.addr")
		if ip := o.take("http.client_ip", attrClientAddress); ip != "" {
			w.str("client_ip", ip)
			if ip != peer { // a proxy's word
				w.bool("x_forwarded_for", true)
			}
		} else {
			w.optional("client_ip", peer)
		}
	}
	w.close(m, false)
	m = w.open("response")
	status, ok := o.takeInt(attrHTTPStatus, "http.status_code")
	if ok {
		w.int("status", status)
	}
	if n, ok := o.takeInt(attrHTTPBodySize, "http.response_content_length"); ok {
		w.int("content_length", n)
	}
	w.close(m, false)
	w.close(mark, false)
	return status
}

func (o *otlpSpan) url() string {
	if u := o.take(attrURLFull, "http.url"); u != "" {
		return u
	}
	target := o.take("http.target")
	if target == "" {
		if path := o.take("url.path"); path != "" {
			target = path
			if q := o.take("url.query"); q != "" {
				target += "?" + q
			}
		}
	}
	if target == "" {
		return ""
	}
	host := stringOf(o.a, "http.host")
	if host == "" {
		if host = firstString(o.a, attrServerAddress, "net.host.name"); host != "" {
			port := intOf(o.a, attrServerPort, intOf(o.a, "net.host.port", 0))
			if port != 0 && port != 80 && port != 443 {
				host += ":" + strconv.FormatInt(port, 10)
			}
		}
	}
	if host == "" {
		return target
	}
	scheme := firstString(o.a, "url.scheme", "http.scheme")
	if scheme == "" {
		scheme = "http"
	}
	return scheme + "://" + host + target
}

func (o *otlpSpan) flags(w *docWriter, status int64) {
	fault, fail, throttle := false, false, false
	switch {
	case status >= 500 && status <= 599:
		fault = true
	case status >= 400 && status <= 499:
		fail, throttle = true, status == 429
	case o.span.Status().Code() == ptrace.StatusCodeError:
		fault = true
	}
	w.bool("fault", fault)
	w.bool("error", fail)
	w.bool("throttle", throttle)
}

func (o *otlpSpan) aws(w *docWriter, ns string) {
	mark := w.open("aws")
	r := o.r.attributes
	if ns == "aws" {
		w.optional("operation", o.take(attrAWSOperation, "rpc.method"))
		w.optional("region", o.take(attrAWSRegion))
	} else {
		w.optional("operation", o.take(attrAWSOperation))
		w.optional("region", o.take(attrAWSRegion))
	}
	w.optional("account_id", o.take(attrAWSAccountID))
	w.optional("request_id", o.take(attrAWSRequestID, "aws.requestId"))
	w.optional("queue_url", o.take(attrAWSQueueURL, "aws.queue.url", "aws.sqs.queue.url"))
	o.tables(w)
	if n, ok := o.takeInt(attrRetries); ok {
		w.int("retries", n)
	}
	if o.segment {
		platform := stringOf(r, attrCloudPlatform)
		if platform == "aws_ec2" {
			membersOf(w, r, "ec2", attrHostID, "instance_id", attrCloudZone, "availability_zone", attrHostType, "instance_size", attrHostImageID, "ami_id")
		}
		if platform == "aws_ecs" {
			membersOf(w, r, "ecs", attrContainerName, "container", attrContainerID, "container_id", attrECSContainerARN, "container_arn",
				attrECSTaskARN, "task_arn", attrECSTaskFamily, "task_family", attrECSClusterARN, "cluster_arn",
				attrECSLaunchType, "launch_type", attrCloudZone, "availability_zone")
		}
		if platform == "aws_eks" || stringOf(r, attrClusterName) != "" {
			membersOf(w, r, "eks", attrPodName, "pod", attrClusterName, "cluster_name", attrContainerID, "container_id")
		}
		if platform == "aws_elastic_beanstalk" {
			membersOf(w, r, "elastic_beanstalk", attrServiceNS, "environment_name", attrServiceVersion, "version_label")
		}
		o.logGroups(w)
		if sdk := stringOf(r, attrSDKName); sdk != "" {
			m := w.open("xray")
			if language := stringOf(r, attrSDKLanguage); language != "" {
				sdk += " for " + language
			}
			w.str("sdk", sdk)
			w.optional("sdk_version", stringOf(r, attrSDKVersion))
			w.close(m, false)
		}
	}
	w.close(mark, false)
}

func (o *otlpSpan) tables(w *docWriter) {
	if name := o.take(attrAWSTableName, "aws.table.name"); name != "" {
		w.str("table_name", name)
		return
	}
	v, ok := o.a.Get("aws.dynamodb.table_names")
	if !ok || v.Type() != pcommon.ValueTypeSlice || v.Slice().Len() == 0 {
		return
	}
	o.used = append(o.used, "aws.dynamodb.table_names")
	if v.Slice().Len() == 1 {
		w.str("table_name", v.Slice().At(0).AsString())
		return
	}
	w.name("table_names")
	w.value(v, 0)
}

func (o *otlpSpan) logGroups(w *docWriter) {
	names, ok := o.r.attributes.Get(attrLogGroupNames)
	arns, hasARNs := o.r.attributes.Get(attrLogGroupARNs)
	hasARNs = hasARNs && arns.Type() == pcommon.ValueTypeSlice
	if !ok || names.Type() != pcommon.ValueTypeSlice || names.Slice().Len() == 0 {
		return
	}
	w.name("cloudwatch_logs")
	w.buf = append(w.buf, '[')
	for i, v := range names.Slice().All() {
		w.buf = append(appendComma(w.buf), '{')
		w.str("log_group", v.AsString())
		if hasARNs && arns.Slice().Len() == names.Slice().Len() {
			w.str("arn", arns.Slice().At(i).AsString())
		}
		w.buf = append(w.buf, '}')
	}
	w.buf = append(w.buf, ']')
}

// membersOf writes an object of the attributes that there are; pairs are attribute, member.
func membersOf(w *docWriter, a pcommon.Map, name string, pairs ...string) {
	mark := w.open(name)
	for i := 0; i+1 < len(pairs); i += 2 {
		w.optional(pairs[i+1], stringOf(a, pairs[i]))
	}
	w.close(mark, false)
}

func (o *otlpSpan) service(w *docWriter) {
	mark := w.open("service")
	w.optional("version", stringOf(o.r.attributes, attrServiceVersion))
	w.optional("runtime", stringOf(o.r.attributes, "process.runtime.name"))
	w.optional("runtime_version", stringOf(o.r.attributes, "process.runtime.version"))
	w.close(mark, false)
}

// sql writes the query of databases that X-Ray knows as SQL.
func (o *otlpSpan) sql(w *docWriter) {
	system := firstString(o.a, attrDBSystem, "db.system")
	switch system {
	case "db2", "ibm.db2", "derby", "hive", "mariadb", "mssql", "microsoft.sql_server", "mysql", "oracle", "oracle.db", "postgresql", "sqlite",
		"teradata", "other_sql":
	default:
		return
	}
	mark := w.open("sql")
	address := stringOf(o.a, "db.connection_string")
	if address == "" {
		address = firstString(o.a, attrServerAddress, "net.peer.name")
	}
	if address == "" {
		address = "localhost"
	}
	if db := o.take(attrDBNamespace, "db.name"); db != "" {
		address += "/" + db
	}
	w.str("url", address)
	w.str("database_type", o.take(attrDBSystem, "db.system"))
	w.optional("sanitized_query", o.take(attrDBQuery, "db.statement"))
	w.optional("user", o.take(attrDBUser))
	w.close(mark, false)
}
