// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awswire

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwschemas "github.com/aws/aws-sdk-go-v2/service/cloudwatch/schemas"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/xray"
	xraytypes "github.com/aws/aws-sdk-go-v2/service/xray/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/transport/http/protocol/awsjson"
	"github.com/aws/smithy-go/transport/http/protocol/awsquery"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var cloudwatchProtocols = map[string]func(o *cloudwatch.Options){
	"cbor":  func(*cloudwatch.Options) {},
	"json":  func(o *cloudwatch.Options) { o.Protocol = awsjson.New10(cwschemas.GraniteServiceVersion20100801) },
	"query": func(o *cloudwatch.Options) { o.Protocol = awsquery.New(cwschemas.GraniteServiceVersion20100801) },
}

// TestSDKErrors checks that the SDK's clients get the SDK's error types back.
func TestSDKErrors(t *testing.T) {
	var fail error
	monitoring := NewService("monitoring")
	Handle(monitoring, "GetDashboard", func(context.Context, *cloudwatch.GetDashboardInput) (*cloudwatch.GetDashboardOutput, error) {
		return nil, fail
	})
	Handle(monitoring, "PutDashboard", func(context.Context, *cloudwatch.PutDashboardInput) (*cloudwatch.PutDashboardOutput, error) {
		return nil, fail
	})
	logs := NewService("logs")
	Handle(logs, "StartQuery", func(context.Context, *cloudwatchlogs.StartQueryInput) (*cloudwatchlogs.StartQueryOutput, error) {
		return nil, fail
	})
	traces := NewService("xray")
	Handle(traces, "TagResource", func(context.Context, *xray.TagResourceInput) (*xray.TagResourceOutput, error) { return nil, fail })
	topics := NewService("sns")
	Handle(topics, "GetTopicAttributes", func(context.Context, *sns.GetTopicAttributesInput) (*sns.GetTopicAttributesOutput, error) {
		return nil, fail
	})
	identity := NewService("sts")
	Handle(identity, "GetCallerIdentity", func(context.Context, *sts.GetCallerIdentityInput) (*sts.GetCallerIdentityOutput, error) {
		return nil, fail
	})
	_, cfg := serveMux(t, MuxSettings{Services: []*Service{monitoring, logs, traces, topics, identity}})

	for name, protocol := range cloudwatchProtocols {
		t.Run("monitoring "+name, func(t *testing.T) {
			client := cloudwatch.NewFromConfig(cfg, protocol)
			get := func() error {
				_, err := client.GetDashboard(t.Context(), &cloudwatch.GetDashboardInput{DashboardName: aws.String("d")})
				return err
			}
			var response interface{ HTTPStatusCode() int }

			fail = &cwtypes.DashboardNotFoundError{Message: aws.String("Dashboard d does not exist")}
			err := get()
			if name == "query" { // where the code is all there is, and two shapes share it
				var notFound *cwtypes.ResourceNotFound
				require.ErrorAs(t, err, &notFound)
				assert.Equal(t, "Dashboard d does not exist", notFound.ErrorMessage())
			} else {
				var notFound *cwtypes.DashboardNotFoundError
				require.ErrorAs(t, err, &notFound)
				assert.Equal(t, "Dashboard d does not exist", notFound.ErrorMessage())
			}
			require.ErrorAs(t, err, &response)
			if name != "json" { // the SDK's awsJson does not ask for query mode
				assert.Equal(t, 404, response.HTTPStatusCode())
			}

			// An Error with the shape's name is the same on the wire.
			fail = &Error{Code: "InvalidParameterValueException", Message: "bad"}
			var value *cwtypes.InvalidParameterValueException
			require.ErrorAs(t, get(), &value)
			assert.Equal(t, "bad", value.ErrorMessage())

			fail = &cwtypes.ResourceNotFoundException{Message: aws.String("m"), ResourceId: aws.String("r"), ResourceType: aws.String("t")}
			var resource *cwtypes.ResourceNotFoundException
			require.ErrorAs(t, get(), &resource)
			assert.Equal(t, "m", resource.ErrorMessage())
			if name != "query" { // which carries no more than code and message for some clients
				assert.Equal(t, "r", *resource.ResourceId)
			}

			fail = &cwtypes.InternalServiceFault{Message: aws.String("later")}
			var internal *cwtypes.InternalServiceFault
			err = get()
			require.ErrorAs(t, err, &internal)
			require.ErrorAs(t, err, &response)
			assert.Equal(t, 500, response.HTTPStatusCode())

			fail = &cwtypes.DashboardInvalidInputError{
				Message:                     aws.String("invalid"),
				DashboardValidationMessages: []cwtypes.DashboardValidationMessage{{DataPath: aws.String("/widgets/0"), Message: aws.String("no type")}},
			}
			_, err = client.PutDashboard(t.Context(), &cloudwatch.PutDashboardInput{DashboardName: aws.String("d"), DashboardBody: aws.String("{}")})
			var input *cwtypes.DashboardInvalidInputError
			require.ErrorAs(t, err, &input)
			assert.Equal(t, "invalid", input.ErrorMessage())
			if name != "query" {
				require.Len(t, input.DashboardValidationMessages, 1)
				assert.Equal(t, "/widgets/0", *input.DashboardValidationMessages[0].DataPath)
			}

			// Nothing of an unexpected error gets out.
			fail = errors.New("password is hunter2")
			err = get()
			var api smithy.APIError
			require.ErrorAs(t, err, &api)
			assert.Equal(t, "InternalFailure", api.ErrorCode())
			assert.NotContains(t, err.Error(), "hunter2")
		})
	}

	t.Run("logs", func(t *testing.T) {
		client := cloudwatchlogs.NewFromConfig(cfg)
		start := func() error {
			_, err := client.StartQuery(t.Context(), &cloudwatchlogs.StartQueryInput{
				StartTime: aws.Int64(1), EndTime: aws.Int64(2), QueryString: aws.String("fields @message |"),
			})
			return err
		}
		fail = &logstypes.MalformedQueryException{
			Message: aws.String("unexpected end"),
			QueryCompileError: &logstypes.QueryCompileError{
				Message:  aws.String("expected command"),
				Location: &logstypes.QueryCompileErrorLocation{StartCharOffset: aws.Int32(17), EndCharOffset: aws.Int32(18)},
			},
		}
		var malformed *logstypes.MalformedQueryException
		require.ErrorAs(t, start(), &malformed)
		assert.Equal(t, int32(17), *malformed.QueryCompileError.Location.StartCharOffset)

		fail = &Error{Code: "MalformedQueryException", Message: "m", Fields: map[string]any{
			"queryCompileError": map[string]any{"location": map[string]any{"startCharOffset": 3}, "message": "x"},
		}}
		require.ErrorAs(t, start(), &malformed)
		assert.Equal(t, int32(3), *malformed.QueryCompileError.Location.StartCharOffset)

		fail = Throttled()
		var throttled *logstypes.ThrottlingException
		require.ErrorAs(t, start(), &throttled)
		assert.Equal(t, "Rate exceeded", throttled.ErrorMessage())

		fail = Unavailable("the store is read-only")
		var unavailable *logstypes.ServiceUnavailableException
		err := start()
		require.ErrorAs(t, err, &unavailable)
		var response interface{ HTTPStatusCode() int }
		require.ErrorAs(t, err, &response)
		assert.Equal(t, 503, response.HTTPStatusCode())

		fail = &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "no"}
		var denied *logstypes.AccessDeniedException
		require.ErrorAs(t, start(), &denied)
	})

	t.Run("xray", func(t *testing.T) {
		client := xray.NewFromConfig(cfg)
		get := func() error {
			_, err := client.TagResource(t.Context(), &xray.TagResourceInput{ResourceARN: aws.String("g"), Tags: []xraytypes.Tag{}})
			return err
		}
		fail = &xraytypes.InvalidRequestException{Message: aws.String("bad")}
		var invalid *xraytypes.InvalidRequestException
		require.ErrorAs(t, get(), &invalid)
		assert.Equal(t, "bad", invalid.ErrorMessage())

		fail = &xraytypes.ResourceNotFoundException{Message: aws.String("none"), ResourceName: aws.String("g")}
		var notFound *xraytypes.ResourceNotFoundException
		require.ErrorAs(t, get(), &notFound)
		assert.Equal(t, "g", *notFound.ResourceName)

		fail = Throttled()
		var throttled *xraytypes.ThrottledException
		err := get()
		require.ErrorAs(t, err, &throttled)
		var response interface{ HTTPStatusCode() int }
		require.ErrorAs(t, err, &response)
		assert.Equal(t, 429, response.HTTPStatusCode())
	})

	t.Run("sns", func(t *testing.T) {
		client := sns.NewFromConfig(cfg)
		fail = &snstypes.NotFoundException{Message: aws.String("Topic does not exist")}
		_, err := client.GetTopicAttributes(t.Context(), &sns.GetTopicAttributesInput{TopicArn: aws.String("a")})
		var notFound *snstypes.NotFoundException
		require.ErrorAs(t, err, &notFound)
		assert.Equal(t, "Topic does not exist", notFound.ErrorMessage())
		var response interface{ HTTPStatusCode() int }
		require.ErrorAs(t, err, &response)
		assert.Equal(t, 404, response.HTTPStatusCode())
	})

	t.Run("sts", func(t *testing.T) {
		other := cfg.Copy()
		other.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIDOTHER", SecretAccessKey: "x"}, nil
		})
		_, err := sts.NewFromConfig(other).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
		var api smithy.APIError
		require.ErrorAs(t, err, &api)
		assert.Equal(t, "InvalidClientTokenId", api.ErrorCode())
		assert.Equal(t, "The security token included in the request is invalid.", api.ErrorMessage())
	})
}

