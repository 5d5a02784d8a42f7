// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package xray

import (
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/xray/types"
	"github.com/stretchr/testify/require"
)

const testTrace = `"trace_id":"1-65535c00-00000000000000000000000f"`

func parseDocuments(tb testing.TB, texts ...string) []Document {
	tb.Helper()
	docs := make([]Document, len(texts))
	for i, text := range texts {
		var err error
		docs[i], err = ParseDocument("123456789012", "eu-west-1", text)
		require.NoError(tb, err, text)
	}
	return docs
}

func TestAssembleStreamed(t *testing.T) {
	t.Parallel()
	docs := parseDocuments(t,
		`{"type":"subsegment","id":"0000000000000003","parent_id":"0000000000000002",`+testTrace+`,"name":"inner","start_time":1.30,"end_time":1.40,"x":1.0}`,
		`{"type":"subsegment","id":"0000000000000005","parent_id":"0000000000000003",`+testTrace+`,"name":"innermost","start_time":1.31,"end_time":1.32}`,
		`{"type":"subsegment","id":"0000000000000004","parent_id":"0000000000000001",`+testTrace+`,"name":"second","start_time":1.50,"end_time":1.60,"subsegments":[]}`,
		`{"id":"0000000000000001",`+testTrace+`,"name":"web","start_time":1.10,"end_time":2e0,"Dummy":false,"subsegments":[{"id":"0000000000000002","name":"first","start_time":1.20,"end_time":1.45}]}`,
		`{"type":"subsegment","id":"0000000000000009","parent_id":"0000000000000008",`+testTrace+`,"name":"ownerless","start_time":1.0,"end_time":3}`,
	)
	trace := AssembleTrace(docs)
	require.Len(t, trace.Segments, 2)
	require.Equal(t, 1, trace.Root)
	requireSameJSON(t, `{"id":"0000000000000001",`+testTrace+`,"name":"web","start_time":1.10,"end_time":2e0,"Dummy":false,"subsegments":[
		{"id":"0000000000000002","name":"first","start_time":1.20,"end_time":1.45,"subsegments":[
			{"id":"0000000000000003","name":"inner","start_time":1.30,"end_time":1.40,"x":1.0,"subsegments":[
				{"id":"0000000000000005","name":"innermost","start_time":1.31,"end_time":1.32}]}]},
		{"id":"0000000000000004","name":"second","start_time":1.50,"end_time":1.60,"subsegments":[]}]}`, trace.Segments[1].Document)
	require.Equal(t, docs[4].JSON, trace.Segments[0].Document, "without an owner it stays as it is")
	sdk := trace.SDK()
	require.Equal(t, "1-65535c00-00000000000000000000000f", *sdk.Id)
	require.InDelta(t, 2.0, *sdk.Duration, 0)
	require.False(t, *sdk.LimitExceeded)
	require.Equal(t, "0000000000000009", *sdk.Segments[0].Id)
	require.Equal(t, 5, trace.Documents)
}

func TestAssembleReplaces(t *testing.T) {
	t.Parallel()
	partial := `{"id":"0000000000000001",` + testTrace + `,"name":"old","start_time":1,"in_progress":true}`
	complete := `{"id":"0000000000000001",` + testTrace + `,"name":"new","start_time":1,"end_time":2}`
	newer := `{"id":"0000000000000001",` + testTrace + `,"name":"newer","start_time":1,"end_time":2}`
	for _, c := range []struct {
		docs []string
		want string
	}{
		{[]string{partial, complete}, complete},
		{[]string{complete, partial}, complete},
		{[]string{complete, newer}, newer},
		{[]string{partial}, partial},
	} {
		trace := AssembleTrace(parseDocuments(t, c.docs...))
		require.Len(t, trace.Segments, 1)
		require.Equal(t, c.want, trace.Segments[0].Document)
	}
	require.Equal(t, -1, AssembleTrace(nil).Root)
	require.Empty(t, AssembleTrace([]Document{{JSON: "{"}}).Segments)
}

func TestAssembleCircle(t *testing.T) {
	t.Parallel()
	trace := AssembleTrace(parseDocuments(t,
		`{"type":"subsegment","id":"0000000000000001","parent_id":"0000000000000002",`+testTrace+`,"name":"a","start_time":1,"end_time":2}`,
		`{"type":"subsegment","id":"0000000000000002","parent_id":"0000000000000001",`+testTrace+`,"name":"b","start_time":1,"end_time":2}`,
		`{"type":"subsegment","id":"0000000000000003","parent_id":"0000000000000003",`+testTrace+`,"name":"own parent","start_time":1,"end_time":2}`,
	))
	n := 0
	for _, s := range trace.Segments {
		n += 1 + countSubsegments(s.Segment)
	}
	require.Equal(t, 3, n)
	require.Equal(t, -1, trace.Root)
	Summarize(trace)
}

