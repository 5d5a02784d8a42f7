// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awssession

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// isolate keeps the machine's own AWS configuration out.
func isolate(t *testing.T) {
	t.Helper()
	none := filepath.Join(t.TempDir(), "none")
	for name, value := range map[string]string{
		"AWS_CONFIG_FILE": none, "AWS_SHARED_CREDENTIALS_FILE": none, "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_REGION": "", "AWS_DEFAULT_REGION": "", "AWS_PROFILE": "", "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "",
		"AWS_ENDPOINT_URL": "",
	} {
		t.Setenv(name, value)
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	conf := confmap.NewFromStringMap(map[string]any{
		"num_workers": 3, "endpoint": "logs.us-east-1.amazonaws.com", "request_timeout_seconds": 4, "max_retries": 5,
		"no_verify_ssl": true, "proxy_address": "http://proxy:3128", "region": "us-east-1", "local_mode": true,
		"role_arn": "arn:aws:iam::123456789012:role/x", "external_id": "e", "profile": "p",
		"shared_credentials_file": []string{"f"}, "certificate_file_path": "c", "imds_retries": 6,
	})
	c := NewDefaultConfig()
	require.NoError(t, conf.Unmarshal(&c))
	assert.Equal(t, Config{
		NumWorkers: 3, Endpoint: "logs.us-east-1.amazonaws.com", RequestTimeoutSeconds: 4, MaxRetries: 5, NoVerifySSL: true,
		ProxyAddress: "http://proxy:3128", Region: "us-east-1", LocalMode: true, RoleARN: "arn:aws:iam::123456789012:role/x",
		ExternalID: "e", Profile: "p", SharedCredentialsFile: []string{"f"}, CertificateFilePath: "c", IMDSRetries: 6,
	}, c)
	require.NoError(t, c.Validate())
	assert.Equal(t, 4*time.Second, c.RequestTimeout())
}

func TestValidateTellsEverything(t *testing.T) {
	t.Parallel()
	c := Config{
		NumWorkers: 0, RequestTimeoutSeconds: 0, MaxRetries: -1, IMDSRetries: -1, ResourceARN: "arn:x", RoleARN: "x",
		ProxyAddress: "proxy:1", Endpoint: "ftp://x", AccessKeyID: "a",
	}
	err := c.Validate()
	for _, key := range []string{
		"num_workers", "request_timeout_seconds", "max_retries", "imds_retries", "resource_arn", "role_arn", "proxy_address",
		"endpoint", "secret_access_key",
	} {
		require.ErrorContains(t, err, `"`+key+`"`)
	}
	for key, edit := range map[string]func(*Config){
		"external_id":   func(c *Config) { c.ExternalID = "e" },
		"session_token": func(c *Config) { c.SessionToken = "e" },
		"profile":       func(c *Config) { c.AccessKeyID, c.SecretAccessKey, c.Profile = "a", "s", "p" },
	} {
		c := NewDefaultConfig()
		edit(&c)
		require.ErrorContains(t, c.Validate(), key)
	}
}

func TestOpen(t *testing.T) {
	isolate(t)
	c := NewDefaultConfig()
	c.Region, c.Endpoint, c.AccessKeyID, c.SecretAccessKey = "eu-west-1", "127.0.0.1:1", "id", "secret"
	c.LocalMode = true
	s, err := c.Open(t.Context())
	require.NoError(t, err)
	defer s.Close()
	assert.Equal(t, "eu-west-1", s.AWS.Region)
	assert.Equal(t, "https://127.0.0.1:1", *s.Endpoint)
	got, err := s.AWS.Credentials.Retrieve(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "id", got.AccessKeyID)
	assert.Equal(t, 3, s.AWS.Retryer().MaxAttempts())
}

func TestOpenProfile(t *testing.T) {
	isolate(t)
	file := filepath.Join(t.TempDir(), "credentials")
	require.NoError(t, os.WriteFile(file, []byte("[p]\naws_access_key_id = fromfile\naws_secret_access_key = s\n"), 0o600))
	c := NewDefaultConfig()
	c.Region, c.Profile, c.SharedCredentialsFile = "eu-west-1", "p", []string{file}
	s, err := c.Open(t.Context())
	require.NoError(t, err)
	defer s.Close()
	got, err := s.AWS.Credentials.Retrieve(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "fromfile", got.AccessKeyID)
}

func TestOpenFails(t *testing.T) {
	isolate(t)
	c := NewDefaultConfig()
	c.LocalMode = true
	_, err := c.Open(t.Context())
	require.ErrorContains(t, err, `set "region"`)
	c.Region, c.CertificateFilePath = "eu-west-1", filepath.Join(t.TempDir(), "none.pem")
	_, err = c.Open(t.Context())
	require.ErrorContains(t, err, "certificate_file_path")
	require.NoError(t, os.WriteFile(c.CertificateFilePath, []byte("no"), 0o600))
	_, err = c.Open(t.Context())
	require.ErrorContains(t, err, "no certificate")
}

func answer(code int, api error) error {
	return &smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: &http.Response{StatusCode: code}}, Err: api}
}

func TestPassing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err                error
		passing, throttled bool
	}{
		"none":         {nil, false, false},
		"no answer":    {errors.New("connection refused"), true, false},
		"timeout":      {context.DeadlineExceeded, true, false},
		"throttled":    {answer(400, &smithy.GenericAPIError{Code: "ThrottlingException"}), true, true},
		"rate":         {answer(429, nil), true, true},
		"fault":        {answer(500, &smithy.GenericAPIError{Code: "InternalServiceFault"}), true, false},
		"unavailable":  {answer(503, nil), true, false},
		"denied":       {answer(403, &smithy.GenericAPIError{Code: "AccessDeniedException"}), true, false},
		"forbidden":    {answer(403, nil), true, false},
		"other name":   {answer(403, &smithy.GenericAPIError{Code: "AuthFailure"}), true, false},
		"invalid":      {answer(400, &smithy.GenericAPIError{Code: "InvalidParameterException"}), false, false},
		"conflict":     {answer(400, &smithy.GenericAPIError{Code: "OperationAbortedException"}), true, false},
		"too large":    {answer(413, nil), false, false},
		"unwritable":   {&smithy.SerializationError{Err: errors.New("x")}, false, false},
		"not complete": {smithy.InvalidParamsError{}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, c.passing, Passing(c.err))
			assert.Equal(t, c.throttled, Throttled(c.err))
		})
	}
}
