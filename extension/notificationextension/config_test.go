// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package notificationextension

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
)

func load(t *testing.T, file string) (*Config, error) {
	t.Helper()
	conf, err := confmaptest.LoadConf(filepath.Join("testdata", file))
	require.NoError(t, err)
	sub, err := conf.Sub("notifications")
	require.NoError(t, err)
	cfg := createDefaultConfig().(*Config)
	if err := sub.Unmarshal(cfg); err != nil {
		return nil, err
	}
	return cfg, confmap.Validate(cfg)
}

func TestDefaultConfig(t *testing.T) {
	cfg := createDefaultConfig()
	require.NoError(t, confmap.New().Unmarshal(cfg))
	assert.Equal(t, createDefaultConfig(), cfg)
	require.NoError(t, confmap.Validate(cfg))
	assert.False(t, cfg.(*Config).Forward.HasValue())
}

func TestConfig(t *testing.T) {
	cfg, err := load(t, "config.yaml")
	require.NoError(t, err)
	assert.Equal(t, component.MustNewID("file_storage"), *cfg.Storage)
	assert.Equal(t, "https://sns.{region}.example.com", cfg.ExternalURL)
	assert.Equal(t, []RouteConfig{{ARN: "arn:aws:sns:us-east-1:123456789012:pager", Receiver: "oncall", Forward: true}}, cfg.Routes)
	require.True(t, cfg.Forward.HasValue())
	assert.Equal(t, "us-east-1", cfg.Forward.Get().Session.Region)
	assert.Equal(t, 30, cfg.Forward.Get().Session.RequestTimeoutSeconds)
	assert.Equal(t, []string{"sns", "lambda"}, cfg.Forward.Get().Services)
	assert.Equal(t, "dead.jsonl", cfg.DeadLetter.File)
}

func TestBadConfig(t *testing.T) {
	for file, want := range map[string][]string{
		"bad_alertmanager.yaml": {`"alertmanager": `, "field url_typo not found"},
		"bad_route.yaml": {
			`"routes[0]::arn" must be the ARN of an action, got "pager"`,
			`"routes[0]::receiver": there is no receiver "nobody" in "alertmanager::receivers"`,
			`"routes[1]::forward" needs "forward"`,
			`"routes[2]" is there twice`,
		},
		"bad_values.yaml": {
			`"endpoint": must be host:port`, `"external_url" must be a URL`, `"queue::max_items" must be greater than 0, got 0`,
			`"retry::multiplier" must be at least 1, got 0.5`, `"retry::max_interval" must not be less than`,
			`"dead_letter::max_backups" must not be negative`, `"sns::retry_delay_scale" must not be negative`,
			`"insufficient_data_severity" must be a severity, or "off"`, `"forward::services": "sqs" is none of sns, lambda, ssm, autoscaling`,
			`"role_arn" must be the ARN of a role`,
		},
		"bad_key.yaml": {"has invalid keys: endpiont"},
	} {
		t.Run(file, func(t *testing.T) {
			_, err := load(t, file)
			require.Error(t, err)
			for _, text := range want {
				assert.ErrorContains(t, err, text)
			}
		})
	}
}