// TestErrorBodies checks errors as they stand on the wire.
func TestErrorBodies(t *testing.T) {
	var fail error
	monitoring, logs, traces := NewService("monitoring"), NewService("logs"), NewService("xray")
	Handle(monitoring, "SetAlarmState", func(context.Context, *cloudwatch.SetAlarmStateInput) (*cloudwatch.SetAlarmStateOutput, error) {
		return nil, fail
	})
	Handle(logs, "GetLogEvents", func(context.Context, *cloudwatchlogs.GetLogEventsInput) (*cloudwatchlogs.GetLogEventsOutput, error) {
		return nil, fail
	})
	Handle(traces, "GetGroup", func(context.Context, *xray.GetGroupInput) (*xray.GetGroupOutput, error) { return nil, fail })
	m, err := NewMux(MuxSettings{Services: []*Service{monitoring, logs, traces}, NewRequestID: func() string { return "ID" }})
	require.NoError(t, err)

	const (
		asQuery = "query"
		asJSON  = "json"
		asMode  = "json with query mode"
		asCBOR  = "cbor with query mode"
		asLogs  = "logs"
		asXRay  = "xray"
	)
	for _, tc := range []struct {
		name, as string
		fail     error
		status   int
		query    string // x-amzn-query-error
		body     string
	}{
		{
			name: "unknown alarm, query", as: asQuery, fail: &cwtypes.ResourceNotFound{}, status: 404,
			body: `<ErrorResponse xmlns="http://monitoring.amazonaws.com/doc/2010-08-01/"><Error><Type>Sender</Type>` +
				`<Code>ResourceNotFound</Code></Error><RequestId>ID</RequestId></ErrorResponse>` + "\n",
		},
		{
			name: "unknown alarm, json", as: asJSON, fail: &cwtypes.ResourceNotFound{}, status: 400,
			body: `{"__type":"com.amazonaws.cloudwatch.v2010_08_01#ResourceNotFound"}`,
		},
		{
			name: "unknown alarm, query mode", as: asMode, fail: &cwtypes.ResourceNotFound{}, status: 404, query: "ResourceNotFound;Sender",
			body: `{"__type":"com.amazonaws.cloudwatch.v2010_08_01#ResourceNotFound"}`,
		},
		{
			name: "unknown alarm, cbor", as: asCBOR, fail: &cwtypes.ResourceNotFound{}, status: 404, query: "ResourceNotFound;Sender",
			body: "\xbff__typex5com.amazonaws.cloudwatch.v2010_08_01#ResourceNotFound\xff",
		},
		{
			name: "combination, cbor", as: asCBOR, status: 400, query: "InvalidParameterCombination;Sender",
			fail: &cwtypes.InvalidParameterCombinationException{Message: aws.String("The parameters MetricData.member.1.Value and MetricData.member.1.Values are mutually exclusive and you have specified both.")},
			body: "\xbff__typex=com.amazon.coral.service#InvalidParameterCombinationExceptiongmessagex{The parameters MetricData.member.1.Value and MetricData.member.1.Values are mutually exclusive and you have specified both.\xff",
		},
		{
			name: "validation, json", as: asMode, fail: InvalidParameter("1 validation error detected"), status: 400, query: "ValidationError;Sender",
			body: `{"__type":"com.amazon.coral.validate#ValidationException","message":"1 validation error detected"}`,
		},
		{
			name: "missing parameter, query", as: asQuery, status: 400, fail: &cwtypes.MissingRequiredParameterException{Message: aws.String("The parameter <x> is required.")},
			body: `<ErrorResponse xmlns="http://monitoring.amazonaws.com/doc/2010-08-01/"><Error><Type>Sender</Type>` +
				`<Code>MissingParameter</Code><Message>The parameter &lt;x&gt; is required.</Message></Error><RequestId>ID</RequestId></ErrorResponse>` + "\n",
		},
		{
			name: "internal, query", as: asQuery, status: 500, fail: &cwtypes.InternalServiceFault{Message: aws.String("later")},
			body: `<ErrorResponse xmlns="http://monitoring.amazonaws.com/doc/2010-08-01/"><Error><Type>Receiver</Type>` +
				`<Code>InternalServiceError</Code><Message>later</Message></Error><RequestId>ID</RequestId></ErrorResponse>` + "\n",
		},
		{
			name: "internal, json", as: asMode, status: 500, query: "InternalServiceError;Receiver", fail: &cwtypes.InternalServiceFault{Message: aws.String("later")},
			body: `{"__type":"com.amazonaws.cloudwatch.v2010_08_01#InternalServiceFault","Message":"later"}`,
		},
		{
			name: "throttled, query", as: asQuery, status: 400, fail: Throttled(),
			body: `<ErrorResponse xmlns="http://monitoring.amazonaws.com/doc/2010-08-01/"><Error><Type>Sender</Type>` +
				`<Code>Throttling</Code><Message>Rate exceeded</Message></Error><RequestId>ID</RequestId></ErrorResponse>` + "\n",
		},
		{
			name: "not found, logs", as: asLogs, status: 400, fail: &logstypes.ResourceNotFoundException{Message: aws.String("The specified log group does not exist.")},
			body: `{"__type":"ResourceNotFoundException","message":"The specified log group does not exist."}`,
		},
		{
			name: "unavailable, logs", as: asLogs, status: 503, fail: Unavailable("later"),
			body: `{"__type":"ServiceUnavailableException","message":"later"}`,
		},
		{
			name: "status of an error", as: asLogs, status: 507, fail: &Error{Code: "Full", Status: 507},
			body: `{"__type":"Full"}`,
		},
		{
			name: "unsupported part", as: asLogs, status: 501, fail: NotImplemented("Parameter x of GetLogEvents"),
			body: `{"__type":"NotImplemented","message":"Parameter x of GetLogEvents is not implemented."}`,
		},
		{
			name: "invalid, xray", as: asXRay, status: 400, fail: &xraytypes.InvalidRequestException{Message: aws.String("bad")},
			body: `{"Message":"bad"}`,
		},
		{
			name: "not found, xray", as: asXRay, status: 404, fail: &xraytypes.ResourceNotFoundException{Message: aws.String("no"), ResourceName: aws.String("g")},
			body: `{"Message":"no","ResourceName":"g"}`,
		},
		{
			name: "member without form", as: asXRay, status: 400, fail: &Error{Code: "X", Message: "m", Fields: map[string]any{"f": make(chan int)}},
			body: `{"Message":"m"}`,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			fail = tc.fail
			target := []string{"Content-Type", "application/x-amz-json-1.0", "X-Amz-Target", "GraniteServiceVersion20100801.SetAlarmState"}
			body, path, contentType := "{}", "/", "application/x-amz-json-1.0"
			switch tc.as {
			case asQuery:
				target = []string{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}
				body, contentType = "Action=SetAlarmState&Version=2010-08-01", "text/xml"
			case asMode:
				target = append(target, "X-Amzn-Query-Mode", "true")
			case asCBOR:
				target = []string{"Smithy-Protocol", "rpc-v2-cbor", "X-Amzn-Query-Mode", "true"}
				body, path, contentType = "", "/service/GraniteServiceVersion20100801/operation/SetAlarmState", "application/cbor"
			case asLogs:
				target = []string{"Content-Type", "application/x-amz-json-1.1", "X-Amz-Target", "Logs_20140328.GetLogEvents"}
				contentType = "application/x-amz-json-1.1"
			case asXRay:
				target, path, contentType = nil, "/GetGroup", "application/json"
			}
			w := rawPost(t, m, path, body, target...)
			assert.Equal(t, tc.status, w.Code)
			assert.Equal(t, tc.body, w.Body.String())
			assert.Equal(t, tc.query, w.Header().Get("X-Amzn-Query-Error"))
			assert.Equal(t, contentType, w.Header().Get("Content-Type"))
			assert.Equal(t, "ID", w.Header().Get("X-Amzn-Requestid"))
			if tc.as == asXRay {
				f, _ := failureOf(traces, ProtocolRESTJSON, false, tc.fail)
				assert.Equal(t, f.shape, w.Header().Get("X-Amzn-Errortype"))
			}
			if tc.as == asCBOR {
				assert.Equal(t, "rpc-v2-cbor", w.Header().Get("Smithy-Protocol"))
			}
		})
	}
}

