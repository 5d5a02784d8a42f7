// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package cloudwatchlogs

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

func TestNames(t *testing.T) {
	long := strings.Repeat("a", 512)
	for name, want := range map[string]bool{
		"/aws/lambda/fn": true, "a.b-c_d/E#9": true, long: true, "": false, long + "a": false, "a b": false, "a:b": false, "ä": false,
	} {
		assert.Equal(t, want, ValidGroupName(name), "%q", name)
	}
	for name, want := range map[string]bool{
		"2024/05/01/[$LATEST]0123": true, "Ünïcode stream": true, strings.Repeat("ä", 512): true, strings.Repeat("ä", 513): false,
		"": false, "a:b": false, "a*": false,
	} {
		assert.Equal(t, want, ValidStreamName(name), "%q", name)
	}
	assert.True(t, IdentifierAlphabet("arn:aws:logs:eu-west-1:123456789012:log-group:/a#b"))
	assert.False(t, IdentifierAlphabet("arn:aws:logs:eu-west-1:123456789012:log-group:/a:*"))
	assert.Equal(t, "_a_b_", sanitizeGroup("äa b:"))
	assert.Equal(t, "ä_b_", sanitizeStream("ä:b*"))
	assert.Len(t, sanitizeGroup(strings.Repeat("é", 600)), 512)
}

func TestARN(t *testing.T) {
	assert.Equal(t, "arn:aws:logs:eu-west-1:123456789012:log-group:/a", GroupARN("eu-west-1", "123456789012", "/a"))
	assert.Equal(t, "arn:aws:logs:eu-west-1:123456789012:log-group:/a:*", GroupPolicyARN("eu-west-1", "123456789012", "/a"))
	assert.Equal(t, "arn:aws-cn:logs:cn-north-1:123456789012:log-group:/a:log-stream:s", StreamARN("cn-north-1", "123456789012", "/a", "s"))
	ref, ok := ParseGroupARN("arn:aws-us-gov:logs:us-gov-west-1:123456789012:log-group:/a#b")
	require.True(t, ok)
	assert.Equal(t, GroupRef{Account: "123456789012", Region: "us-gov-west-1", Group: "/a#b"}, ref)
	for _, s := range []string{
		"/a", "arn:aws:logs:eu-west-1:123456789012:log-group:/a:*", "arn:aws:logs:eu-west-1:123456789012:log-group:",
		"arn:aws:sqs:eu-west-1:123456789012:log-group:/a", "arn:aws:logs:eu-west-1:123456789012:log-group:/a:log-stream:s",
	} {
		_, ok := ParseGroupARN(s)
		assert.False(t, ok, s)
	}
}

func TestTraceIDs(t *testing.T) {
	const want = "5759e988bd862e3fe1be46a994272793"
	for _, s := range []string{
		want, strings.ToUpper(want), "1-5759e988-bd862e3fe1be46a994272793",
		"Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
		"Self=1-67891234-12456789abcdef012345678a;Root=1-5759e988-bd862e3fe1be46a994272793",
	} {
		id, ok := TraceID(s)
		assert.True(t, ok, s)
		assert.Equal(t, want, hex.EncodeToString(id[:]), s)
	}
	for _, s := range []string{"", "0", strings.Repeat("0", 32), strings.Repeat("g", 32), "2-5759e988-bd862e3fe1be46a994272793", want + "00"} {
		_, ok := TraceID(s)
		assert.False(t, ok, s)
	}
}

func TestSeverity(t *testing.T) {
	for level, want := range map[string]plog.SeverityNumber{
		"trace": 1, "FINEST": 1, "10": 1, "Debug": 5, "20": 5, "INFO": 9, "information": 9, "30": 9, "notice": 10, "Warning": 13, "warn": 13,
		"40": 13, "err": 17, "ERROR": 17, "SEVERE": 17, "50": 17, "critical": 18, "fatal": 21, "panic": 21, "60": 21, "ALERT": 22, "emerg": 24,
		"": 0, "hello": 0, "informational message": 0,
	} {
		assert.Equal(t, want, Severity(level), level)
	}
	for n, want := range map[plog.SeverityNumber]string{0: "", 1: "TRACE", 8: "DEBUG", 10: "INFO", 13: "WARN", 18: "ERROR", 24: "FATAL", 25: ""} {
		assert.Equal(t, want, levelOf("", n))
	}
}

func TestTemplate(t *testing.T) {
	attrs := pcommon.NewMap()
	attrs.PutStr("service.name", "api")
	attrs.PutStr("host.name", "h1")
	attrs.PutInt("n", 3)
	attrs.PutStr("empty", "")
	for source, want := range map[string]string{
		"":                                "",
		"/otel":                           "/otel",
		"/otel/{service.name}":            "/otel/api",
		"{service.instance.id|host.name}": "h1",
		"{ empty | n }-{none}-x":          "3-undefined-x",
	} {
		tpl, err := ParseTemplate(source)
		require.NoError(t, err, source)
		assert.Equal(t, want, tpl.expand(attrs), source)
		assert.Equal(t, source, tpl.String())
		assert.False(t, tpl.IsZero())
	}
	for source, want := range map[string]string{
		"a{b": "no '}' for '{' at 1", "ab}": "'}' without '{' at 2", "{a{b}}": "no '}' for '{' at 0", "x{}": "empty attribute name at 1",
		"{a}{b|}": "empty attribute name at 3",
	} {
		_, err := ParseTemplate(source)
		require.ErrorContains(t, err, want)
	}
}