// TestAssembleDeepChain: a chain of streamed subsegments is not nested deeper than documents may be.
func TestAssembleDeepChain(t *testing.T) {
	t.Parallel()
	texts := []string{`{"id":"0000000000000001",` + testTrace + `,"name":"n","start_time":1,"end_time":2}`}
	for i := 2; i <= 500; i++ {
		texts = append(texts, fmt.Sprintf(`{"type":"subsegment","id":"%016x","parent_id":"%016x",%s,"name":"n","start_time":1,"end_time":2}`, i, i-1, testTrace))
	}
	docs := parseDocuments(t, texts...)
	for range 2 {
		trace := AssembleTrace(docs)
		n := 0
		for _, s := range trace.Segments {
			n += 1 + countSubsegments(s.Segment)
			require.NotEmpty(t, s.Document)
		}
		require.Equal(t, 500, n)
		slices.Reverse(docs)
	}
}

func TestInferred(t *testing.T) {
	t.Parallel()
	doc := `{"id":"0000000000000001",` + testTrace + `,"name":"web","start_time":1,"end_time":2,"subsegments":[
		{"id":"0000000000000002","name":"dynamodb","namespace":"aws","start_time":1.20,"end_time":1.450,"error":true,"throttle":true,"http":{"response":{"status":400}},"aws":{"table_name":"orders","operation":"GetItem"},"cause":{"exceptions":[]}},
		{"id":"0000000000000003","name":"api.example.com","namespace":"remote","start_time":1.2,"in_progress":true},
		{"id":"0000000000000004","name":"bank","namespace":"remote","start_time":1.2,"end_time":1.4},
		{"id":"0000000000000005","name":"local work","start_time":1.2,"end_time":1.4,"subsegments":[{"id":"0000000000000006","name":"SNS","namespace":"aws","start_time":1.2,"end_time":1.4}]}]}`
	bank := `{"id":"0000000000000007","parent_id":"0000000000000004",` + testTrace + `,"name":"bank","start_time":1.25,"end_time":1.35}`
	trace := AssembleTrace(parseDocuments(t, doc, bank))
	require.Len(t, trace.Segments, 5)
	id := func(of byte) string { return SpanID{7: of}.derive("inferred").String() }
	requireSameJSON(t, `{"id":"`+id(2)+`","name":"dynamodb",`+testTrace+`,"parent_id":"0000000000000002","inferred":true,"start_time":1.20,"end_time":1.450,"error":true,"throttle":true,
		"cause":{"exceptions":[]},"http":{"response":{"status":400}},"aws":{"table_name":"orders","operation":"GetItem"},"origin":"AWS::DynamoDB::Table"}`, trace.Segments[2].Document)
	requireSameJSON(t, `{"id":"`+id(3)+`","name":"api.example.com",`+testTrace+`,"parent_id":"0000000000000003","inferred":true,"start_time":1.2,"in_progress":true}`, trace.Segments[3].Document)
	requireSameJSON(t, `{"id":"`+id(6)+`","name":"SNS",`+testTrace+`,"parent_id":"0000000000000006","inferred":true,"start_time":1.2,"end_time":1.4,"origin":"AWS::SNS"}`, trace.Segments[4].Document)
	require.Equal(t, trace, AssembleTrace(parseDocuments(t, doc, bank)), "always the same ids")

	s := Summarize(trace)
	names := make([]string, len(s.ServiceIds))
	for i, x := range s.ServiceIds {
		names[i] = *x.Name + "|" + aws.ToString(x.Type) + "|" + aws.ToString(x.AccountId)
	}
	require.Equal(t, []string{"web||123456789012", "bank||123456789012", "orders|AWS::DynamoDB::Table|123456789012", "api.example.com|remote|", "SNS|AWS::SNS|123456789012"}, names)
	require.True(t, *s.HasThrottle)
	require.False(t, *s.HasError, "the root has none")
	require.True(t, *s.IsPartial, "the inferred one is in progress")
}

func TestInferredOrigin(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		aws  AWS
		want string
	}{
		{"DynamoDB", AWS{TableName: "t"}, "AWS::DynamoDB::Table"},
		{"AmazonDynamoDBv2", AWS{TableName: "t"}, "AWS::DynamoDB::Table"},
		{"DynamoDB", AWS{}, "AWS::DynamoDB"},
		{"sqs", AWS{QueueURL: "https://sqs/1/q"}, "AWS::SQS::Queue"},
		{"SQS", AWS{}, "AWS::SQS"},
		{"Amazon S3", AWS{BucketName: "b"}, "AWS::S3::Bucket"},
		{"s3", AWS{}, "AWS::S3"},
		{"sns", AWS{}, "AWS::SNS"},
		{"lambda", AWS{}, "AWS::Lambda"},
		{"Comprehend", AWS{}, "AWS::Comprehend"},
	} {
		require.Equal(t, c.want, inferredOrigin(c.name, &c.aws), c.name)
	}
	require.Equal(t, "q", resourceName(&Segment{Origin: "AWS::SQS::Queue", AWS: AWS{QueueURL: "https://sqs/1/q"}}))
	require.Equal(t, "b", resourceName(&Segment{Origin: "AWS::S3::Bucket", AWS: AWS{BucketName: "b"}}))
}

