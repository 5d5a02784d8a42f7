// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package xray

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

const segmentStart = `{"name":"n","id":"00000000000000ff","trace_id":"1-65535c00-00000000000000000000000f","start_time":1,"end_time":2`

// TestNothingIsLost goes through what other translators are known to lose on the way to spans and back.
func TestNothingIsLost(t *testing.T) {
	t.Parallel()
	const sub = `"subsegments":[{"name":"s","id":"00000000000000fe","start_time":1,"end_time":2`
	for name, rest := range map[string]string{
		"origin":                        `,"origin":"AWS::EC2::Instance"`,
		"links":                         `,"links":[{"trace_id":"1-65535c00-0000000000000000000000aa","id":"00000000000000aa","attributes":{"reference_type":"child","x":{"y":1}}}]`,
		"precursors":                    `,` + sub + `,"precursor_ids":["00000000000000aa"]}]`,
		"inferred":                      `,"inferred":true`,
		"type of an embedded one":       `,` + sub + `,"type":"subsegment","trace_id":"1-65535c00-00000000000000000000000f","parent_id":"00000000000000ff"}]`,
		"unknown members":               `,"Dummy":false,"x":{"y":[1.0]}`,
		"fault and error":               `,"fault":true,"error":true,"http":{"response":{"status":200}}`,
		"flags that are false":          `,"fault":false,"error":false,"throttle":false`,
		"throttle alone":                `,"throttle":true`,
		"no flags with a status":        `,"http":{"response":{"status":500}}`,
		"cause's directory and paths":   `,"cause":{"working_directory":"/d","paths":["/a","/b"],"exceptions":[{"id":"00000000000000aa","message":"m"}]}`,
		"a cause elsewhere":             `,"cause":"00000000000000aa"`,
		"frames":                        `,"cause":{"exceptions":[{"id":"00000000000000aa","stack":[{"path":"a b","line":1,"label":"x (y:2)"},{"line":-1},{}]}]}`,
		"an exception without id":       `,"cause":{"exceptions":[{"message":"m"},{}]}`,
		"exceptions' members":           `,"cause":{"exceptions":[{"id":"00000000000000aa","remote":false,"truncated":0,"skipped":2,"cause":"00000000000000ab","x":1}]}`,
		"aws free members":              `,"aws":{"table_names":["a","b"],"bucket_name":"b","topic_arn":"t","resource_names":[],"function_arn":"f","id_2":"=","status_code":200}`,
		"ecs":                           `,"aws":{"ecs":{"container":"c","container_arn":"a","task_arn":"t","task_family":"f","cluster_arn":"c","launch_type":"ec2"}}`,
		"xray":                          `,"aws":{"xray":{"auto_instrumentation":true,"sampling_rule_name":"r","package":"p","sdk":"s for G","sdk_version":"1"}}`,
		"service":                       `,"service":{"version":"1","runtime":"r","runtime_version":"2","compiler":"c","compiler_version":"3"}`,
		"sql":                           `,` + sub + `,"sql":{"connection_string":"c","url":"mysql://h:1/d?q=1","database_version":"1","driver_version":"2","preparation":"call"}}]`,
		"sql without a path":            `,` + sub + `,"sql":{"url":"host"}}]`,
		"request traced":                `,` + sub + `,"http":{"request":{"traced":true}}}]`,
		"empty request and response":    `,"http":{"request":{},"response":{}}`,
		"empty http":                    `,"http":{}`,
		"numbers":                       `,"annotations":{"a":1.0,"b":1e2,"c":0.10,"d":12345678901234567890,"e":-0},"http":{"response":{"status":2e2,"content_length":"1024"}}`,
		"annotations of other types":    `,"annotations":{"a":[1],"b":{"c":1},"d":null}`,
		"annotations' keys":             `,"annotations":{"a b":1,"a_b":2,"é":3,"":4}`,
		"annotations like attributes":   `,"annotations":{"http.request.method":"x","aws.xray.type":"y","url.full":1,"enduser.id":true,"aws.xray.annotation.z":1},"http":{"request":{"method":"GET"}},"user":"u"`,
		"metadata":                      `,"metadata":{"default":{"a":1.0},"other":[1e1],"x":"text"}`,
		"in progress, retries and such": `,"in_progress":false,"resource_arn":"arn","http":{"request":{"x_forwarded_for":true}},` + sub + `,"traced":false,"aws":{"retries":3}}]`,
		"zones":                         `,"aws":{"ec2":{"availability_zone":"a"},"ecs":{"availability_zone":"b"}}`,
		"namespaces":                    `,` + sub + `,"namespace":"local"}]`,
		"order of subsegments":          `,` + sub + `},{"name":"b","id":"00000000000000fd","start_time":0,"end_time":1},5,{"name":"c","id":"00000000000000fc","start_time":0,"end_time":1},{}]`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			doc := segmentStart + rest + `}`
			docs := roundTrip(t, doc)
			require.Len(t, docs, 1)
			requireSameJSON(t, doc, docs[0].JSON)
		})
	}
}

