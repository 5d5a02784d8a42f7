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

	awscloudwatch "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/nephoscope/nephoscope/cmd/neph/internal/alarms/backtest"
	"github.com/nephoscope/nephoscope/cmd/neph/internal/alarms/plot"
	"github.com/nephoscope/nephoscope/cmd/neph/internal/alarms/simulation"
	"github.com/nephoscope/nephoscope/cmd/neph/internal/terminal"
	"github.com/nephoscope/nephoscope/cmd/neph/internal/timearg"
	"github.com/nephoscope/nephoscope/pkg/alarm"
	"github.com/nephoscope/nephoscope/pkg/alarm/definitions"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

type backtestOptions struct {
	definitions definitions.Settings
	data        []string
	metrics     []string
	store       string
	since       string
	until       string
	alarms      string
	thresholds  string
	periods     string
	datapoints  string
	flapWithin  time.Duration
	svg         string
	plot        bool
	transitions int
	output      string
}

func newBacktest(s Settings) *cobra.Command {
	var o backtestOptions
	cmd := &cobra.Command{
		Use:   "backtest DEFINITIONS...",
		Short: "Run alarms over data of the past",
		Long: `backtest evaluates alarms over the past as CloudWatch would have, and shows each transition, the time in each state, and
how often the alarm flapped. Lists of thresholds, evaluation periods and datapoints show what other configurations would
have done.

The data comes through the AWS APIs at --endpoint-url, from files (--data: CSV, Parquet, or the JSON of
` + "`aws cloudwatch get-metric-data`" + `), or from the directory of a store (--store). docs/alarms-testing.md describes them.`,
		Example: `  neph alarms backtest alarms.yaml --since 30d
  neph alarms backtest template.yaml --data cpu.csv --threshold 70:95:5 --datapoints-to-alarm 1,2,3 --svg cpu.svg`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return runBacktest(cmd, s, o, args) },
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&o.data, "data", nil, "read the data from this file; may be given again")
	flags.StringArrayVar(&o.metrics, "metric", nil, "what data without names is of: [FILE= or ID=]Namespace/Name{Dimension=Value} Unit")
	flags.StringVar(&o.store, "store", "", "read the data from the directory of a store that no collector has open")
	flags.StringVar(&o.since, "since", "", "begin of the range: how long ago (30d) or when (default: that of the files, or 24h)")
	flags.StringVar(&o.until, "until", "", "end of the range (default: that of the files, or now)")
	flags.StringVar(&o.alarms, "alarm", "", "alarms whose names match this regular expression only")
	flags.StringVar(&o.thresholds, "threshold", "", "try these thresholds: 70,80,90 or 70:95:5")
	flags.StringVar(&o.periods, "evaluation-periods", "", "try these numbers of evaluation periods")
	flags.StringVar(&o.datapoints, "datapoints-to-alarm", "", "try these numbers of datapoints to alarm")
	flags.DurationVar(&o.flapWithin, "flap-within", 30*time.Minute, "an ALARM so soon after the last one is a flap")
	flags.StringVar(&o.svg, "svg", "", "draw the alarms into this file")
	flags.BoolVar(&o.plot, "plot", false, "draw the alarms in the terminal")
	flags.IntVar(&o.transitions, "transitions", 20, "how many transitions of an alarm to show; 0 for all")
	flags.StringVarP(&o.output, "output", "o", "table", "table or json")
	definitionFlags(flags, &o.definitions)
	return cmd
}

// definitionFlags are the flags of what definition files do not say themselves.
func definitionFlags(flags *pflag.FlagSet, s *definitions.Settings) {
	flags.StringVar(&s.Account, "account", "000000000000", "the account of the alarms")
	flags.StringVar(&s.StackName, "stack-name", "", "the name of the CloudFormation stack")
	flags.StringToStringVar(&s.Parameters, "parameter", nil, "a parameter of CloudFormation templates: Name=Value")
	flags.StringToStringVar(&s.Variables, "var", nil, "a variable of Terraform modules: name=value")
	flags.StringArrayVar(&s.VariableFiles, "var-file", nil, "a file of variables (.tfvars)")
	flags.StringToStringVar(&s.Values, "value", nil, "what only a deployment knows: LoadBalancer.LoadBalancerFullName=app/web/1, aws_lb.web.arn_suffix=…")
}

