// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package emfconnector

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
)

func TestConfig(t *testing.T) {
	conf, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)
	for _, tt := range []struct {
		id      string
		want    *Config
		wantErr string
	}{
		{"emf", &Config{ErrorMetrics: true, PrefixedLogGroups: []string{"/aws/lambda/"}}, ""},
		{"emf/all", &Config{
			AccountID: "123456789012", Region: "eu-central-1", PrefixedLogGroups: []string{"/aws/lambda/", "/custom/"},
		}, ""},
		{"emf/bad", nil, `"prefixed_log_groups" must not contain an empty string`},
	} {
		t.Run(tt.id, func(t *testing.T) {
			cfg := createDefaultConfig()
			sub, err := conf.Sub(tt.id)
			require.NoError(t, err)
			require.NoError(t, sub.Unmarshal(cfg))
			err = confmap.Validate(cfg)
			if tt.wantErr != "" {
				require.ErrorContains(t, err, tt.wantErr)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tt.want, cfg)
		})
	}
}