func TestTimesAreExact(t *testing.T) {
	t.Parallel()
	for _, lit := range []string{"1700000000.123456789", "1.700000000123456789E9", "1700000000.1234567891", "1700000000.10", "1700000000"} {
		doc := `{"name":"n","id":"00000000000000ff","trace_id":"1-65535c00-00000000000000000000000f","start_time":` + lit + `,"end_time":` + lit + `}`
		docs := roundTrip(t, doc)
		requireSameJSON(t, doc, docs[0].JSON)
		ns, err := parseSeconds(lit)
		require.NoError(t, err)
		require.Equal(t, ns, docs[0].Start)
		require.Equal(t, ns, docs[0].End)
	}
}

// TestIndependentSubsegmentHasNoService: whose it is, only its segment knows.
func TestIndependentSubsegmentHasNoService(t *testing.T) {
	t.Parallel()
	td, refused := ToTraces("1", "r", []string{`{"type":"subsegment","name":"S3","id":"00000000000000ff","parent_id":"00000000000000fe","trace_id":"1-65535c00-00000000000000000000000f","start_time":1,"end_time":2}`})
	require.Empty(t, refused)
	_, ok := td.ResourceSpans().At(0).Resource().Attributes().Get("service.name")
	require.False(t, ok)
	docs, err := FromTraces(td)
	require.NoError(t, err)
	require.True(t, docs[0].Subsegment)
}

// TestProcessorsEdits checks that what processors change on spans is in the documents.
func TestProcessorsEdits(t *testing.T) {
	t.Parallel()
	doc := segmentStart + `,"user":"secret","origin":"AWS::EC2::Instance","http":{"request":{"url":"https://a/?token=1","method":"GET"},"response":{"status":200}},
		"annotations":{"price":1.50,"gone":2.0,"kept":3.0},"metadata":{"default":{"a":1}},"cause":{"exceptions":[{"message":"m"}]},
		"subsegments":[{"name":"a","id":"00000000000000fe","start_time":1,"end_time":2},{"name":"b","id":"00000000000000fd","start_time":1.0,"end_time":2}]}`
	td, refused := ToTraces("1", "r", []string{doc})
	require.Empty(t, refused)
	rs := td.ResourceSpans().At(0)
	rs.Resource().Attributes().PutStr("service.name", "renamed <service>")
	spans := rs.ScopeSpans().At(0).Spans()
	s := spans.At(0)
	s.SetName("GET /")
	a := s.Attributes()
	a.Remove("enduser.id")
	a.Remove("gone")
	a.PutStr("url.full", "https://a/?token=***")
	a.PutDouble("price", 2)
	a.PutStr("added", "x")
	a.PutEmptyMap("more").PutInt("y", 1)
	s.SetStartTimestamp(15e8)
	s.Status().SetCode(ptrace.StatusCodeError)
	s.Events().AppendEmpty().SetName("log")
	spans.RemoveIf(func(s ptrace.Span) bool { return s.Name() == "a" })
	docs, err := FromTraces(td)
	require.NoError(t, err)
	require.Len(t, docs, 1)
	requireSameJSON(t, `{"name":"renamed service","id":"00000000000000ff","trace_id":"1-65535c00-00000000000000000000000f","start_time":1.5,"end_time":2,"fault":true,
		"origin":"AWS::EC2::Instance","http":{"request":{"url":"https://a/?token=***","method":"GET"},"response":{"status":200}},
		"annotations":{"price":2,"kept":3.0},"cause":{"exceptions":[{"message":"m"}]},
		"metadata":{"default":{"a":1,"added":"x","more":{"y":1},"otel.events":[{"name":"log","time":0}]}},
		"subsegments":[{"name":"b","id":"00000000000000fd","start_time":1.0,"end_time":2}]}`, docs[0].JSON)
}

