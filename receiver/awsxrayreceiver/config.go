// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsxrayreceiver

import (
	"errors"
	"fmt"
	"net"
	"regexp"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
)

// Config of the X-Ray receiver. Keys that the receiver of the same type in collector-contrib has mean the same.
type Config struct {
	// Endpoint is the UDP address that SDKs send segments to.
	Endpoint string `mapstructure:"endpoint"`
	// Transport of the segments. There is only udp.
	Transport string `mapstructure:"transport"`
	// ProxyServer is the TCP side.
	ProxyServer ProxyConfig `mapstructure:"proxy_server"`

	// AccountID and Region say whose the segments are: they become cloud.account.id and cloud.region.
	AccountID string `mapstructure:"account_id"`
	Region    string `mapstructure:"region"`

	// Readers is how many goroutines read the UDP socket.
	Readers int `mapstructure:"readers"`
	// SocketBufferSize is how many bytes the kernel is asked to keep for the UDP socket.
	SocketBufferSize int `mapstructure:"socket_buffer_size"`
	// QueueSize and QueueBytes bound the documents that wait for the pipeline, by number and by size. What
	// does not fit is dropped and counted.
	QueueSize  int   `mapstructure:"queue_size"`
	QueueBytes int64 `mapstructure:"queue_bytes"`
	// BatchSize is the most documents that are handed to the pipeline at once, FlushInterval how long an
	// incomplete batch waits for more.
	BatchSize     int           `mapstructure:"batch_size"`
	FlushInterval time.Duration `mapstructure:"flush_interval"`
	// Consumers is how many batches may be in the pipeline at the same time.
	Consumers int `mapstructure:"consumers"`
}

// ProxyConfig is the TCP port that answers SDKs' sampling calls.
type ProxyConfig struct {
	// Endpoint is the TCP address. Empty: no TCP port is opened.
	Endpoint string `mapstructure:"endpoint"`
	// MaxRequestBodySize bounds the body of a request, in bytes.
	MaxRequestBodySize int64 `mapstructure:"max_request_body_size"`
	// MaxConnections bounds the connections that are open at the same time.
	MaxConnections int `mapstructure:"max_connections"`
}

var (
	_ component.Config    = (*Config)(nil)
	_ confmap.Unmarshaler = (*Config)(nil)
)

const forwardsNothing = "requests are answered here and nothing is forwarded to AWS"

// notSupported are the keys of contrib's receiver that are not here, and why.
var notSupported = [][2]string{
	{"dialer", "the receiver opens no connections"},
	{"proxy_server::proxy_address", forwardsNothing},
	{"proxy_server::tls", forwardsNothing},
	{"proxy_server::region", forwardsNothing + "; to say whose the segments are, set \"region\" of the receiver"},
	{"proxy_server::role_arn", forwardsNothing},
	{"proxy_server::aws_endpoint", forwardsNothing},
	{"proxy_server::local_mode", forwardsNothing},
	{"proxy_server::service_name", forwardsNothing},
	{"proxy_server::external_id", forwardsNothing},
	{"proxy_server::certificate_file_path", forwardsNothing},
	{"proxy_server::shared_credentials_file", forwardsNothing},
	{"proxy_server::additional_routing_rules", forwardsNothing},
	{"proxy_server::dialer", forwardsNothing},
}

// Unmarshal refuses what other receivers of this type know and this one would have to ignore.
func (c *Config) Unmarshal(conf *confmap.Conf) error {
	var errs error
	for _, k := range notSupported {
		if conf.IsSet(k[0]) {
			errs = errors.Join(errs, fmt.Errorf("%q is not supported: %s", k[0], k[1]))
		}
	}
	if errs != nil {
		return errs
	}
	return conf.Unmarshal(c)
}

var (
	accountPattern = regexp.MustCompile(`^[0-9]{12}$`)
	regionPattern  = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)
)

// Validate names everything that is wrong.
func (c *Config) Validate() error {
	var errs error
	wrong := func(format string, args ...any) { errs = errors.Join(errs, fmt.Errorf(format, args...)) }
	if _, _, err := net.SplitHostPort(c.Endpoint); err != nil {
		wrong(`"endpoint" must be host:port, such as 127.0.0.1:2000: %w`, err)
	}
	if c.Transport != "udp" {
		wrong(`"transport" must be udp, got %q`, c.Transport)
	}
	if c.ProxyServer.Endpoint != "" {
		if _, _, err := net.SplitHostPort(c.ProxyServer.Endpoint); err != nil {
			wrong(`"proxy_server::endpoint" must be host:port, or empty to open no TCP port: %w`, err)
		}
	}
	if !accountPattern.MatchString(c.AccountID) {
		wrong(`"account_id" must be 12 digits, in quotes, got %q`, c.AccountID)
	}
	if !regionPattern.MatchString(c.Region) {
		wrong(`"region" must be the name of a region, such as eu-west-1, got %q`, c.Region)
	}
	between := func(key string, value, least, most int64) {
		if value < least || value > most {
			wrong("%q must be between %d and %d, got %d", key, least, most, value)
		}
	}
	between("readers", int64(c.Readers), 1, 64)
	between("socket_buffer_size", int64(c.SocketBufferSize), 4<<10, 1<<30)
	between("queue_size", int64(c.QueueSize), 1, 10_000_000)
	between("queue_bytes", c.QueueBytes, 64<<10, 1<<40)
	between("batch_size", int64(c.BatchSize), 1, 10_000)
	between("consumers", int64(c.Consumers), 1, 256)
	between("proxy_server::max_request_body_size", c.ProxyServer.MaxRequestBodySize, 1<<10, 1<<30)
	between("proxy_server::max_connections", int64(c.ProxyServer.MaxConnections), 1, 1_000_000)
	if c.FlushInterval <= 0 || c.FlushInterval > time.Minute {
		wrong(`"flush_interval" must be more than 0 and at most 1m, got %s`, c.FlushInterval)
	}
	return errs
}
