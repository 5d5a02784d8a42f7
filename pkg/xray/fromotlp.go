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
	w.traceID("trace_id", TraceID(s.TraceID()))
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
			for _, key := range [...]string{attrServerPort, "net.host.port"} {
				if port := intOf(o.a, key, 0); port != 0 && port != 80 && port != 443 {
					host += ":" + strconv.FormatInt(port, 10)
					break
				}
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
	for i := 0; i < len(pairs); i += 2 {
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

// annotationsAndMetadata writes the attributes that no other member holds: those that the list of annotations
// names as annotations, the others as metadata.
func (o *otlpSpan) annotationsAndMetadata(w *docWriter) {
	if o.bare {
		return
	}
	indexed := map[string]bool{}
	if list, ok := o.a.Get(attrAnnotations); ok && list.Type() == pcommon.ValueTypeSlice {
		for _, v := range list.Slice().All() {
			indexed[v.AsString()] = true
		}
		o.used = append(o.used, attrAnnotations)
	}
	if len(indexed) > 0 {
		o.annotations(w, indexed)
	}
	mark := w.open("metadata")
	m := w.open("default")
	for k, v := range o.a.All() {
		if indexed[k] && indexable(v) || o.isUsed(k) || strings.HasPrefix(k, metadataPrefix) {
			continue
		}
		w.key(k)
		w.value(v, 0)
	}
	if o.segment {
		for k, v := range o.r.attributes.All() {
			w.key("otel.resource." + k)
			w.value(v, 0)
		}
	}
	o.spanOnly(w)
	w.close(m, false)
	written := w.buf[len(w.buf)-1] == '}'
	for k, v := range o.a.All() {
		ns, ok := strings.CutPrefix(k, metadataPrefix)
		if !ok {
			continue
		}
		if ns == "default" && written {
			ns = "otel.default"
		}
		w.key(ns)
		if v.Type() == pcommon.ValueTypeStr && validJSON(v.Str()) {
			w.buf = append(w.buf, v.Str()...)
		} else {
			w.value(v, 0)
		}
	}
	w.close(mark, false)
}

func indexable(v pcommon.Value) bool {
	switch v.Type() {
	case pcommon.ValueTypeStr, pcommon.ValueTypeBool, pcommon.ValueTypeInt, pcommon.ValueTypeDouble:
		return true
	}
	return false
}

func (o *otlpSpan) annotations(w *docWriter, indexed map[string]bool) {
	mark := w.open("annotations")
	seen := map[string]bool{}
	for k, v := range o.a.All() {
		key := annotationKey(k)
		if !indexed[k] || !indexable(v) || seen[key] {
			continue
		}
		seen[key] = true
		w.key(key)
		w.value(v, 0)
	}
	w.close(mark, false)
}

// annotationKey makes a key that X-Ray indexes: letters, digits and underscores.
func annotationKey(k string) string {
	ok := true
	for i := range len(k) {
		ok = ok && annotationByte(k[i])
	}
	if ok {
		return k
	}
	b := make([]byte, 0, len(k))
	for _, r := range k {
		if r < 0x80 && annotationByte(byte(r)) {
			b = append(b, byte(r))
		} else {
			b = append(b, '_')
		}
	}
	return string(b)
}

func annotationByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func (o *otlpSpan) isUsed(key string) bool {
	for _, k := range o.used {
		if k == key {
			return true
		}
	}
	return false
}

// spanOnly writes what a span has and a document has no member for.
func (o *otlpSpan) spanOnly(w *docWriter) {
	s := o.span
	if name := s.Name(); name != o.name() {
		w.str("otel.span.name", name)
	}
	switch s.Kind() {
	case ptrace.SpanKindProducer, ptrace.SpanKindConsumer:
		w.str("otel.span.kind", strings.ToUpper(s.Kind().String()))
	case ptrace.SpanKindClient:
		if o.segment {
			w.str("otel.span.kind", "CLIENT")
		}
	}
	w.optional("otel.trace_state", s.TraceState().AsRaw())
	w.optional("otel.scope.name", o.r.scope.Name())
	w.optional("otel.scope.version", o.r.scope.Version())
	for _, e := range s.Events().All() {
		if e.Name() != eventException {
			w.events(s)
			break
		}
	}
}
