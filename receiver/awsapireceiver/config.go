// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsapireceiver

import (
	"errors"

	"go.opentelemetry.io/collector/component"
)

// Config of the AWS API receiver.
type Config struct {
	// Extension is the AWS API extension whose writes this receiver takes.
	Extension component.ID `mapstructure:"extension"`
}

var _ component.Config = (*Config)(nil)

// Validate reports what is wrong with the configuration.
func (c *Config) Validate() error {
	if c.Extension == (component.ID{}) {
		return errors.New(`"extension" is required: name the extension aws_api`)
	}
	return nil
}
