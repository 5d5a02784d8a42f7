// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsfirehosereceiver

import (
	"errors"
	"fmt"
	"net"
	"slices"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/confmap"

	"github.com/nephoscope/nephoscope/pkg/metricstream"
)

// Config of the Firehose receiver. Where the collector's contributed receiver has an option, it has the same name here.
type Config struct {
	// HTTP is the server. It is not embedded: it would lend Config its own way to be unmarshaled.
	HTTP confighttp.ServerConfig `mapstructure:",squash"`
	// Encoding is what the records are: cwmetrics (JSON), otlp_v1 (OpenTelemetry 1.0) or otlp_v0.7.
	Encoding string `mapstructure:"encoding"`
	// RecordType is the older name of Encoding.
	RecordType string `mapstructure:"record_type"`
	// AccessKey is what Firehose is configured to send along. Without it only loopback addresses may be listened at.
	AccessKey configopaque.String `mapstructure:"access_key"`
}

// encodings are the formats by their names in the configuration.
var encodings = map[string]metricstream.Format{
	"cwmetrics": metricstream.FormatJSON,
	"otlp_v1":   metricstream.FormatOTel10,
	"otlp_v0.7": metricstream.FormatOTel07,
}

const defaultEncoding = "cwmetrics"

var (
	_ component.Config    = (*Config)(nil)
	_ confmap.Unmarshaler = (*Config)(nil)
)

// Unmarshal refuses options that there are not: the server's way to be unmarshaled would let them pass.
func (c *Config) Unmarshal(conf *confmap.Conf) error {
	type plainServer confighttp.ServerConfig
	var strict struct {
		Server     plainServer         `mapstructure:",squash"`
		Encoding   string              `mapstructure:"encoding"`
		RecordType string              `mapstructure:"record_type"`
		AccessKey  configopaque.String `mapstructure:"access_key"`
	}
	if err := conf.Unmarshal(&strict); err != nil {
		return err
	}
	return conf.Unmarshal(c)
}

// Validate reports what is wrong with the configuration.
func (c *Config) Validate() error {
	var errs []error
	host, _, err := net.SplitHostPort(c.HTTP.NetAddr.Endpoint)
	switch {
	case c.HTTP.NetAddr.Endpoint == "":
		errs = append(errs, errors.New(`"endpoint" is required`))
	case err != nil:
		errs = append(errs, fmt.Errorf(`"endpoint" must be host:port: %w`, err))
	case c.AccessKey == "" && !loopback(host):
		errs = append(errs, fmt.Errorf(`"access_key" is required to listen at %q: without it everybody could send metrics`, c.HTTP.NetAddr.Endpoint))
	}
	if c.Encoding != "" && c.RecordType != "" && c.Encoding != c.RecordType {
		errs = append(errs, errors.New(`"record_type" is the older name of "encoding": set one`))
	}
	if _, ok := encodings[c.encoding()]; !ok {
		names := make([]string, 0, len(encodings))
		for name := range encodings {
			names = append(names, name)
		}
		slices.Sort(names)
		errs = append(errs, fmt.Errorf(`"encoding" must be one of %q, not %q`, names, c.encoding()))
	}
	if c.HTTP.MaxRequestBodySize < 0 || c.HTTP.MaxRequestBodySize > maxBodyBytes {
		errs = append(errs, fmt.Errorf(`"max_request_body_size" must be from 0 (the default) to %d`, maxBodyBytes))
	}
	return errors.Join(errs...)
}

func (c *Config) encoding() string {
	switch {
	case c.Encoding != "":
		return c.Encoding
	case c.RecordType != "":
		return c.RecordType
	}
	return defaultEncoding
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
