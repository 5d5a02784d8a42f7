// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package notificationextension

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensiontest"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"

	"github.com/nephoscope/nephoscope/extension/notificationextension/internal/metadata"
	"github.com/nephoscope/nephoscope/internal/actions"
	"github.com/nephoscope/nephoscope/pkg/alarm"
	"github.com/nephoscope/nephoscope/pkg/awswire"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
	domain "github.com/nephoscope/nephoscope/pkg/sns"
)

const (
	account = "123456789012"
	region  = "eu-west-1"
	// patience is how long tests wait for what has to happen.
	patience = 30 * time.Second
)

var (
	extensionID = component.NewID(metadata.Type)
	storageID   = component.MustNewID("file_storage")
)

type host map[component.ID]component.Component

func (h host) GetExtensions() map[component.ID]component.Component { return h }

// collector is a collector with the extension and its storage.
type collector struct {
	t       testing.TB
	dir     string
	cfg     *Config
	storage component.Component
	ext     *notifications
	sns     *sns.Client
	results chan actions.Result
	stop    func()
}

// fast is a configuration in which nothing takes long.
func fast(tb testing.TB) *Config {
	tb.Helper()
	cfg := createDefaultConfig().(*Config)
	cfg.Endpoint = "localhost:0"
	cfg.Storage = &storageID
	cfg.Retry.InitialInterval, cfg.Retry.MaxInterval = 5*time.Millisecond, 20*time.Millisecond
	cfg.SNS.RetryDelayScale = 0.0005
	return cfg
}

func start(tb testing.TB, cfg *Config) *collector {
	tb.Helper()
	return startIn(tb, cfg, tb.TempDir())
}

// startIn starts a collector whose storage is in dir.
func startIn(tb testing.TB, cfg *Config, dir string) *collector {
	tb.Helper()
	require.NoError(tb, cfg.Validate())
	c := &collector{t: tb, dir: dir, cfg: cfg, results: make(chan actions.Result, 10_000)}
	ctx := tb.Context()
	h := host{}

	files := filestorage.NewFactory()
	filesConfig := files.CreateDefaultConfig().(*filestorage.Config)
	filesConfig.Directory = dir
	var err error
	c.storage, err = files.Create(ctx, extensiontest.NewNopSettings(files.Type()), filesConfig)
	require.NoError(tb, err)
	require.NoError(tb, c.storage.Start(ctx, h))
	h[storageID] = c.storage

	set := extensiontest.NewNopSettings(metadata.Type)
	set.ID = extensionID
	ext, err := NewFactory().Create(ctx, set, cfg)
	require.NoError(tb, err)
	c.ext = ext.(*notifications)
	require.NoError(tb, ext.Start(ctx, h))
	h[extensionID] = ext
	d, err := actions.Find(h, extensionID)
	require.NoError(tb, err)
	d.OnResult(func(_ context.Context, list []actions.Result) error {
		for _, r := range list {
			c.results <- r
		}
		return nil
	})
	c.serveAPI(ext)
	c.stop = sync.OnceFunc(func() {
		require.NoError(tb, ext.Shutdown(context.Background()))
		require.NoError(tb, c.storage.Shutdown(context.Background()))
	})
	tb.Cleanup(c.stop)
	return c
}

// serveAPI has the SDK talk to the operations of the extension, as the AWS endpoint does.
func (c *collector) serveAPI(ext extension.Extension) {
	services := map[string]*awswire.Service{}
	require.NoError(c.t, ext.(*notifications).AddOperations(func(name string) *awswire.Service {
		services[name] = awswire.NewService(name)
		return services[name]
	}))
	mux, err := awswire.NewMux(awswire.MuxSettings{Services: []*awswire.Service{services["sns"]}})
	require.NoError(c.t, err)
	srv := httptest.NewServer(mux)
	c.t.Cleanup(srv.Close)
	c.sns = sns.NewFromConfig(aws.Config{
		Region: region, BaseEndpoint: &srv.URL, HTTPClient: wholeBodies{srv.Client()},
		Credentials: credentials.NewStaticCredentialsProvider(account, "secret", ""),
		Retryer:     func() aws.Retryer { return aws.NopRetryer{} },
	})
}

// wholeBodies sends bodies that can be read after they were closed. The SDK closes them as soon as there is an answer, which
// on loopback may be before the transport has seen their end: it then gives up the connection, and the answer with it.
type wholeBodies struct{ *http.Client }

func (w wholeBodies) Do(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		req.Body = io.NopCloser(bytes.NewReader(body))
	}
	return w.Client.Do(req)
}

func (c *collector) topic(name string) string {
	c.t.Helper()
	out, err := c.sns.CreateTopic(c.t.Context(), &sns.CreateTopicInput{Name: &name})
	require.NoError(c.t, err)
	return *out.TopicArn
}

// result is how the next action has ended.
func (c *collector) result() actions.Result {
	c.t.Helper()
	return next(c.t, c.results)
}