func runBacktest(cmd *cobra.Command, s Settings, o backtestOptions, files []string) error {
	ctx := cmd.Context()
	settings, err := o.settings()
	if err != nil {
		return err
	}
	o.definitions.Region = s.Target.Region
	set, err := definitions.Load(o.definitions, files...)
	if err != nil {
		return fmt.Errorf("the definitions:\n%w", err)
	}
	settings.Tenant = cloudwatch.Tenant{Account: o.definitions.Account, Region: s.Target.Region}
	out := terminal.NewOutput(s.Stdout, s.Getenv)
	notes := func(format string, args ...any) {
		if o.output == "table" {
			out.Printf("%s\n", out.Dim(fmt.Sprintf(format, args...)))
		}
	}
	for _, n := range set.Notes {
		notes("note: %s:%d: %s", n.File, n.Line, n.Text)
	}
	closeSource, err := o.open(ctx, s, &settings, set, notes)
	if err != nil {
		return err
	}
	defer func() { _ = closeSource() }() // only read
	report, runErr := backtest.Run(ctx, settings, set)
	if runErr != nil && len(o.data) == 0 && o.store == "" {
		runErr = s.Explain(runErr)
	}
	if report == nil {
		return runErr
	}
	if o.output == "json" {
		err = report.WriteJSON(out)
	} else {
		report.Write(ctx, out, backtest.ReportOptions{Transitions: o.transitions, Plot: o.plot})
	}
	if o.svg != "" && err == nil {
		panels := make([]*plot.Panel, len(report.Alarms))
		for i, a := range report.Alarms {
			panels[i] = a.Panel(ctx, report.From, report.To)
		}
		err = os.WriteFile(o.svg, plot.SVG(panels), 0o600)
	}
	return errors.Join(runErr, err)
}

func (o *backtestOptions) settings() (backtest.Settings, error) {
	s := backtest.Settings{Phase: simulation.DefaultPhase, FlapWithin: o.flapWithin}
	if o.output != "table" && o.output != "json" {
		return s, fmt.Errorf("--output: %q is not table or json", o.output)
	}
	if o.store != "" && len(o.data) > 0 {
		return s, errors.New("--data and --store exclude each other")
	}
	if len(o.metrics) > 0 && len(o.data) == 0 {
		return s, errors.New("--metric is for --data")
	}
	if o.alarms != "" {
		pattern, err := regexp.Compile(o.alarms)
		if err != nil {
			return s, fmt.Errorf("--alarm: %w", err)
		}
		s.Only = pattern.MatchString
	}
	var err error
	if o.thresholds != "" {
		if s.Variants.Thresholds, err = backtest.Numbers(o.thresholds); err != nil {
			return s, fmt.Errorf("--threshold: %w", err)
		}
	}
	if o.periods != "" {
		if s.Variants.EvaluationPeriods, err = backtest.Integers(o.periods); err != nil {
			return s, fmt.Errorf("--evaluation-periods: %w", err)
		}
	}
	if o.datapoints != "" {
		if s.Variants.DatapointsToAlarm, err = backtest.Integers(o.datapoints); err != nil {
			return s, fmt.Errorf("--datapoints-to-alarm: %w", err)
		}
	}
	return s, s.Variants.Validate()
}

// open opens the data, and sets the range.
func (o *backtestOptions) open(ctx context.Context, s Settings, to *backtest.Settings, set *definitions.Set, note func(string, ...any)) (func() error, error) {
	now := time.Now()
	to.From, to.To = now.Add(-24*time.Hour), now
	closeSource := func() error { return nil }
	switch {
	case len(o.data) > 0:
		wanted := to.Wanted(set)
		alarms := make([]*alarm.Definition, 0, len(wanted))
		for i := range set.Alarms {
			if d := set.Alarms[i].Alarm; wanted[d.Name] {
				alarms = append(alarms, d)
			}
		}
		files, err := backtest.NewFiles(to.Tenant, alarms, o.metrics) //nolint:contextcheck // it reads nothing
		if err != nil {
			return nil, err
		}
		for _, path := range o.data {
			if err := files.Read(ctx, path); err != nil {
				return nil, err
			}
		}
		if files.First.IsZero() {
			return nil, errors.New("the files have no data")
		}
		for _, n := range files.Notes {
			note("note: %s", n)
		}
		to.Source = files
		to.From, to.To = files.First.Truncate(time.Minute), files.Last.Truncate(time.Minute).Add(2*time.Minute)
	case o.store != "":
		source, closeStore, err := backtest.OpenStore(ctx, o.store)
		if err != nil {
			return nil, err
		}
		to.Source, closeSource = source, closeStore
	default:
		to.Source = &backtest.API{Client: awscloudwatch.NewFromConfig(s.Target.Config())}
	}
	var err error
	if o.since != "" {
		if to.From, err = timearg.Parse(o.since, now); err != nil {
			return nil, errors.Join(fmt.Errorf("--since: %w", err), closeSource())
		}
	}
	if o.until != "" {
		if to.To, err = timearg.Parse(o.until, now); err != nil {
			return nil, errors.Join(fmt.Errorf("--until: %w", err), closeSource())
		}
	}
	return closeSource, nil
}
