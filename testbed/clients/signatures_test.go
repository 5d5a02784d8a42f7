// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package clients

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/testbed/collector"
)

// testSignatures starts a collector with credentials (examples/secured.yaml): who has others is refused, in the words
// that AWS has for it.
func testSignatures(t *testing.T) {
	t.Helper()
	c := collector.Start(t, collector.Options{
		Config: filepath.Join(collector.Root(), "examples", "secured.yaml"),
		Env:    []string{"NEPHOSCOPE_ACCESS_KEY_ID=test", "NEPHOSCOPE_SECRET_ACCESS_KEY=test"},
	})
	sign := func(t *testing.T, r request, service, key, secret string, at time.Time) failure {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), r.method, "http://"+c.AWS+r.path, bytes.NewReader(r.body))
		require.NoError(t, err)
		for k, v := range r.header {
			req.Header.Set(k, v)
		}
		hash := sha256.Sum256(r.body)
		require.NoError(t, v4.NewSigner().SignHTTP(t.Context(), aws.Credentials{AccessKeyID: key, SecretAccessKey: secret},
			req, hex.EncodeToString(hash[:]), service, "us-east-1", at))
		return sendRequest(t, req)
	}
	now := time.Now()
	logs, metrics, traces := logsCall("DescribeLogGroups", "{}"), queryCall("Action=ListMetrics&Version=2010-08-01"), xrayCall("/Traces", `{"TraceIds":["1-00000001-000000000000000000000001"]}`)

	t.Run("good signatures", func(t *testing.T) {
		assert.Equal(t, 200, sign(t, logs, "logs", "test", "test", now).status)
		assert.Equal(t, 200, sign(t, metrics, "monitoring", "test", "test", now).status)
		assert.Equal(t, 200, sign(t, traces, "xray", "test", "test", now).status)
		_, err := cloudwatch.NewFromConfig(c.AWSConfig()).ListMetrics(t.Context(), &cloudwatch.ListMetricsInput{})
		require.NoError(t, err)
	})

	for _, tc := range []struct {
		name, key, secret string
		at                time.Time
		logs, query, xray string // codes
		message           string
	}{
		{"another secret", "test", "guess", now, "InvalidSignatureException", "SignatureDoesNotMatch", "InvalidSignatureException", "The request signature we calculated does not match"},
		{"an unknown key", "AKIDOTHER", "test", now, "UnrecognizedClientException", "InvalidClientTokenId", "UnrecognizedClientException", "The security token included in the request is invalid"},
		{"a clock that is behind", "test", "test", now.Add(-20 * time.Minute), "InvalidSignatureException", "SignatureDoesNotMatch", "InvalidSignatureException", "Signature expired: "},
		{"a clock that is ahead", "test", "test", now.Add(20 * time.Minute), "InvalidSignatureException", "SignatureDoesNotMatch", "InvalidSignatureException", "Signature not yet current: "},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := sign(t, logs, "logs", tc.key, tc.secret, tc.at)
			assert.Equal(t, failureOf(400, tc.logs), failureOf(f.status, f.code), f.message)
			assert.Contains(t, f.message, tc.message)
			f = sign(t, metrics, "monitoring", tc.key, tc.secret, tc.at)
			assert.Equal(t, failureOf(403, tc.query), failureOf(f.status, f.code), f.message)
			assert.Contains(t, f.message, tc.message)
			f = sign(t, traces, "xray", tc.key, tc.secret, tc.at)
			assert.Equal(t, failureOf(403, tc.xray), failureOf(f.status, f.code), f.message)
			assert.NotEmpty(t, f.header.Get("Date"), "clients correct their clocks by it")
		})
	}

	t.Run("no signature", func(t *testing.T) {
		assert.Equal(t, "MissingAuthenticationTokenException", logs.send(t, c.AWS).code)
		f := metrics.send(t, c.AWS)
		assert.Equal(t, failureOf(403, "MissingAuthenticationToken"), failureOf(f.status, f.code))
	})
	t.Run("half a signature", func(t *testing.T) {
		f := logs.with("Authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/logs/aws4_request").send(t, c.AWS)
		assert.Equal(t, "IncompleteSignatureException", f.code)
	})
	t.Run("a body that was changed", func(t *testing.T) {
		body := []byte(`{"limit":1}`)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+c.AWS+"/", bytes.NewReader([]byte(`{"limit":2}`)))
		require.NoError(t, err)
		for k, v := range logs.header {
			req.Header.Set(k, v)
		}
		hash := sha256.Sum256(body)
		require.NoError(t, v4.NewSigner().SignHTTP(t.Context(), aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"},
			req, hex.EncodeToString(hash[:]), "logs", "us-east-1", now))
		assert.Equal(t, "InvalidSignatureException", sendRequest(t, req).code)
	})
	t.Run("an SDK with the wrong secret", func(t *testing.T) {
		cfg := c.AWSConfig()
		cfg.Credentials = credentials.NewStaticCredentialsProvider("test", "wrong", "")
		var api smithy.APIError
		_, err := cloudwatch.NewFromConfig(cfg).ListMetrics(t.Context(), &cloudwatch.ListMetricsInput{})
		require.ErrorAs(t, err, &api)
		assert.Equal(t, "SignatureDoesNotMatch", api.ErrorCode(), "the query protocol's code, over CBOR")
		_, err = cloudwatchlogs.NewFromConfig(cfg).DescribeLogGroups(t.Context(), &cloudwatchlogs.DescribeLogGroupsInput{})
		require.ErrorAs(t, err, &api)
		assert.Equal(t, "InvalidSignatureException", api.ErrorCode())
	})
}

// failureOf is a status and a code, to be compared at once.
func failureOf(status int, code string) string { return http.StatusText(status) + " " + code }
