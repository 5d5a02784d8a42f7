// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package alarms is the command `neph alarms`: unit tests of alarms, and alarms over the past.
package alarms

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/nephoscope/nephoscope/cmd/neph/internal/awsclient"
)

// Settings are what the commands are given by the program.
type Settings struct {
	Stdout io.Writer
	Getenv func(string) string
	// Target is read when a command runs: flags of the program may change it until then.
	Target *awsclient.Target
	// Explain says what to do about an error of the AWS APIs.
	Explain func(error) error
}

// NewCommand returns `neph alarms`.
func NewCommand(s Settings) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "alarms",
		Short: "Test CloudWatch alarms, and run them over the past",
		Long: `alarms reads CloudWatch alarms from CloudFormation templates, Terraform modules, the output of
` + "`aws cloudwatch describe-alarms`" + `, or YAML in CloudFormation's property names, and evaluates them as CloudWatch does.`,
	}
	cmd.AddCommand(newTest(s), newBacktest(s))
	return cmd
}