func TestSummarize(t *testing.T) {
	t.Parallel()
	docs := parseDocuments(t,
		`{"id":"0000000000000001",`+testTrace+`,"name":"web","origin":"AWS::EC2::Instance","start_time":10.0001,"end_time":11.5004,"fault":true,"user":"jeff","resource_arn":"arn:1",
			"http":{"request":{"method":"GET","url":"http://a/","user_agent":"curl","client_ip":"1.2.3.4"},"response":{"status":500}},
			"aws":{"account_id":"210987654321","ec2":{"instance_id":"i-1","availability_zone":"z1"}},"annotations":{"k":"v","n":1,"b":true},
			"subsegments":[{"id":"0000000000000002","name":"call bank","namespace":"remote","fault":true,"start_time":10.2,"end_time":11,"annotations":{"k":"w"}}]}`,
		`{"id":"0000000000000003","parent_id":"0000000000000002",`+testTrace+`,"name":"bank","origin":"AWS::ECS::Container","start_time":10.3,"end_time":12.25,"fault":true,"error":true,"user":"jeff","resource_arn":"arn:1",
			"aws":{"ecs":{"availability_zone":"z2"}},"annotations":{"k":"v","n":1.0},"cause":"00000000000000aa",
			"subsegments":[{"id":"0000000000000004","name":"query","start_time":10.4,"end_time":10.9,"fault":true,"cause":{"exceptions":[{"id":"00000000000000aa","type":"Timeout","message":"slow"}]}}]}`,
	)
	s := Summarize(AssembleTrace(docs))
	require.Equal(t, "1-65535c00-00000000000000000000000f", *s.Id)
	require.InDelta(t, 2.25, *s.Duration, 0)
	require.InDelta(t, 1.5, *s.ResponseTime, 0)
	require.Equal(t, int64(10000), s.StartTime.UnixMilli())
	require.True(t, *s.HasFault)
	require.False(t, *s.HasError)
	require.False(t, *s.HasThrottle)
	require.False(t, *s.IsPartial)
	require.Equal(t, &types.Http{HttpURL: aws.String("http://a/"), HttpMethod: aws.String("GET"), UserAgent: aws.String("curl"), ClientIp: aws.String("1.2.3.4"), HttpStatus: aws.Int32(500)}, s.Http)
	web := types.ServiceId{Name: aws.String("web"), Names: []string{"web"}, AccountId: aws.String("210987654321"), Type: aws.String("AWS::EC2::Instance")}
	bank := types.ServiceId{Name: aws.String("bank"), Names: []string{"bank"}, AccountId: aws.String("123456789012"), Type: aws.String("AWS::ECS::Container")}
	require.Equal(t, []types.ServiceId{web, bank}, s.ServiceIds)
	require.Equal(t, &web, s.EntryPoint)
	require.Equal(t, []types.TraceUser{{UserName: aws.String("jeff"), ServiceIds: []types.ServiceId{web, bank}}}, s.Users)
	require.Equal(t, []types.ResourceARNDetail{{ARN: aws.String("arn:1")}}, s.ResourceARNs)
	require.Equal(t, []types.InstanceIdDetail{{Id: aws.String("i-1")}}, s.InstanceIds)
	require.Equal(t, []types.AvailabilityZoneDetail{{Name: aws.String("z1")}, {Name: aws.String("z2")}}, s.AvailabilityZones)
	require.Equal(t, map[string][]types.ValueWithServiceIds{
		"k": {
			{AnnotationValue: &types.AnnotationValueMemberStringValue{Value: "v"}, ServiceIds: []types.ServiceId{web, bank}},
			{AnnotationValue: &types.AnnotationValueMemberStringValue{Value: "w"}, ServiceIds: []types.ServiceId{web}},
		},
		"n": {{AnnotationValue: &types.AnnotationValueMemberNumberValue{Value: 1}, ServiceIds: []types.ServiceId{web, bank}}},
		"b": {{AnnotationValue: &types.AnnotationValueMemberBooleanValue{Value: true}, ServiceIds: []types.ServiceId{web}}},
	}, s.Annotations)
	require.Equal(t, int32(2), s.Revision)

	require.Len(t, s.FaultRootCauses, 1)
	cause := s.FaultRootCauses[0]
	require.True(t, *cause.ClientImpacting)
	require.Len(t, cause.Services, 2)
	require.Equal(t, "web", *cause.Services[0].Name)
	require.Equal(t, []string{"web", "call bank"}, []string{*cause.Services[0].EntityPath[0].Name, *cause.Services[0].EntityPath[1].Name})
	require.True(t, *cause.Services[0].EntityPath[1].Remote)
	require.Equal(t, "query", *cause.Services[1].EntityPath[1].Name)
	require.Equal(t, []types.RootCauseException{{Name: aws.String("Timeout"), Message: aws.String("slow")}}, cause.Services[1].EntityPath[1].Exceptions)
	require.Equal(t, cause.Services[1].EntityPath[1].Exceptions, cause.Services[1].EntityPath[0].Exceptions, "an id names an exception elsewhere in the document")
	require.Len(t, s.ErrorRootCauses, 1)
	require.False(t, *s.ErrorRootCauses[0].ClientImpacting)
	require.Equal(t, "bank", *s.ErrorRootCauses[0].Services[1].EntityPath[0].Name)
}

