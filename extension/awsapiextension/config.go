// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsapiextension

import (
	"errors"
	"fmt"
	"net"
	"regexp"
	"strconv"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configtls"
)

// Config of the AWS API extension. The names of the server's options are those of the collector's HTTP receivers.
type Config struct {
	// Endpoint is the address to listen on, host:port.
	Endpoint string `mapstructure:"endpoint"`
	// TLS makes the endpoint speak https.
	TLS configoptional.Optional[configtls.ServerConfig] `mapstructure:"tls"`

	// Store is the extension that answers reads. Without it the endpoint takes writes only.
	Store *component.ID `mapstructure:"store"`
	// Storage is the extension that keeps the state of CloudWatch Logs: groups, streams, retention. Without it the
	// logs API is not served.
	Storage *component.ID `mapstructure:"storage"`

	// AccountID owns what is put with an access key that says nothing of an account.
	AccountID string `mapstructure:"account_id"`
	// Region is that of unsigned requests.
	Region string `mapstructure:"region"`
	// Auth says whose requests are answered.
	Auth AuthConfig `mapstructure:"auth"`
	// MetricStreams says where metric streams deliver to.
	MetricStreams MetricStreamsConfig `mapstructure:"metric_streams"`

	// MaxRequestBodySize bounds a request's body as it is sent, in bytes.
	MaxRequestBodySize int64 `mapstructure:"max_request_body_size"`
	// MaxConcurrentRequests bounds the requests that are served at once; what comes beyond is throttled.
	MaxConcurrentRequests int `mapstructure:"max_concurrent_requests"`
	// ReadHeaderTimeout, ReadTimeout, WriteTimeout and IdleTimeout are those of Go's HTTP server.
	ReadHeaderTimeout time.Duration `mapstructure:"read_header_timeout"`
	ReadTimeout       time.Duration `mapstructure:"read_timeout"`
	WriteTimeout      time.Duration `mapstructure:"write_timeout"`
	IdleTimeout       time.Duration `mapstructure:"idle_timeout"`
}

// AuthMode says how signatures are treated.
type AuthMode string

// The modes.
const (
	// AuthModeOff answers everybody; of a signature only the region and account are read.
	AuthModeOff AuthMode = "off"
	// AuthModeLenient verifies the signatures of keys that are configured, and answers everybody else, too.
	AuthModeLenient AuthMode = "lenient"
	// AuthModeStrict answers requests with a valid signature of a configured key only.
	AuthModeStrict AuthMode = "strict"
)

// AuthConfig says whose requests are answered.
type AuthConfig struct {
	Mode        AuthMode           `mapstructure:"mode"`
	Credentials []CredentialConfig `mapstructure:"credentials"`
}

// CredentialConfig is one key pair.
type CredentialConfig struct {
	AccessKeyID     string              `mapstructure:"access_key_id"`
	SecretAccessKey configopaque.String `mapstructure:"secret_access_key"`
	// SessionToken must come with the requests of a temporary key.
	SessionToken configopaque.String `mapstructure:"session_token"`
	// AccountID owns what is put with the key; the extension's account when empty.
	AccountID string `mapstructure:"account_id"`
}

var _ component.Config = (*Config)(nil)

var (
	accountPattern = regexp.MustCompile(`^\d{12}$`)
	regionPattern  = regexp.MustCompile(`^[a-z]{2,}(-[a-z]+)+-\d+$`)
)

// Validate reports all that is wrong with the configuration.
func (c *Config) Validate() error {
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }

	if host, err := splitEndpoint(c.Endpoint); err != nil {
		fail(`"endpoint": %w`, err)
	} else if !loopback(host) && c.Auth.Mode != AuthModeStrict {
		fail(`"endpoint" %s can be reached from other machines, so "auth::mode" must be strict, with "auth::credentials"; `+
			`or listen on 127.0.0.1`, c.Endpoint)
	}
	if !accountPattern.MatchString(c.AccountID) {
		fail(`"account_id" must be 12 digits, got %q`, c.AccountID)
	}
	if !regionPattern.MatchString(c.Region) {
		fail(`"region" must be the name of a region such as us-east-1, got %q`, c.Region)
	}
	if c.MaxRequestBodySize <= 0 {
		fail(`"max_request_body_size" must be greater than 0, got %d`, c.MaxRequestBodySize)
	}
	if c.MaxConcurrentRequests <= 0 {
		fail(`"max_concurrent_requests" must be greater than 0, got %d`, c.MaxConcurrentRequests)
	}
	for _, t := range []struct {
		name  string
		value time.Duration
	}{
		{"read_header_timeout", c.ReadHeaderTimeout},
		{"read_timeout", c.ReadTimeout},
		{"write_timeout", c.WriteTimeout},
		{"idle_timeout", c.IdleTimeout},
	} {
		if t.value <= 0 {
			fail("%q must be greater than 0, got %s", t.name, t.value)
		}
	}
	return errors.Join(errs...)
}

// Validate reports all that is wrong with the credentials.
func (c *AuthConfig) Validate() error {
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	switch c.Mode {
	case AuthModeOff:
		if len(c.Credentials) > 0 {
			fail(`"credentials" are not looked at when "mode" is off: remove them, or set "mode" to lenient or strict`)
		}
	case AuthModeLenient, AuthModeStrict:
		if len(c.Credentials) == 0 {
			fail(`"mode" %s needs "credentials"`, c.Mode)
		}
	default:
		fail(`"mode" must be off, lenient or strict, got %q`, c.Mode)
	}
	seen := make(map[string]bool, len(c.Credentials))
	for i, k := range c.Credentials {
		if k.AccessKeyID == "" {
			fail(`"credentials[%d]::access_key_id" is required`, i)
		}
		if k.SecretAccessKey == "" {
			fail(`"credentials[%d]::secret_access_key" is required`, i)
		}
		if k.AccountID != "" && !accountPattern.MatchString(k.AccountID) {
			fail(`"credentials[%d]::account_id" must be 12 digits, got %q`, i, k.AccountID)
		}
		if seen[k.AccessKeyID] {
			fail(`"credentials[%d]::access_key_id" %s is there twice`, i, k.AccessKeyID)
		}
		seen[k.AccessKeyID] = true
	}
	return errors.Join(errs...)
}

func splitEndpoint(endpoint string) (host string, err error) {
	host, port, err := net.SplitHostPort(endpoint)
	if err != nil {
		return "", fmt.Errorf("must be host:port: %w", err)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil {
		return "", fmt.Errorf("port %q is not a number from 0 to 65535", port)
	} else if n == 0 && host == "" {
		return "", errors.New("must be host:port, got neither")
	}
	return host, nil
}

// loopback is whether only this machine reaches an address of the host. Names other than localhost are not
// resolved: what they mean may change.
func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