// TestBrokenAttributes: attributes that some processor cut are shown, not dropped.
func TestBrokenAttributes(t *testing.T) {
	t.Parallel()
	td, _ := ToTraces("1", "r", []string{segmentStart + `,"x":{"y":1},"annotations":{"a":1.0},"metadata":{"m":{"z":1}},"subsegments":[5]}`})
	a := td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).Attributes()
	a.PutStr(attrResidual, `{"x":{"y"`)
	a.PutStr(attrLiterals, `{"annot`)
	a.PutStr(attrSubsegments, `{"0`)
	a.PutStr(metadataPrefix+"m", `{"z"`)
	docs, err := FromTraces(td)
	require.NoError(t, err)
	requireSameJSON(t, segmentStart+`,"annotations":{"a":1},"metadata":{"m":"{\"z\"","default":{"aws.xray.residual":"{\"x\":{\"y\""}}}`, docs[0].JSON)
}

func TestPartialAndCompleteInOneBatch(t *testing.T) {
	t.Parallel()
	partial := `{"name":"n","id":"00000000000000ff","trace_id":"1-65535c00-00000000000000000000000f","start_time":1,"in_progress":true,"subsegments":[{"name":"a","id":"00000000000000fe","start_time":1,"in_progress":true}]}`
	complete := segmentStart + `,"subsegments":[{"name":"a","id":"00000000000000fe","start_time":1,"end_time":2},{"name":"b","id":"00000000000000fd","start_time":1,"end_time":2}]}`
	td, refused := ToTraces("1", "r", []string{partial, complete, complete})
	require.Empty(t, refused)
	docs, err := FromTraces(td)
	require.NoError(t, err)
	require.Len(t, docs, 2, "of what is given twice the last one counts")
	require.True(t, docs[0].InProgress)
	require.Zero(t, docs[0].End)
	requireSameJSON(t, partial, docs[0].JSON)
	requireSameJSON(t, complete, docs[1].JSON)
}

func TestCircleOfEmbedded(t *testing.T) {
	t.Parallel()
	td, _ := ToTraces("1", "r", []string{segmentStart + `,"subsegments":[{"name":"a","id":"00000000000000fe","start_time":1,"end_time":2,"subsegments":[{"name":"b","id":"00000000000000fd","start_time":1,"end_time":2}]}]}`})
	spans := td.ResourceSpans().At(0).ScopeSpans().At(0).Spans()
	spans.At(1).SetParentSpanID(spans.At(2).SpanID())
	docs, err := FromTraces(td)
	require.NoError(t, err)
	require.Len(t, docs, 2)
	trace := AssembleTrace(docs)
	require.Len(t, trace.Segments, 2)
}

func TestDocumentAnnotations(t *testing.T) {
	t.Parallel()
	docs := roundTrip(t, segmentStart+`,"annotations":{"a":1.50,"b":"x","no":[1]},"subsegments":[{"name":"s","id":"00000000000000fe","start_time":1,"end_time":2,"annotations":{"a":true,"b":"x","c":null,"d":"\"q\""}}]}`)
	require.JSONEq(t, `{"a":[1.5,true],"b":"x","d":"\"q\""}`, docs[0].Annotations)
	require.Contains(t, docs[0].Annotations, "1.50")
	require.Empty(t, roundTrip(t, segmentStart+`}`)[0].Annotations)
}
