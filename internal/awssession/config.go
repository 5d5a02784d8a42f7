// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package awssession makes the configuration of AWS clients from what users write in a component's configuration. The keys
// are those that AWS components of the collector share.
package awssession

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"time"

	"go.opentelemetry.io/collector/config/configopaque"
)

// Config says to which region, endpoint and account requests go, and with which credentials.
type Config struct {
	// NumWorkers is how many requests are under way at once.
	NumWorkers int `mapstructure:"num_workers"`
	// Endpoint replaces the service's address.
	Endpoint string `mapstructure:"endpoint"`
	// RequestTimeoutSeconds bounds one attempt of a request.
	RequestTimeoutSeconds int `mapstructure:"request_timeout_seconds"`
	// MaxRetries is how often the client repeats a request that failed for a passing reason.
	MaxRetries int `mapstructure:"max_retries"`
	// NoVerifySSL accepts any certificate of the endpoint.
	NoVerifySSL bool `mapstructure:"no_verify_ssl"`
	// ProxyAddress is an HTTP proxy. When it is empty, the environment's HTTPS_PROXY counts.
	ProxyAddress string `mapstructure:"proxy_address"`
	// Region is taken from the environment, the shared configuration or the instance when it is empty.
	Region string `mapstructure:"region"`
	// LocalMode never asks the instance's metadata service, neither for the region nor for credentials.
	LocalMode bool `mapstructure:"local_mode"`
	// ResourceARN is known to other collectors, for a kind of self-telemetry that is not sent here. It is refused.
	ResourceARN string `mapstructure:"resource_arn"`
	// RoleARN is a role to assume, and ExternalID what its owner asks for.
	RoleARN    string `mapstructure:"role_arn"`
	ExternalID string `mapstructure:"external_id"`
	// Profile and SharedCredentialsFile choose from shared credentials.
	Profile               string   `mapstructure:"profile"`
	SharedCredentialsFile []string `mapstructure:"shared_credentials_file"`
	// CertificateFilePath is a file of PEM certificates that are trusted besides the system's.
	CertificateFilePath string `mapstructure:"certificate_file_path"`
	// IMDSRetries is how often a request to the instance's metadata service is repeated; 0 leaves it to the client.
	IMDSRetries int `mapstructure:"imds_retries"`

	// AccessKeyID, SecretAccessKey and SessionToken are credentials that take the place of the default chain.
	AccessKeyID     string              `mapstructure:"access_key_id"`
	SecretAccessKey configopaque.String `mapstructure:"secret_access_key"`
	SessionToken    configopaque.String `mapstructure:"session_token"`
}

// NewDefaultConfig returns the defaults.
func NewDefaultConfig() Config {
	return Config{NumWorkers: 8, RequestTimeoutSeconds: 30, MaxRetries: 2}
}

var rolePattern = regexp.MustCompile(`^arn:aws[a-z-]*:iam::\d{12}:role/.+$`)

// maxWorkers bounds the connections that a component opens.
const maxWorkers = 1000

// Validate reports all that is wrong.
func (c *Config) Validate() error {
	var errs []error
	add := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if c.NumWorkers < 1 || c.NumWorkers > maxWorkers {
		add(`"num_workers" must be between 1 and %d, got %d`, maxWorkers, c.NumWorkers)
	}
	if c.RequestTimeoutSeconds < 1 {
		add(`"request_timeout_seconds" must be at least 1, got %d`, c.RequestTimeoutSeconds)
	}
	if c.MaxRetries < 0 {
		add(`"max_retries" must not be negative, got %d`, c.MaxRetries)
	}
	if c.IMDSRetries < 0 {
		add(`"imds_retries" must not be negative, got %d`, c.IMDSRetries)
	}
	if c.ResourceARN != "" {
		errs = append(errs, errors.New(`"resource_arn" is not supported: nothing is sent that it would be a part of. Remove it`))
	}
	if c.RoleARN != "" && !rolePattern.MatchString(c.RoleARN) {
		add(`"role_arn" must be the ARN of a role, got %q`, c.RoleARN)
	}
	if c.ExternalID != "" && c.RoleARN == "" {
		errs = append(errs, errors.New(`"external_id" has no use without "role_arn"`))
	}
	if c.ProxyAddress != "" {
		if _, err := parseURL(c.ProxyAddress); err != nil {
			add(`"proxy_address": %w`, err)
		}
	}
	if c.Endpoint != "" {
		if _, err := endpointURL(c.Endpoint); err != nil {
			add(`"endpoint": %w`, err)
		}
	}
	switch {
	case (c.AccessKeyID == "") != (c.SecretAccessKey == ""):
		errs = append(errs, errors.New(`"access_key_id" and "secret_access_key" go together`))
	case c.SessionToken != "" && c.AccessKeyID == "":
		errs = append(errs, errors.New(`"session_token" has no use without "access_key_id"`))
	case c.AccessKeyID != "" && (c.Profile != "" || len(c.SharedCredentialsFile) > 0):
		errs = append(errs, errors.New(`"access_key_id" excludes "profile" and "shared_credentials_file"`))
	}
	return errors.Join(errs...)
}

// RequestTimeout bounds one attempt of a request.
func (c *Config) RequestTimeout() time.Duration {
	return time.Duration(c.RequestTimeoutSeconds) * time.Second
}

func parseURL(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return nil, err
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return nil, fmt.Errorf("want a URL such as https://host:port, got %q", s)
	}
	return u, nil
}

var bareHost = regexp.MustCompile(`^[A-Za-z0-9.-]+(:\d+)?$`)

// endpointURL takes a host without a scheme, too, as AWS's tables of endpoints have them.
func endpointURL(s string) (string, error) {
	if bareHost.MatchString(s) {
		return "https://" + s, nil
	}
	_, err := parseURL(s)
	return s, err
}
