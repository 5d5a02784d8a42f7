// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"github.com/nephoscope/nephoscope/cmd/neph/internal/demo"
	"github.com/nephoscope/nephoscope/cmd/neph/internal/terminal"
)

type demoOptions struct {
	once      bool
	attach    bool
	collector string
	config    string
	pace      time.Duration
}

func newDemo(a *app) *cobra.Command {
	var o demoOptions
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Start a collector, run a small shop against it, and show what the AWS APIs answer",
		Long: `demo starts the collector with examples/local.yaml, sends the telemetry of a small shop in every way that AWS
applications do (AWS SDK, EMF, JSON logs, X-Ray segments, OTLP), reads it back through the AWS APIs, and compares. Then
it leaves the collector running until it is interrupted; with --once it stops it and ends, with exit status 0 only if
everything that was sent came back.

Data is kept below NEPHOSCOPE_DATA (.nephoscope). NEPHOSCOPE_AWS_ENDPOINT, NEPHOSCOPE_XRAY_ENDPOINT,
NEPHOSCOPE_EMF_ENDPOINT, NEPHOSCOPE_OTLP_GRPC_ENDPOINT, NEPHOSCOPE_OTLP_HTTP_ENDPOINT and
NEPHOSCOPE_NOTIFICATIONS_ENDPOINT change where the collector listens.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.once && !cmd.Flags().Changed("pace") {
				o.pace = oncePace // nobody watches
			}
			return runDemo(cmd.Context(), a, o)
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&o.once, "once", false, "end after reading back; fail unless everything came back")
	flags.BoolVar(&o.attach, "attach", false, "use a collector that is running already")
	flags.StringVar(&o.collector, "collector", "", "the collector (default: nephoscope beside this program)")
	flags.StringVar(&o.config, "config", "", "its configuration (default: examples/local.yaml)")
	flags.DurationVar(&o.pace, "pace", 8*time.Second, "how long sending takes at least")
	return cmd
}

// oncePace is how long sending takes at least when the demo is run as a test.
const oncePace = 2 * time.Second

// endpoints are where the collector listens, by the variables that examples/local.yaml reads.
type endpoints struct {
	aws, xray, emf, otlpGRPC, otlpHTTP, notifications string
}

func endpointsFrom(getenv func(string) string, awsURL string) (endpoints, error) {
	u, err := url.Parse(awsURL)
	if err != nil || u.Host == "" {
		return endpoints{}, fmt.Errorf("%q is not the URL of an endpoint", awsURL)
	}
	return endpoints{
		aws:      u.Host,
		xray:     cmp.Or(getenv("NEPHOSCOPE_XRAY_ENDPOINT"), "127.0.0.1:2000"),
		emf:      cmp.Or(getenv("NEPHOSCOPE_EMF_ENDPOINT"), "127.0.0.1:25888"),
		otlpGRPC: cmp.Or(getenv("NEPHOSCOPE_OTLP_GRPC_ENDPOINT"), "127.0.0.1:4317"),
		otlpHTTP: cmp.Or(getenv("NEPHOSCOPE_OTLP_HTTP_ENDPOINT"), "127.0.0.1:4318"),

		notifications: cmp.Or(getenv("NEPHOSCOPE_NOTIFICATIONS_ENDPOINT"), "127.0.0.1:4567"),
	}, nil
}

func (e endpoints) listeners() []demo.Listener {
	return []demo.Listener{
		{Network: "tcp", Address: e.aws, Variable: "NEPHOSCOPE_AWS_ENDPOINT"},
		{Network: "udp", Address: e.xray, Variable: "NEPHOSCOPE_XRAY_ENDPOINT"},
		{Network: "tcp", Address: e.xray, Variable: "NEPHOSCOPE_XRAY_ENDPOINT"},
		{Network: "tcp", Address: e.emf, Variable: "NEPHOSCOPE_EMF_ENDPOINT"},
		{Network: "udp", Address: e.emf, Variable: "NEPHOSCOPE_EMF_ENDPOINT"},
		{Network: "tcp", Address: e.otlpGRPC, Variable: "NEPHOSCOPE_OTLP_GRPC_ENDPOINT"},
		{Network: "tcp", Address: e.otlpHTTP, Variable: "NEPHOSCOPE_OTLP_HTTP_ENDPOINT"},
		{Network: "tcp", Address: e.notifications, Variable: "NEPHOSCOPE_NOTIFICATIONS_ENDPOINT"},
	}
}

func runDemo(ctx context.Context, a *app, o demoOptions) (err error) {
	out := terminal.NewOutput(a.stdout, a.getenv)
	target := a.target
	if !o.attach {
		// What is started here listens where its own variables say, whatever AWS tools are told.
		target.Endpoint = "http://" + cmp.Or(a.getenv("NEPHOSCOPE_AWS_ENDPOINT"), "127.0.0.1:4566")
	}
	at, err := endpointsFrom(a.getenv, target.Endpoint)
	if err != nil {
		return err
	}
	out.Printf("\n%s\n\n", out.Bold("Nephoscope: CloudWatch, Logs Insights and X-Ray on this machine"))

	var process *demo.Collector
	if !o.attach {
		if process, err = startCollector(ctx, a, o, at); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, process.Stop()) }()
	}
	began := time.Now()
	account, err := demo.WaitReady(ctx, target.Config(), process)
	if err != nil {
		return a.explain(err)
	}
	terminal.NewProgress(out, "a collector at "+target.Endpoint).Done(
		fmt.Sprintf("account %s, %s, answered after %s", account, target.Region, time.Since(began).Round(time.Millisecond)))

	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if process != nil {
		go func() {
			select {
			case <-process.Done():
				cancel(process.Failure())
			case <-ctx.Done():
			}
		}()
	}
	addresses := demo.Addresses{XRay: at.xray, EMF: at.emf, OTLPHTTP: at.otlpHTTP}
	res, err := demo.Run(ctx, demo.Options{
		Config: target.Config(), Addresses: addresses, Out: out, Pace: o.pace, Seed: seed(), Now: time.Now(),
	})
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		return cause // the collector ended
	}
	if err != nil {
		err = a.explain(err)
		if process != nil && !errors.Is(err, context.Canceled) {
			err = fmt.Errorf("%w\nThe collector's log is %s", err, process.LogFile())
		}
		return err
	}
	out.Printf("  %s everything that was sent came back\n\n", out.Color(terminal.ColorGreen, "✓"))
	if o.once || o.attach {
		return nil
	}
	demo.Next(out, target, addresses, res)
	out.Printf("%s\n", out.Dim("Interrupt (Ctrl-C) to stop it."))
	<-ctx.Done()
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return cause
	}
	out.Println()
	return nil
}

// startCollector finds the collector and its configuration, and starts it on addresses that are free.
func startCollector(ctx context.Context, a *app, o demoOptions, at endpoints) (*demo.Collector, error) {
	binary, config, err := locate(o)
	if err != nil {
		return nil, err
	}
	if err := demo.CheckFree(ctx, at.listeners()); err != nil {
		return nil, err
	}
	data := cmp.Or(a.getenv("NEPHOSCOPE_DATA"), ".nephoscope")
	return demo.StartCollector(binary, config, filepath.Join(data, "demo-collector.log"), os.Environ())
}

// locate finds the collector beside this program, and its configuration in the repository that they are in, or in the
// working directory.
func locate(o demoOptions) (binary, config string, err error) {
	self, err := os.Executable()
	if err != nil {
		return "", "", err
	}
	if self, err = filepath.EvalSymlinks(self); err != nil {
		return "", "", err
	}
	name := "nephoscope"
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	binary = cmp.Or(o.collector, filepath.Join(filepath.Dir(self), name))
	if _, err := os.Stat(binary); err != nil {
		return "", "", fmt.Errorf("there is no collector at %s: run `make build`, or say where it is with --collector", binary)
	}
	candidates := []string{filepath.Join("examples", "local.yaml"), filepath.Join(filepath.Dir(self), "..", "examples", "local.yaml")}
	if o.config != "" {
		candidates = []string{o.config}
	}
	for _, c := range candidates {
		if _, err := os.Stat(c); err == nil {
			return binary, c, nil
		}
	}
	return "", "", fmt.Errorf("there is no configuration at %s: say where it is with --config", candidates[0])
}

// seed makes each run another one.
func seed() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return binary.LittleEndian.Uint64(b[:])
}
