// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarmextension

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"time"

	"go.opentelemetry.io/collector/component"
)

// Config of the alarm extension.
type Config struct {
	// Storage is the storage extension that keeps alarms, their history, and what of them was not delivered yet. Required.
	Storage component.ID `mapstructure:"storage"`
	// Store is the extension that has the metrics of before the start. Without it an alarm knows only what came since.
	Store *component.ID `mapstructure:"store"`
	// Notifications is the extension that delivers actions. Without it every action fails, and history says so.
	Notifications *component.ID `mapstructure:"notifications"`

	// Definitions are files or directories with alarms, or patterns of their names. They are read at the start.
	Definitions []string `mapstructure:"definitions"`
	// CloudFormation and Terraform say what templates and modules leave open.
	CloudFormation CloudFormationConfig `mapstructure:"cloudformation"`
	Terraform      TerraformConfig      `mapstructure:"terraform"`
	// DeployedValues are what only a deployment knows, by how the files refer to it.
	DeployedValues map[string]string `mapstructure:"deployed_values"`

	// AccountID and Region own the alarms of files, and the metrics that say nothing of an account or region.
	AccountID string `mapstructure:"account_id"`
	Region    string `mapstructure:"region"`

	// Limits bound what is kept.
	Limits LimitsConfig `mapstructure:"limits"`
	// HistoryRetention is how long history is kept.
	HistoryRetention time.Duration `mapstructure:"history_retention"`
}

// CloudFormationConfig says what templates leave open.
type CloudFormationConfig struct {
	StackName  string            `mapstructure:"stack_name"`
	Parameters map[string]string `mapstructure:"parameters"`
}

// TerraformConfig says what modules leave open.
type TerraformConfig struct {
	Variables map[string]string `mapstructure:"variables"`
	// VariableFiles are .tfvars files, later ones win.
	VariableFiles []string `mapstructure:"variable_files"`
}

// LimitsConfig bounds what is kept.
type LimitsConfig struct {
	// Alarms bounds the alarms of all accounts and regions.
	Alarms int `mapstructure:"alarms"`
	// MuteRules bounds the mute rules of all accounts and regions.
	MuteRules int `mapstructure:"mute_rules"`
	// HistoryItems bounds the history of all alarms, HistoryItemsPerAlarm that of one name. The oldest go first.
	HistoryItems         int `mapstructure:"history_items"`
	HistoryItemsPerAlarm int `mapstructure:"history_items_per_alarm"`
	// Undelivered bounds the transitions that wait for their actions to be taken over, or for the pipeline of events to
	// accept them. The oldest are given up.
	Undelivered int `mapstructure:"undelivered"`
}

var _ component.Config = (*Config)(nil)

func createDefaultConfig() component.Config {
	return &Config{
		AccountID: "000000000000",
		Region:    "us-east-1",
		Limits: LimitsConfig{
			Alarms: 100_000, MuteRules: 1_000, HistoryItems: 100_000, HistoryItemsPerAlarm: 1_000, Undelivered: 100_000,
		},
		HistoryRetention: 30 * 24 * time.Hour,
	}
}

var (
	accountPattern = regexp.MustCompile(`^\d{12}$`)
	regionPattern  = regexp.MustCompile(`^[a-z]{2,}(-[a-z]+)+-\d+$`)
)

// Validate reports all that is wrong with the configuration.
func (c *Config) Validate() error {
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if c.Storage == (component.ID{}) {
		errs = append(errs, errors.New(`"storage" is required: name the storage extension that keeps the alarms`))
	}
	if !accountPattern.MatchString(c.AccountID) {
		fail(`"account_id" must be 12 digits, got %q`, c.AccountID)
	}
	if !regionPattern.MatchString(c.Region) {
		fail(`"region" must be an AWS region, such as us-east-1, got %q`, c.Region)
	}
	for i, d := range c.Definitions {
		if d == "" {
			fail(`"definitions::%d" must be a file or a pattern, got ""`, i)
			continue
		}
		if _, err := filepath.Match(d, ""); err != nil {
			fail(`"definitions::%d": %q is no pattern: %w`, i, d, err)
		}
	}
	for _, v := range []struct {
		option string
		value  int
	}{
		{"limits::alarms", c.Limits.Alarms},
		{"limits::mute_rules", c.Limits.MuteRules},
		{"limits::history_items", c.Limits.HistoryItems},
		{"limits::history_items_per_alarm", c.Limits.HistoryItemsPerAlarm},
		{"limits::undelivered", c.Limits.Undelivered},
	} {
		if v.value < 1 {
			fail("%q must be at least 1, got %d", v.option, v.value)
		}
	}
	if c.HistoryRetention < time.Minute {
		fail(`"history_retention" must be at least 1m, got %s`, c.HistoryRetention)
	}
	return errors.Join(errs...)
}
