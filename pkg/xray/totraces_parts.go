// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package xray

import (
	"net/url"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// Beyond these counts a document's annotations or metadata namespaces stay together in the residual: attribute
// maps are searched one by one. X-Ray itself indexes 50 annotations of a trace.
const (
	maxMappedAnnotations = 128
	maxMappedNamespaces  = 32
	maxMappedLinks       = 128
)

// http returns the response's status, 0 when there is none.
func (c *converter) http(a pcommon.Map, n int32) int64 {
	t := c.tree
	if t.nodes[n].kind != kindObject {
		c.keep("http", n)
		return 0
	}
	var request, response, status int32
	mark := c.open("http")
	for x := t.nodes[n].child; x != 0; x = t.nodes[x].next {
		switch t.key(x) {
		case "request":
			request = x
		case "response":
			response = x
		default:
			c.keepMember(x)
		}
	}
	switch {
	case request == 0:
	case t.nodes[request].kind != kindObject:
		c.keep("request", request)
	default:
		c.request(a, request)
	}
	var code int64
	switch {
	case response == 0:
	case t.nodes[response].kind != kindObject:
		c.keep("response", response)
	default:
		m2 := c.open("response")
		var length int32
		for x := t.nodes[response].child; x != 0; x = t.nodes[x].next {
			switch t.key(x) {
			case "status":
				status = x
			case "content_length":
				length = x
			default:
				c.keepMember(x)
			}
		}
		code = c.putInt(a, attrHTTPStatus, "status", status)
		c.putInt(a, attrHTTPBodySize, "content_length", length)
		c.close(m2, t.nodes[response].child == 0)
	}
	c.close(mark, t.nodes[n].child == 0)
	return code
}

func (c *converter) request(a pcommon.Map, n int32) {
	t := c.tree
	mark := c.open("request")
	var method, address, agent, client, forwarded int32
	for x := t.nodes[n].child; x != 0; x = t.nodes[x].next {
		switch t.key(x) {
		case "method":
			method = x
		case "url":
			address = x
		case "user_agent":
			agent = x
		case "client_ip":
			client = x
		case "x_forwarded_for":
			forwarded = x
		default:
			c.keepMember(x)
		}
	}
	c.putStr(a, attrHTTPMethod, "method", method)
	c.putStr(a, attrURLFull, "url", address)
	c.putStr(a, attrUserAgent, "user_agent", agent)
	c.putStr(a, attrClientAddress, "client_ip", client)
	c.putBool(a, attrXForwardedFor, "x_forwarded_for", forwarded)
	c.close(mark, t.nodes[n].child == 0)
}

func (c *converter) aws(a pcommon.Map, n int32) {
	t := c.tree
	if t.nodes[n].kind != kindObject {
		c.keep("aws", n)
		return
	}
	mark := c.open("aws")
	var operation, region, account, request, queue, table, retries int32
	for x := t.nodes[n].child; x != 0; x = t.nodes[x].next {
		switch t.key(x) {
		case "operation":
			operation = x
		case "region":
			region = x
		case "account_id":
			account = x
		case "request_id":
			request = x
		case "queue_url":
			queue = x
		case "table_name":
			table = x
		case "retries":
			retries = x
		default:
			c.keepMember(x)
		}
	}
	c.putStr(a, attrAWSOperation, "operation", operation)
	c.putStr(a, attrAWSRegion, "region", region)
	c.putStr(a, attrAWSAccountID, "account_id", account)
	c.putStr(a, attrAWSRequestID, "request_id", request)
	c.putStr(a, attrAWSQueueURL, "queue_url", queue)
	c.putStr(a, attrAWSTableName, "table_name", table)
	c.putInt(a, attrRetries, "retries", retries)
	c.close(mark, t.nodes[n].child == 0)
}

func (c *converter) sql(a pcommon.Map, n int32) {
	t := c.tree
	if t.nodes[n].kind != kindObject {
		c.keep("sql", n)
		return
	}
	mark := c.open("sql")
	var address, system, query, user int32
	for x := t.nodes[n].child; x != 0; x = t.nodes[x].next {
		switch t.key(x) {
		case "url":
			address = x
		case "database_type":
			system = x
		case "sanitized_query":
			query = x
		case "user":
			user = x
		default:
			c.keepMember(x)
		}
	}
	c.putStr(a, attrDBSystem, "database_type", system)
	c.putStr(a, attrDBQuery, "sanitized_query", query)
	c.putStr(a, attrDBUser, "user", user)
	if s, ok := c.putStr(a, attrSQLURL, "url", address); ok {
		databaseURL(a, s)
	}
	c.close(mark, t.nodes[n].child == 0)
}

// databaseURL adds what a database's URL says, for readers who know OpenTelemetry's names only.
func databaseURL(a pcommon.Map, s string) {
	s = strings.TrimPrefix(s, "jdbc:")
	u, err := url.Parse(s)
	if err != nil || u.Host == "" {
		return
	}
	if name := strings.Trim(u.Path, "/"); name != "" {
		a.PutStr(attrDBNamespace, name)
	}
	if host := u.Hostname(); host != "" {
		a.PutStr(attrServerAddress, host)
	}
	if port, err := strconv.ParseUint(u.Port(), 10, 16); err == nil {
		a.PutInt(attrServerPort, int64(port))
	}
}

// takeApart is true for an object small enough, without a member given twice, and with names that are text.
func (c *converter) takeApart(n int32, limit int) bool {
	t := c.tree
	if t.nodes[n].kind != kindObject || t.nodes[n].child == 0 || t.count(n, limit) > limit {
		return false
	}
	for x := t.nodes[n].child; x != 0; x = t.nodes[x].next {
		if k := &t.nodes[x]; k.keyEscaped {
			if _, exact := unescape(t.src[k.keyStart:k.keyEnd]); !exact {
				return false
			}
		}
		for y := t.nodes[x].next; y != 0; y = t.nodes[y].next {
			if t.key(x) == t.key(y) {
				return false
			}
		}
	}
	return true
}

func (c *converter) annotations(a pcommon.Map, n int32) {
	t := c.tree
	if !c.takeApart(n, maxMappedAnnotations) {
		c.keep("annotations", n)
		return
	}
	var names pcommon.Slice
	listed := false
	mark := c.open("annotations")
	for x := t.nodes[n].child; x != 0; x = t.nodes[x].next {
		key := t.key(x)
		attr := key
		if mappedAttribute(key) {
			attr = annotationPrefix + key
		}
		switch v := &t.nodes[x]; v.kind {
		case kindString:
			s, ok := t.str(x)
			if !ok {
				c.keepMember(x)
				continue
			}
			a.PutStr(attr, s)
		case kindTrue, kindFalse:
			a.PutBool(attr, v.kind == kindTrue)
		case kindNumber:
			if i, ok := t.canonicalInt(x); ok {
				a.PutInt(attr, i)
				break
			}
			lit := t.raw(x)
			f, err := strconv.ParseFloat(lit, 64)
			if err != nil {
				c.keepMember(x)
				continue
			}
			a.PutDouble(attr, f)
			if !canonicalFloat(lit, f) {
				c.literal("annotations."+key, lit)
			}
		default:
			c.keepMember(x)
			continue
		}
		if !listed {
			names = a.PutEmptySlice(attrAnnotations)
			listed = true
		}
		names.AppendEmpty().SetStr(attr)
	}
	c.close(mark, false)
}

func (c *converter) metadata(a pcommon.Map, n int32) {
	t := c.tree
	if !c.takeApart(n, maxMappedNamespaces) {
		c.keep("metadata", n)
		return
	}
	for x := t.nodes[n].child; x != 0; x = t.nodes[x].next {
		a.PutStr(metadataPrefix+t.key(x), t.raw(x))
	}
}

// links makes span links. It is false when the links say more than span links can, so that their text has to
// be kept as well.
func (c *converter) links(s ptrace.Span, n int32) (exact bool) {
	t := c.tree
	if t.nodes[n].kind != kindArray || t.nodes[n].child == 0 || t.count(n, maxMappedLinks) > maxMappedLinks {
		return false
	}
	exact = true
	for x := t.nodes[n].child; x != 0; x = t.nodes[x].next {
		if t.nodes[x].kind != kindObject {
			exact = false
			continue
		}
		traceText, spanText := t.memberString(x, "trace_id"), t.memberString(x, "id")
		trace, err := ParseTraceID(traceText)
		if err != nil {
			exact = false
			continue
		}
		span, err := ParseSpanID(spanText)
		if err != nil {
			exact = false
			continue
		}
		exact = exact && trace.String() == traceText && span.String() == spanText
		l := s.Links().AppendEmpty()
		l.SetTraceID(pcommon.TraceID(trace))
		l.SetSpanID(pcommon.SpanID(span))
		attrs := t.member(x, "attributes")
		size := 2
		if attrs != 0 {
			size++
			exact = c.takeApart(attrs, maxMappedAnnotations) && c.linkAttributes(l.Attributes(), attrs) && exact
		}
		exact = exact && t.count(x, size) == size
	}
	return exact
}

func (c *converter) linkAttributes(a pcommon.Map, n int32) (exact bool) {
	t := c.tree
	exact = true
	for x := t.nodes[n].child; x != 0; x = t.nodes[x].next {
		switch v := &t.nodes[x]; v.kind {
		case kindString:
			s, ok := t.str(x)
			exact = exact && ok
			a.PutStr(t.key(x), s)
		case kindTrue, kindFalse:
			a.PutBool(t.key(x), v.kind == kindTrue)
		case kindNumber:
			if i, ok := t.canonicalInt(x); ok {
				a.PutInt(t.key(x), i)
				break
			}
			exact = false
		default:
			exact = false
		}
	}
	return exact
}
