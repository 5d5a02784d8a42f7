// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awswire

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwschemas "github.com/aws/aws-sdk-go-v2/service/cloudwatch/schemas"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/xray"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/aws/smithy-go/transport/http/protocol/awsjson"
	"github.com/aws/smithy-go/transport/http/protocol/awsquery"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/pkg/sigv4"
)

const (
	testKey    = "AKIDEXAMPLE"
	testSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
)

type testCredentials struct{}

func (testCredentials) Credentials(accessKey string) (secret, sessionToken, account string, ok bool) {
	return testSecret, "", "123456789012", accessKey == testKey
}

// sdkConfig is a client's configuration against url.
func sdkConfig(url string, client aws.HTTPClient) aws.Config {
	return aws.Config{
		Region:           "eu-west-1",
		Credentials:      credentials.NewStaticCredentialsProvider(testKey, testSecret, ""),
		BaseEndpoint:     aws.String(url),
		RetryMaxAttempts: 1,
		HTTPClient:       client,
	}
}

// serveMux starts a server that verifies signatures strictly.
func serveMux(t *testing.T, settings MuxSettings) (*httptest.Server, aws.Config) {
	t.Helper()
	if settings.Authenticator == nil {
		settings.Authenticator = NewAuthenticator(AuthenticatorSettings{
			Verifier: sigv4.NewVerifier(sigv4.Settings{Mode: sigv4.ModeStrict, Provider: testCredentials{}}),
		})
	}
	m, err := NewMux(settings)
	require.NoError(t, err)
	srv := httptest.NewServer(m)
	t.Cleanup(srv.Close)
	return srv, sdkConfig(srv.URL, srv.Client())
}

// filler makes values of the SDK's types with everything set.
type filler struct {
	n     int
	skip  []string // Type.Field
	seen  []reflect.Type
	depth int
}

func (f *filler) fill(v reflect.Value) {
	f.n++
	f.depth++
	defer func() { f.depth-- }()
	if v.Type() == typeTime {
		v.Set(reflect.ValueOf(time.UnixMilli(1735689600000 + int64(f.n)*1001).UTC()))
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.Type().Elem().Kind() == reflect.Struct && v.Type().Elem() != typeTime && slices.Contains(f.seen, v.Type().Elem()) {
			return // the type contains itself
		}
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(v.Elem())
	case reflect.Struct:
		f.seen = append(f.seen, v.Type())
		for i := range v.NumField() {
			sf := v.Type().Field(i)
			if !sf.IsExported() || sf.Name == "ResultMetadata" || sf.Name == "ErrorCodeOverride" ||
				slices.Contains(f.skip, v.Type().Name()+"."+sf.Name) {
				continue
			}
			f.fill(v.Field(i))
		}
		f.seen = f.seen[:len(f.seen)-1]
	case reflect.String:
		v.SetString(fmt.Sprintf("väl \"%d\" <&>\\\n+", f.n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int32, reflect.Int64:
		v.SetInt(int64(f.n) - 50)
	case reflect.Float32, reflect.Float64:
		v.SetFloat(float64(f.n) / 8)
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			v.SetBytes([]byte{1, 2, byte(f.n)})
			return
		}
		if slices.Contains(f.seen, v.Type().Elem()) {
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		f.fill(v.Index(0))
		f.fill(v.Index(1))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range 2 {
			e := reflect.New(v.Type().Elem()).Elem()
			f.fill(e)
			v.SetMapIndex(reflect.ValueOf(fmt.Sprintf("key %d", f.n)).Convert(v.Type().Key()), e)
		}
	case reflect.Interface:
		table := unions[v.Type()]
		w := reflect.New(table[f.n%len(table)])
		f.fill(w.Elem())
		v.Set(w)
	default:
		panic("no value for " + v.Type().String())
	}
}

// utc sets the location of every time in v: the SDK's decoders do not agree on one.
func utc(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			utc(v.Elem())
		}
	case reflect.Struct:
		if v.Type() == typeTime {
			v.Set(reflect.ValueOf(v.Interface().(time.Time).UTC()))
			return
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				utc(v.Field(i))
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			utc(v.Index(i))
		}
	case reflect.Interface:
		utc(v.Elem())
	}
}

