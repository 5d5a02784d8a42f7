// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/nephoscope/nephoscope/cmd/neph/internal/alarms"
	"github.com/nephoscope/nephoscope/cmd/neph/internal/awsclient"
)

// app is what every command is given.
type app struct {
	stdout io.Writer
	getenv func(string) string
	target awsclient.Target
}

func newRoot(stdout io.Writer, getenv func(string) string) *cobra.Command {
	a := &app{stdout: stdout, getenv: getenv, target: awsclient.FromEnvironment(getenv)}
	root := &cobra.Command{
		Use:   "neph",
		Short: "The command line beside the Nephoscope collector",
		Long: `neph talks to a Nephoscope collector through the AWS APIs that it serves.

It finds the collector as AWS tools do: AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or
at http://127.0.0.1:4566 with test credentials when those are not set.`,
		Version:       version,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetOut(stdout)
	flags := root.PersistentFlags()
	flags.StringVar(&a.target.Endpoint, "endpoint-url", a.target.Endpoint, "where the AWS APIs are")
	flags.StringVar(&a.target.Region, "region", a.target.Region, "AWS region")
	root.AddCommand(newDemo(a), newQuery(a), newTail(a),
		alarms.NewCommand(alarms.Settings{Stdout: stdout, Getenv: getenv, Target: &a.target, Explain: a.explain}))
	return root
}