func TestRoot(t *testing.T) {
	t.Parallel()
	// The root is missing: the earliest segment whose parent is unknown stands for it.
	trace := AssembleTrace(parseDocuments(t,
		`{"id":"0000000000000001","parent_id":"00000000000000aa",`+testTrace+`,"name":"late","start_time":5,"end_time":6}`,
		`{"id":"0000000000000002","parent_id":"00000000000000ab",`+testTrace+`,"name":"early","start_time":2,"end_time":3}`,
		`{"id":"0000000000000003","parent_id":"0000000000000001",`+testTrace+`,"name":"child","start_time":1,"end_time":3}`,
	))
	require.Equal(t, "early", trace.Segments[trace.Root].Segment.Name)
	// Parents in a circle: the earliest.
	trace = AssembleTrace(parseDocuments(t,
		`{"id":"0000000000000001","parent_id":"0000000000000002",`+testTrace+`,"name":"a","fault":true,"start_time":5,"end_time":6}`,
		`{"id":"0000000000000002","parent_id":"0000000000000001",`+testTrace+`,"name":"b","start_time":2}`,
	))
	require.Equal(t, "b", trace.Segments[trace.Root].Segment.Name)
	s := Summarize(trace)
	require.Nil(t, s.ResponseTime, "it has not ended")
	require.True(t, *s.IsPartial)
	require.Len(t, s.FaultRootCauses, 1)
	require.False(t, *s.FaultRootCauses[0].ClientImpacting)
}

func TestParseSegment(t *testing.T) {
	t.Parallel()
	s, err := ParseSegment(segmentFiles(t)["testdata/segments/web_ec2.json"])
	require.NoError(t, err)
	require.Equal(t, "Scorekeep", s.Name)
	require.Equal(t, "i-0cf8ba2c0e1d7f3a4", s.AWS.InstanceID)
	require.Equal(t, "jeff", s.User)
	require.Equal(t, []Link{{TraceID: s.Links[0].TraceID, ID: SpanID{0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11}, ReferenceType: "parent"}}, s.Links)
	require.Contains(t, s.Annotations, Annotation{Key: "price", Value: 1.5})
	require.Contains(t, s.Annotations, Annotation{Key: "ok", Value: true})
	dynamo := s.Subsegments[0].Subsegments[0]
	require.Equal(t, "aws", dynamo.Namespace)
	require.Equal(t, "scorekeep-user", dynamo.AWS.TableName)
	require.Equal(t, s.Subsegments[0].ID, dynamo.ParentID)
	require.True(t, s.Subsegments[1].Traced)
	require.Equal(t, int32(200), s.Subsegments[1].HTTP.Status)
}

func FuzzAssemble(f *testing.F) {
	for _, doc := range segmentFiles(f) {
		f.Add(doc, doc, uint8(0))
	}
	f.Add(`{"type":"subsegment","id":"0000000000000003","parent_id":"0000000000000002",`+testTrace+`,"name":"x","start_time":1}`,
		`{"id":"0000000000000001",`+testTrace+`,"name":"n","start_time":1,"subsegments":[{"id":"0000000000000002","name":"y","start_time":1,"namespace":"aws"}]}`, uint8(1))
	f.Fuzz(func(t *testing.T, a, b string, _ uint8) {
		var docs []Document
		for _, text := range []string{a, b} {
			if d, err := ParseDocument("1", "r", text); err == nil {
				docs = append(docs, d)
			}
		}
		trace := AssembleTrace(docs)
		for _, s := range trace.Segments {
			require.True(t, validJSON(s.Document))
		}
		Summarize(trace)
		trace.SDK()
	})
}
