// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsemfreceiver

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configretry"
)

// Transports.
const (
	transportTCP = "tcp"
	transportUDP = "udp"
)

// Config of the EMF receiver.
type Config struct {
	// Endpoint is the address, host:port, to listen at with every transport.
	Endpoint string `mapstructure:"endpoint"`
	// Transports are tcp, udp or both.
	Transports []string `mapstructure:"transports"`

	// LogGroupName and LogStreamName are of documents that do not name theirs. An empty stream name stands for the
	// host that sent the document.
	LogGroupName  string `mapstructure:"log_group_name"`
	LogStreamName string `mapstructure:"log_stream_name"`
	// AccountID and Region own the logs and metrics. When they are empty the resource has none.
	AccountID string `mapstructure:"account_id"`
	Region    string `mapstructure:"region"`

	// ErrorMetrics emits AWS/Logs EMFValidationErrors by log group in the metrics pipeline, as CloudWatch does.
	ErrorMetrics bool `mapstructure:"error_metrics"`

	// MaxLineBytes bounds one document.
	MaxLineBytes int `mapstructure:"max_line_bytes"`
	// MaxConnections bounds open TCP connections. More are closed at once.
	MaxConnections int `mapstructure:"max_connections"`
	// IdleTimeout closes a connection on which nothing comes. 0 keeps it.
	IdleTimeout time.Duration `mapstructure:"idle_timeout"`
	// LineTimeout closes a connection on which a document has begun and nothing more of it comes.
	LineTimeout time.Duration `mapstructure:"line_timeout"`
	// UDPReadBufferBytes is the size of the socket's buffer to ask the kernel for. 0 keeps the system's default.
	UDPReadBufferBytes int `mapstructure:"udp_read_buffer_bytes"`

	// Workers is how many batches are made and delivered at a time for TCP; UDP has one more. Documents of one
	// connection stay in order.
	Workers int `mapstructure:"workers"`
	// MaxBatchDocuments is about how many documents go into a pipeline at once.
	MaxBatchDocuments int `mapstructure:"max_batch_documents"`
	// QueueBytes bounds what has been read and not yet delivered. At the bound nothing is read any more.
	QueueBytes int `mapstructure:"queue_bytes"`
	// RetryConfig says how long to try when the pipeline refuses for now. Meanwhile nothing is read.
	RetryConfig configretry.BackOffConfig `mapstructure:"retry_on_failure"`
}

var _ component.Config = (*Config)(nil)

// Validate reports what is wrong with the configuration.
func (c *Config) Validate() error {
	var errs error
	fail := func(format string, args ...any) { errs = errors.Join(errs, fmt.Errorf(format, args...)) }
	if _, port, err := net.SplitHostPort(c.Endpoint); err != nil {
		fail(`"endpoint" must be host:port: %w`, err)
	} else if n, err := strconv.ParseUint(port, 10, 16); err != nil {
		fail(`"endpoint" must have a port from 0 to 65535, got %q (%d)`, port, n)
	}
	if len(c.Transports) == 0 {
		fail(`"transports" must name tcp, udp or both`)
	}
	seen := map[string]bool{}
	for _, t := range c.Transports {
		switch {
		case t != transportTCP && t != transportUDP:
			fail(`"transports" must be tcp or udp, got %q`, t)
		case seen[t]:
			fail(`"transports" names %q twice`, t)
		}
		seen[t] = true
	}
	if c.LogGroupName == "" {
		fail(`"log_group_name" must not be empty: it is of documents that name none`)
	}
	const minLine = 1024
	if c.MaxLineBytes < minLine {
		fail(`"max_line_bytes" must be at least %d, got %d`, minLine, c.MaxLineBytes)
	}
	if c.QueueBytes < c.MaxLineBytes {
		fail(`"queue_bytes" must be at least "max_line_bytes" (%d), got %d`, c.MaxLineBytes, c.QueueBytes)
	}
	for name, n := range map[string]int{
		"max_connections": c.MaxConnections, "workers": c.Workers, "max_batch_documents": c.MaxBatchDocuments,
	} {
		if n < 1 {
			fail(`%q must be at least 1, got %d`, name, n)
		}
	}
	if c.UDPReadBufferBytes < 0 {
		fail(`"udp_read_buffer_bytes" must not be negative, got %d`, c.UDPReadBufferBytes)
	}
	if c.IdleTimeout < 0 {
		fail(`"idle_timeout" must not be negative, got %s`, c.IdleTimeout)
	}
	if c.LineTimeout <= 0 {
		fail(`"line_timeout" must be positive, got %s`, c.LineTimeout)
	}
	return errs
}
