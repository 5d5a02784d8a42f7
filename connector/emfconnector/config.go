// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package emfconnector

import (
	"errors"
	"slices"

	"go.opentelemetry.io/collector/component"
)

// Config of the EMF connector.
type Config struct {
	// AccountID and Region own the metrics of log records whose resource has no cloud.account.id or cloud.region.
	// When they are empty the metrics have none either.
	AccountID string `mapstructure:"account_id"`
	Region    string `mapstructure:"region"`

	// ErrorMetrics emits AWS/Logs EMFParsingErrors and EMFValidationErrors by log group, as CloudWatch does.
	ErrorMetrics bool `mapstructure:"error_metrics"`

	// PrefixedLogGroups are beginnings of the names of log groups in which text may stand before the document, as
	// Lambda's Node.js runtime writes it.
	PrefixedLogGroups []string `mapstructure:"prefixed_log_groups"`
}

var _ component.Config = (*Config)(nil)

// Validate reports what is wrong with the configuration.
func (c *Config) Validate() error {
	if slices.Contains(c.PrefixedLogGroups, "") {
		return errors.New(`"prefixed_log_groups" must not contain an empty string: it would stand for every log group, ` +
			`where CloudWatch takes text before a document for an error`)
	}
	return nil
}