func TestErrorFieldsInEveryForm(t *testing.T) {
	fields := map[string]any{
		"a": nil, "b": []any{1, "x", true, 1.5, nil}, "c": map[string]any{"d": []string{"e"}},
		"f": &cwtypes.Dimension{Name: aws.String("n")}, "g": (*string)(nil),
	}
	f := &failure{shape: "E", queryCode: "E", message: "m"}
	for _, name := range sortedFields(fields) {
		f.members = append(f.members, failureMember{name, fields[name]})
	}
	s := NewService("monitoring")
	body, err := failureBody(s, ProtocolJSON10, f, "ID")
	require.NoError(t, err)
	require.True(t, json.Valid(body))
	assert.JSONEq(t, `{"__type":"com.amazonaws.cloudwatch.v2010_08_01#E","message":"m","a":null,"b":[1,"x",true,1.5,null],
		"c":{"d":["e"]},"f":{"Name":"n"},"g":null}`, string(body))
	body, err = failureBody(s, ProtocolQuery, f, "ID")
	require.NoError(t, err)
	assert.Contains(t, string(body), "<a></a><b><member>1</member><member>x</member><member>true</member><member>1.5</member>"+
		"<member></member></b><c><d><member>e</member></d></c><f><Name>n</Name></f><g></g></Error>")
	body, err = failureBody(s, ProtocolCBOR, f, "ID")
	require.NoError(t, err)
	sc := cborScanner{b: body}
	require.NoError(t, sc.skip())
	assert.Equal(t, len(body), sc.i)

	var deep any
	for range 100 {
		deep = []any{deep}
	}
	_, err = appendAny(nil, jsonForm, deep, 0)
	require.Error(t, err)
}

func TestCommonErrorsByService(t *testing.T) {
	denied := &Error{Code: "AccessDeniedException", Message: "no"}
	for _, tc := range []struct {
		service   string
		protocol  Protocol
		mode      bool
		status    int
		queryCode string
	}{
		{"monitoring", ProtocolQuery, false, http.StatusForbidden, "AccessDenied"},
		{"monitoring", ProtocolJSON10, false, http.StatusBadRequest, "AccessDenied"},
		{"monitoring", ProtocolCBOR, true, http.StatusForbidden, "AccessDenied"},
		{"logs", ProtocolJSON11, false, http.StatusBadRequest, "AccessDenied"},
		{"xray", ProtocolRESTJSON, false, http.StatusForbidden, "AccessDenied"},
	} {
		f, internal := failureOf(NewService(tc.service), tc.protocol, tc.mode, denied)
		assert.False(t, internal)
		assert.Equal(t, tc.status, f.status, tc.service)
		assert.Equal(t, tc.queryCode, f.queryCode)
	}
}
