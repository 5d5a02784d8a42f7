// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Command neph is the command line beside the collector: a demonstration, queries, and a tail of log groups. It
// speaks to a collector, or to anything else that answers AWS's APIs, through those APIs alone.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// version is set by the build.
var version = "development"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := newRoot(os.Stdout, os.Getenv).ExecuteContext(ctx)
	stop()
	if errors.Is(err, context.Canceled) {
		os.Exit(130) // interrupted, as shells say it
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "neph: "+err.Error())
		os.Exit(1)
	}
}