// TestEveryOperation calls each operation of each service with the SDK's own client, everything set in its input and
// its output, and compares what arrives.
func TestEveryOperation(t *testing.T) {
	skip := []string{
		"PutEventsInput.EndpointId",               // another endpoint and SigV4a
		"StartLiveTailInput", "GetLogObjectInput", // event streams
	}
	for _, tc := range []struct {
		name, service string
		client        func(aws.Config) any
	}{
		{"cloudwatch cbor", "monitoring", func(c aws.Config) any { return cloudwatch.NewFromConfig(c) }},
		{"cloudwatch json", "monitoring", func(c aws.Config) any {
			return cloudwatch.NewFromConfig(c, func(o *cloudwatch.Options) {
				o.Protocol = awsjson.New10(cwschemas.GraniteServiceVersion20100801)
			})
		}},
		{"cloudwatch query", "monitoring", func(c aws.Config) any {
			return cloudwatch.NewFromConfig(c, func(o *cloudwatch.Options) {
				o.Protocol = awsquery.New(cwschemas.GraniteServiceVersion20100801)
			})
		}},
		{"cloudwatchlogs", "logs", func(c aws.Config) any { return cloudwatchlogs.NewFromConfig(c) }},
		{"xray", "xray", func(c aws.Config) any { return xray.NewFromConfig(c) }},
		{"eventbridge", "events", func(c aws.Config) any { return eventbridge.NewFromConfig(c) }},
		{"cloudtrail", "cloudtrail", func(c aws.Config) any { return cloudtrail.NewFromConfig(c) }},
		{"sns", "sns", func(c aws.Config) any { return sns.NewFromConfig(c) }},
		{"sts", "sts", func(c aws.Config) any { return sts.NewFromConfig(c) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := NewService(tc.service)
			skip := skip
			if tc.name == "cloudwatch query" {
				// An empty structure has no parameters, so that this union's empty alternative is not sent.
				skip = append(slices.Clone(skip), "PutMetricAlarmInput.EvaluationWindow")
			}
			var got any
			want := map[string]reflect.Value{}
			clientType := reflect.TypeOf(tc.client(aws.Config{Region: "eu-west-1"}))
			for _, name := range s.Known {
				method, ok := clientType.MethodByName(name)
				require.True(t, ok, name)
				if slices.Contains(skip, method.Type.In(2).Elem().Name()) {
					continue
				}
				out := reflect.New(method.Type.Out(0).Elem())
				(&filler{skip: skip}).fill(out.Elem())
				want[name] = out
				s.add(&Operation{
					Name: name, Input: method.Type.In(2).Elem(), Output: out.Type().Elem(), NoOutput: s.noOutput[name],
					call: func(_ context.Context, in any) (any, error) {
						got = in
						return out.Interface(), nil
					},
				})
			}
			_, cfg := serveMux(t, MuxSettings{Services: []*Service{s}})
			// The SDK closes a request's body when the answer is there. When that is before Go's transport has
			// looked for the body's end, the transport drops the connection, and the SDK tries again.
			cfg.RetryMaxAttempts = 3
			client := reflect.ValueOf(tc.client(cfg))
			for _, name := range s.Known {
				method := client.MethodByName(name)
				if !want[name].IsValid() {
					continue
				}
				t.Run(name, func(t *testing.T) {
					in := reflect.New(method.Type().In(1).Elem())
					(&filler{skip: skip}).fill(in.Elem())
					res := method.Call([]reflect.Value{reflect.ValueOf(t.Context()), in})
					err, _ := res[1].Interface().(error)
					require.NoError(t, err)
					assert.Equal(t, in.Interface(), got)
					answer := res[0].Elem()
					answer.FieldByName("ResultMetadata").SetZero()
					utc(answer)
					assert.Equal(t, want[name].Interface(), res[0].Interface())
				})
			}
		})
	}
}

// rawPost sends a request without signature.
func rawPost(t *testing.T, h http.Handler, path, body string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// disableHostPrefix keeps the client from putting "streaming-" before an IP address.
func disableHostPrefix(stack *middleware.Stack) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("disableHostPrefix",
		func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
			return next.HandleInitialize(smithyhttp.DisableEndpointHostPrefix(ctx, true), in)
		}), middleware.Before)
}
