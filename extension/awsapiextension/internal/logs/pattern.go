// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logs

import (
	"context"
	"errors"
	"fmt"

	api "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/nephoscope/nephoscope/pkg/cloudwatchlogs"
	"github.com/nephoscope/nephoscope/pkg/filterpattern"
)

// firstEventNumber is the number that TestMetricFilter gives to the first message: all of AWS's examples count from 0.
const firstEventNumber = 0

// compilePattern reads a filter pattern; the error is the client's.
func compilePattern(pattern string) (*filterpattern.Pattern, error) {
	p, err := filterpattern.Compile(pattern)
	var wrong *filterpattern.Error
	if errors.As(err, &wrong) {
		return nil, invalidParameter("%s", wrong.Message)
	}
	return p, err
}

func (s *Service) testMetricFilter(_ context.Context, in *api.TestMetricFilterInput) (*api.TestMetricFilterOutput, error) {
	var c checks
	if c.required(in.FilterPattern != nil, "filterPattern") {
		c.length(in.FilterPattern, "filterPattern", 0, cloudwatchlogs.MaxFilterPatternLength)
	}
	if c.required(in.LogEventMessages != nil, "logEventMessages") {
		c.size(len(in.LogEventMessages), "logEventMessages", 1, 50)
		for i := range in.LogEventMessages {
			c.length(&in.LogEventMessages[i], fmt.Sprintf("logEventMessages.%d.member", i+1), 1, cloudwatchlogs.MaxEventBytes)
		}
	}
	if err := c.err(); err != nil {
		return nil, err
	}
	pattern, err := compilePattern(*in.FilterPattern)
	if err != nil {
		return nil, err
	}
	out := &api.TestMetricFilterOutput{Matches: []types.MetricFilterMatchRecord{}}
	for i, m := range in.LogEventMessages {
		if values, ok := pattern.Extract(m); ok {
			out.Matches = append(out.Matches, types.MetricFilterMatchRecord{
				EventNumber: int64(i) + firstEventNumber, EventMessage: new(m), ExtractedValues: values,
			})
		}
	}
	return out, nil
}
