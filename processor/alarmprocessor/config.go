// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarmprocessor

import (
	"errors"
	"fmt"
	"regexp"

	"go.opentelemetry.io/collector/component"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// Config of the alarm processor.
type Config struct {
	// Alarm is the extension whose alarms watch the metrics.
	Alarm component.ID `mapstructure:"alarm"`
	// AccountID and Region own metrics whose resource has no cloud.account.id or cloud.region.
	AccountID string `mapstructure:"account_id"`
	Region    string `mapstructure:"region"`
	// Metrics says where metrics are that have no namespace.
	Metrics MetricsConfig `mapstructure:"metrics"`
}

// MetricsConfig says where metrics are that have no namespace. It has to be as the store exporter has it.
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
	if c.Alarm == (component.ID{}) {
		errs = append(errs, errors.New(`"alarm" is required: name the alarm extension`))
	}
	if !accountPattern.MatchString(c.AccountID) {
		errs = append(errs, fmt.Errorf(`"account_id" must be 12 digits, got %q`, c.AccountID))
	}
	if !regionPattern.MatchString(c.Region) {
		errs = append(errs, fmt.Errorf(`"region" must be the name of a region such as us-east-1, got %q`, c.Region))
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
