// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package xray

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/service/xray"
)

func (s *service) getSamplingRules(
	ctx context.Context, in *sdk.GetSamplingRulesInput,
) (*sdk.GetSamplingRulesOutput, error) {
	t := tenant(ctx)
	return s.sampling.GetSamplingRules(t.Account, t.Region, in)
}

func (s *service) getSamplingTargets(
	_ context.Context, in *sdk.GetSamplingTargetsInput,
) (*sdk.GetSamplingTargetsOutput, error) {
	return s.sampling.GetSamplingTargets(in)
}

func (s *service) getSamplingStatisticSummaries(
	_ context.Context, in *sdk.GetSamplingStatisticSummariesInput,
) (*sdk.GetSamplingStatisticSummariesOutput, error) {
	return s.sampling.GetSamplingStatisticSummaries(in)
}
