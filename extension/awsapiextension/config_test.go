// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsapiextension

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/extension/extensiontest"

	"github.com/nephoscope/nephoscope/extension/awsapiextension/internal/metadata"
)

func TestDefaults(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	require.NoError(t, confmap.New().Unmarshal(cfg))
	require.NoError(t, confmap.Validate(cfg))
	assert.Equal(t, "127.0.0.1:4566", cfg.Endpoint)
	assert.Equal(t, "000000000000", cfg.AccountID)
	assert.Equal(t, "us-east-1", cfg.Region)
	assert.Equal(t, AuthModeOff, cfg.Auth.Mode)
	assert.Nil(t, cfg.Store)
	assert.Nil(t, cfg.Storage)
}

func TestLoadConfig(t *testing.T) {
	conf, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)
	cfg := createDefaultConfig().(*Config)
	require.NoError(t, conf.Unmarshal(cfg))
	require.NoError(t, confmap.Validate(cfg))
	store, storage := component.MustNewIDWithName("store", "main"), component.MustNewID("file_storage")
	assert.Equal(t, &Config{
		Endpoint: "0.0.0.0:8080", Store: &store, Storage: &storage, AccountID: "123456789012", Region: "eu-west-1",
		Auth: AuthConfig{Mode: AuthModeStrict, Credentials: []CredentialConfig{{
			AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
			SessionToken: "token", AccountID: "210987654321",
		}}},
		MetricStreams: MetricStreamsConfig{Delay: 30 * time.Second, Destinations: []MetricStreamDestination{{
			FirehoseARN: "arn:aws:firehose:eu-west-1:123456789012:deliverystream/metrics", Endpoint: "http://127.0.0.1:4433/metrics", AccessKey: "key",
		}}},
		MaxRequestBodySize: 1000000, MaxConcurrentRequests: 10,
		ReadHeaderTimeout: time.Second, ReadTimeout: 2 * time.Second, WriteTimeout: 3 * time.Second, IdleTimeout: 4 * time.Second,
	}, cfg)

	e, err := newExtension(extensiontest.NewNopSettings(metadata.Type), cfg, time.Now)
	require.NoError(t, err)
	assert.Equal(t, []component.ID{store, storage}, e.Dependencies())
}

func TestBadConfig(t *testing.T) {
	conf, err := confmaptest.LoadConf(filepath.Join("testdata", "bad_config.yaml"))
	require.NoError(t, err)
	cfg := createDefaultConfig().(*Config)
	require.NoError(t, conf.Unmarshal(cfg))
	err = confmap.Validate(cfg)
	for _, want := range []string{
		`"endpoint": must be host:port`,
		`"account_id" must be 12 digits, got "1"`,
		`"region" must be the name of a region such as us-east-1, got "Mars"`,
		`"mode" must be off, lenient or strict, got "sometimes"`,
		`"credentials[0]::access_key_id" is required`,
		`"credentials[0]::secret_access_key" is required`,
		`"credentials[0]::account_id" must be 12 digits, got "2"`,
		`"credentials[2]::access_key_id" a is there twice`,
		`"max_request_body_size" must be greater than 0`,
		`"max_concurrent_requests" must be greater than 0`,
		`"read_header_timeout" must be greater than 0`,
		`"delay" must be from 0 to 30m0s, got -1s`,
		`"destinations[0]::firehose_arn" is required`,
		`"destinations[0]::endpoint" must be a URL, got "somewhere"`,
		`"destinations[2]::firehose_arn" a is there twice`,
	} {
		require.ErrorContains(t, err, want)
	}
}

func TestAuthConfig(t *testing.T) {
	key := []CredentialConfig{{AccessKeyID: "a", SecretAccessKey: "b"}}
	require.NoError(t, (&AuthConfig{Mode: AuthModeOff}).Validate())
	require.NoError(t, (&AuthConfig{Mode: AuthModeLenient, Credentials: key}).Validate())
	require.NoError(t, (&AuthConfig{Mode: AuthModeStrict, Credentials: key}).Validate())
	require.ErrorContains(t, (&AuthConfig{Mode: AuthModeOff, Credentials: key}).Validate(), "not looked at")
	require.ErrorContains(t, (&AuthConfig{Mode: AuthModeStrict}).Validate(), `"mode" strict needs "credentials"`)
	require.ErrorContains(t, (&AuthConfig{Mode: AuthModeLenient}).Validate(), `"mode" lenient needs "credentials"`)
}

// TestOpenEndpoints checks that only endpoints that verify signatures can be reached from other machines.
func TestOpenEndpoints(t *testing.T) {
	for endpoint, local := range map[string]bool{
		"127.0.0.1:0": true, "127.9.9.9:4566": true, "localhost:4566": true, "[::1]:4566": true,
		"0.0.0.0:4566": false, ":4566": false, "[::]:4566": false, "10.0.0.1:4566": false, "example.com:4566": false,
		"localhost.example.com:4566": false,
	} {
		cfg := createDefaultConfig().(*Config)
		cfg.Endpoint = endpoint
		if err := cfg.Validate(); local {
			require.NoError(t, err, endpoint)
		} else {
			require.ErrorContains(t, err, "can be reached from other machines", endpoint)
		}
		cfg.Auth = AuthConfig{Mode: AuthModeLenient, Credentials: []CredentialConfig{{AccessKeyID: "a", SecretAccessKey: "b"}}}
		if !local {
			require.ErrorContains(t, cfg.Validate(), "can be reached from other machines", endpoint)
		}
		cfg.Auth.Mode = AuthModeStrict
		require.NoError(t, cfg.Validate(), endpoint)
	}
	for endpoint, want := range map[string]string{
		"": "must be host:port", "127.0.0.1": "must be host:port", "127.0.0.1:http": "is not a number", "127.0.0.1:70000": "is not a number",
		":0": "got neither",
	} {
		cfg := createDefaultConfig().(*Config)
		cfg.Endpoint = endpoint
		require.ErrorContains(t, cfg.Validate(), want, endpoint)
	}
}
