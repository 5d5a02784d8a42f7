// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarms

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"time"

	"github.com/spf13/cobra"

	"github.com/nephoscope/nephoscope/cmd/neph/internal/alarms/unittest"
	"github.com/nephoscope/nephoscope/cmd/neph/internal/terminal"
)

type testOptions struct {
	junit   string
	run     string
	verbose bool
}

func newTest(s Settings) *cobra.Command {
	var o testOptions
	cmd := &cobra.Command{
		Use:   "test FILE...",
		Short: "Run unit tests of alarms",
		Long: `test runs files of tests: series of data on a virtual clock, and what state, reason and actions the alarms are expected
to have at which time. The exit status is 1 when something was not as expected; a failed test shows the series with the
threshold and the states. docs/alarms-testing.md describes the files.`,
		Example: `  neph alarms test examples/alarms/tests/*.yaml
  neph alarms test cpu.test.yaml --run 'busy' --junit report.xml`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return runTests(cmd.Context(), s, o, args) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.junit, "junit", "", "write a report in JUnit's XML to this file")
	flags.StringVar(&o.run, "run", "", "run tests whose names match this regular expression only")
	flags.BoolVarP(&o.verbose, "verbose", "v", false, "show the tests that passed, too")
	return cmd
}

func runTests(ctx context.Context, s Settings, o testOptions, files []string) error {
	pattern, err := regexp.Compile(o.run)
	if err != nil {
		return fmt.Errorf("--run: %w", err)
	}
	out := terminal.NewOutput(s.Stdout, s.Getenv)
	var results []unittest.Result
	var broken []unittest.BrokenFile
	failed := 0
	for _, path := range files {
		file, err := unittest.Read(path)
		if err != nil {
			broken = append(broken, unittest.BrokenFile{Path: path, Err: err})
			out.Printf("%s %v\n\n", out.Color(terminal.ColorRed, "✗"), err)
			continue
		}
		for _, n := range file.Set.Notes {
			out.Printf("%s\n", out.Dim(fmt.Sprintf("note: %s:%d: %s", n.File, n.Line, n.Text)))
		}
		for i := range file.Tests {
			if !pattern.MatchString(file.Tests[i].Name) {
				continue
			}
			result := file.Run(ctx, &file.Tests[i], time.Now)
			if err := ctx.Err(); err != nil {
				return err
			}
			result.Report(ctx, out, o.verbose)
			if result.Failed() {
				failed++
			}
			results = append(results, result)
		}
	}
	if o.junit != "" {
		if err := writeJUnit(o.junit, results, broken); err != nil {
			return err
		}
	}
	switch {
	case len(broken) > 0:
		return fmt.Errorf("%d of %d files could not be read; %d of %d tests failed", len(broken), len(files), failed, len(results))
	case len(results) == 0:
		return errors.New("no test has a name that matches --run")
	case failed > 0:
		return fmt.Errorf("%d of %d tests failed", failed, len(results))
	}
	out.Printf("%s %d tests passed\n", out.Color(terminal.ColorGreen, "✓"), len(results))
	return nil
}

func writeJUnit(path string, results []unittest.Result, broken []unittest.BrokenFile) error {
	f, err := os.Create(path) //nolint:gosec // a file that the user names
	if err != nil {
		return err
	}
	return errors.Join(unittest.WriteJUnit(f, results, broken), f.Close())
}
