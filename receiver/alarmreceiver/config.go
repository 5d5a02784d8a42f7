// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarmreceiver

import (
	"errors"

	"go.opentelemetry.io/collector/component"
)

// Config of the alarm receiver.
type Config struct {
	// Alarm is the extension whose events this receiver takes.
	Alarm component.ID `mapstructure:"alarm"`
}

var _ component.Config = (*Config)(nil)

// Validate reports what is wrong with the configuration.
func (c *Config) Validate() error {
	if c.Alarm == (component.ID{}) {
		return errors.New(`"alarm" is required: name the alarm extension`)
	}
	return nil
}
