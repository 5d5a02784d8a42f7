// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package storeexporter

import (
	"errors"
	"fmt"
	"regexp"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/exporter/exporterhelper"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
	"github.com/nephoscope/nephoscope/pkg/cloudwatchlogs"
)

// Config of the store exporter.
type Config struct {
	// Store is the extension that is written to.
	Store component.ID `mapstructure:"store"`

	// AccountID and Region own telemetry whose resource has no cloud.account.id or cloud.region.
	AccountID string `mapstructure:"account_id"`
	Region    string `mapstructure:"region"`

	Logs    LogsConfig    `mapstructure:"logs"`
	Metrics MetricsConfig `mapstructure:"metrics"`

	TimeoutConfig exporterhelper.TimeoutConfig `mapstructure:",squash"`
	// RetryConfig is off by default: whoever sent the data is told, and tries again.
	RetryConfig configretry.BackOffConfig `mapstructure:"retry_on_failure"`
	// QueueConfig is off by default: with a queue, data are acknowledged before they are durable.
	QueueConfig configoptional.Optional[exporterhelper.QueueBatchConfig] `mapstructure:"sending_queue"`
}

// LogsConfig says where log records go that name no log group or stream.
type LogsConfig struct {
	// LogGroupName and LogStreamName are templates over resource attributes.
	LogGroupName  string `mapstructure:"log_group_name"`
	LogStreamName string `mapstructure:"log_stream_name"`
	// RawLog makes the body the message of every record, whatever else the record has.
	RawLog bool `mapstructure:"raw_log"`
}

// MetricsConfig says where metrics go that have no namespace.
type MetricsConfig struct {
	// Namespace is a template over resource attributes.
	Namespace string `mapstructure:"namespace"`
}

var _ component.Config = (*Config)(nil)

var (
	accountPattern = regexp.MustCompile(`^\d{12}$`)
	regionPattern  = regexp.MustCompile(`^[a-z]{2,}(-[a-z]+)+-\d+$`)
)

// Validate reports all that is wrong with the configuration.
func (c *Config) Validate() error {
	var errs []error
	if c.Store == (component.ID{}) {
		errs = append(errs, errors.New(`"store" is required: name the store extension`))
	}
	if !accountPattern.MatchString(c.AccountID) {
		errs = append(errs, fmt.Errorf(`"account_id" must be 12 digits, got %q`, c.AccountID))
	}
	if !regionPattern.MatchString(c.Region) {
		errs = append(errs, fmt.Errorf(`"region" must be the name of a region such as us-east-1, got %q`, c.Region))
	}
	return errors.Join(errs...)
}

// Validate reports all that is wrong with the names of groups and streams.
func (c *LogsConfig) Validate() error {
	var errs []error
	for _, t := range []struct{ name, value string }{
		{"log_group_name", c.LogGroupName},
		{"log_stream_name", c.LogStreamName},
	} {
		if t.value == "" {
			errs = append(errs, fmt.Errorf("%q must not be empty", t.name))
		} else if _, err := cloudwatchlogs.ParseTemplate(t.value); err != nil {
			errs = append(errs, fmt.Errorf("%q: %w", t.name, err))
		}
	}
	return errors.Join(errs...)
}

// Validate reports what is wrong with the namespace.
func (c *MetricsConfig) Validate() error {
	if c.Namespace == "" {
		return errors.New(`"namespace" must not be empty`)
	}
	if _, err := cloudwatch.NewConverter(cloudwatch.ConverterConfig{NamespaceTemplate: c.Namespace}); err != nil {
		return fmt.Errorf(`"namespace": %w`, err)
	}
	return nil
}