func next[T any](tb testing.TB, ch <-chan T) T {
	tb.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(patience):
		require.FailNow(tb, "nothing came")
		panic("unreachable")
	}
}

// request is what a receiver was sent.
type request struct {
	method string
	path   string
	header http.Header
	body   string
}

func (r request) decode(tb testing.TB) map[string]any {
	tb.Helper()
	var doc map[string]any
	require.NoError(tb, json.Unmarshal([]byte(r.body), &doc), r.body)
	return doc
}

// recorder is an HTTP server that keeps what it is sent and answers as it is told to.
type recorder struct {
	*httptest.Server
	requests chan request

	mu sync.Mutex
	// answer is called one request at a time.
	answer func(request) (status int, body string)
}

func record(tb testing.TB) *recorder {
	tb.Helper()
	r := &recorder{requests: make(chan request, 10_000)}
	r.answerWith(http.StatusOK, "ok")
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return
		}
		got := request{method: req.Method, path: req.URL.Path, header: req.Header, body: string(body)}
		r.mu.Lock()
		status, text := r.answer(got)
		r.mu.Unlock()
		w.WriteHeader(status)
		_, _ = w.Write([]byte(text))
		r.requests <- got
	}))
	tb.Cleanup(r.Close)
	return r
}

func (r *recorder) answerWith(status int, body string) {
	r.answerBy(func(request) (int, string) { return status, body })
}

func (r *recorder) answerBy(f func(request) (int, string)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = f
}

// envelope reads an SNS document as a subscriber does.
func (r request) envelope(tb testing.TB) *domain.Envelope {
	tb.Helper()
	var doc struct {
		Type, MessageId, TopicArn, Message, Timestamp, SignatureVersion, Signature, SigningCertURL string
		UnsubscribeURL, Token, SubscribeURL                                                        string
		Subject                                                                                    *string
		MessageAttributes                                                                          map[string]struct{ Type, Value string }
	}
	require.NoError(tb, json.Unmarshal([]byte(r.body), &doc), r.body)
	e := &domain.Envelope{
		Type: domain.Type(doc.Type), MessageID: doc.MessageId, TopicARN: doc.TopicArn, Subject: doc.Subject, Message: doc.Message,
		Timestamp: doc.Timestamp, SignatureVersion: doc.SignatureVersion, Signature: doc.Signature, SigningCertURL: doc.SigningCertURL,
		UnsubscribeURL: doc.UnsubscribeURL, Token: doc.Token, SubscribeURL: doc.SubscribeURL,
	}
	for k, v := range doc.MessageAttributes {
		if e.Attributes == nil {
			e.Attributes = domain.Attributes{}
		}
		e.Attributes[k] = domain.Attribute{DataType: v.Type, Value: v.Value}
	}
	return e
}

func get(tb testing.TB, url string) (status int, body string) {
	tb.Helper()
	req, err := http.NewRequestWithContext(tb.Context(), http.MethodGet, url, http.NoBody)
	require.NoError(tb, err)
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	require.NoError(tb, err)
	defer func() { require.NoError(tb, resp.Body.Close()) }()
	text, err := io.ReadAll(resp.Body)
	require.NoError(tb, err)
	return resp.StatusCode, string(text)
}

// action is an action of an alarm called name.
func action(id, target, name string, state alarm.State) actions.Action {
	old := alarm.StateOK
	if state == alarm.StateOK {
		old = alarm.StateAlarm
	}
	arn := "arn:aws:cloudwatch:" + region + ":" + account + ":alarm:" + name
	return actions.Action{
		ID: id, Target: target, Tenant: cloudwatch.Tenant{Account: account, Region: region}, Time: time.Now(),
		AlarmARN: arn, AlarmName: name, Old: old, New: state, Reason: "Threshold Crossed",
		Subject: string(state) + `: "` + name + `" in EU (Ireland)`, Message: `{"AlarmName":"` + name + `"}`,
		SMS: "sms", Email: "email", Event: `{"source":"aws.cloudwatch"}`,
		Labels: map[string]string{
			"alertname": name, "alarm_arn": arn, "account": account, "region": region, "severity": "critical",
			"alarm_type": "MetricAlarm", "namespace": "AWS/EC2", "metric": "CPUUtilization",
		},
		Annotations: map[string]string{"description": "too hot", "runbook": "https://runbooks/" + name, "reason": "Threshold Crossed"},
	}
}

func (c *collector) dispatch(list ...actions.Action) {
	c.t.Helper()
	require.NoError(c.t, c.ext.Dispatch(c.t.Context(), list))
}

func unmarshal(text string, v any) error { return json.Unmarshal([]byte(text), v) }

// envelopeAt is an envelope whose links lead to a collector that was started again on another port.
func (r request) envelopeAt(tb testing.TB, c *collector) *domain.Envelope {
	tb.Helper()
	e := r.envelope(tb)
	i := strings.LastIndexByte(e.SigningCertURL, '/')
	e.SigningCertURL = "http://" + c.ext.Endpoint() + e.SigningCertURL[i:]
	return e
}
