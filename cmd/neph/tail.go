// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"hash/fnv"
	"io"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/spf13/cobra"

	"github.com/nephoscope/nephoscope/cmd/neph/internal/tail"
	"github.com/nephoscope/nephoscope/cmd/neph/internal/terminal"
	"github.com/nephoscope/nephoscope/cmd/neph/internal/timearg"
)

func newTail(a *app) *cobra.Command {
	var o tail.Options
	var since string
	var plain bool
	cmd := &cobra.Command{
		Use:   "tail GROUP",
		Short: "Show a log group's newest events, and follow it",
		Example: `  neph tail /shop/orders
  neph tail /shop/payments --follow --filter-pattern ERROR`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			start, err := timearg.Parse(since, time.Now())
			if err != nil {
				return fmt.Errorf("--since: %w", err)
			}
			o.Group, o.Since = args[0], start
			out := terminal.NewOutput(a.stdout, a.getenv)
			err = tail.Run(cmd.Context(), cloudwatchlogs.NewFromConfig(a.target.Config()), o, func(e types.FilteredLogEvent) error {
				_, err := io.WriteString(out, formatEvent(out, e, plain))
				return err
			})
			return a.explain(err)
		},
	}
	flags := cmd.Flags()
	flags.BoolVarP(&o.Follow, "follow", "f", false, "wait for new events")
	flags.StringVar(&since, "since", "10m", "oldest event: how long ago (30m, 2h, 3d) or when (2026-11-21T14:05:00Z)")
	flags.StringVar(&o.FilterPattern, "filter-pattern", "", "show events that match the filter pattern")
	flags.StringArrayVar(&o.Streams, "stream", nil, "show this stream only; may be given again")
	flags.StringVar(&o.StreamPrefix, "stream-prefix", "", "show streams that begin with this")
	flags.DurationVar(&o.Interval, "interval", time.Second, "how often to look for new events")
	flags.BoolVar(&plain, "plain", false, "show messages alone")
	return cmd
}

var streamColors = []terminal.Color{
	terminal.ColorCyan, terminal.ColorGreen, terminal.ColorMagenta, terminal.ColorYellow, terminal.ColorBlue,
}

// formatEvent writes one event on a line: when, which stream, what. A stream keeps its colour.
func formatEvent(out terminal.Output, e types.FilteredLogEvent, plain bool) string {
	message := strings.TrimRight(aws.ToString(e.Message), "\r\n")
	if out.Interactive {
		message = terminal.Printable(message)
	}
	if plain {
		return message + "\n"
	}
	stream := aws.ToString(e.LogStreamName)
	h := fnv.New32a()
	_, _ = h.Write([]byte(stream)) // a hash accepts everything
	return out.Dim(time.UnixMilli(aws.ToInt64(e.Timestamp)).Format("2006-01-02T15:04:05.000Z07:00")) + " " +
		out.Color(streamColors[h.Sum32()%uint32(len(streamColors))], terminal.Printable(stream)) + " " + message + "\n"
}
