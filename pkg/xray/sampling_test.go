// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package xray

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/xray"
	"github.com/aws/aws-sdk-go-v2/service/xray/types"
	"github.com/stretchr/testify/require"
)

type testClock struct{ t time.Time }

func (c *testClock) now() time.Time { return c.t }

func (c *testClock) add(d time.Duration) { c.t = c.t.Add(d) }

func newTestSampling() (*DefaultSampling, *testClock) {
	c := &testClock{t: time.Unix(1700000000, 500e6)}
	return NewDefaultSampling(c.now), c
}

func statistics(rule string, client int) types.SamplingStatisticsDocument {
	return types.SamplingStatisticsDocument{
		RuleName: aws.String(rule), ClientID: aws.String(fmt.Sprintf("%024x", client)), Timestamp: aws.Time(time.Unix(1700000000, 0)),
		RequestCount: 10, SampledCount: 2, BorrowCount: 1,
	}
}

func TestGetSamplingRules(t *testing.T) {
	t.Parallel()
	s, _ := newTestSampling()
	out, err := s.GetSamplingRules("123456789012", "eu-west-1", &xray.GetSamplingRulesInput{})
	require.NoError(t, err)
	require.Len(t, out.SamplingRuleRecords, 1)
	require.Nil(t, out.NextToken)
	r := out.SamplingRuleRecords[0].SamplingRule
	require.Equal(t, &types.SamplingRule{
		RuleName: aws.String("Default"), RuleARN: aws.String("arn:aws:xray:eu-west-1:123456789012:sampling-rule/Default"),
		Priority: aws.Int32(10000), FixedRate: 0.05, ReservoirSize: 1, Version: aws.Int32(1), Attributes: map[string]string{},
		Host: aws.String("*"), HTTPMethod: aws.String("*"), URLPath: aws.String("*"), ServiceName: aws.String("*"), ServiceType: aws.String("*"), ResourceARN: aws.String("*"),
	}, r)
	require.Zero(t, out.SamplingRuleRecords[0].CreatedAt.Unix())
	_, err = s.GetSamplingRules("", "", &xray.GetSamplingRulesInput{NextToken: aws.String("x")})
	require.ErrorAs(t, err, new(*types.InvalidRequestException))
	_, err = s.GetSamplingRules("", "", &xray.GetSamplingRulesInput{NextToken: aws.String("")})
	require.NoError(t, err)
}

func TestGetSamplingTargets(t *testing.T) {
	t.Parallel()
	s, clock := newTestSampling()
	milliseconds := statistics("Default", 1)
	milliseconds.Timestamp = aws.Time(time.Unix(1700000000000, 0)) // as the OpenTelemetry sampler for Java sends it
	out, err := s.GetSamplingTargets(&xray.GetSamplingTargetsInput{
		SamplingStatisticsDocuments:      []types.SamplingStatisticsDocument{milliseconds, statistics("nobody's", 1)},
		SamplingBoostStatisticsDocuments: []types.SamplingBoostStatisticsDocument{{RuleName: aws.String("Default")}, {RuleName: aws.String("x")}},
	})
	require.NoError(t, err)
	require.Equal(t, []types.SamplingTargetDocument{{
		RuleName: aws.String("Default"), FixedRate: 0.05, Interval: aws.Int32(10), ReservoirQuota: aws.Int32(1), ReservoirQuotaTTL: aws.Time(time.Unix(1700000300, 0).UTC()),
	}}, out.SamplingTargetDocuments)
	require.Equal(t, []types.UnprocessedStatistics{{RuleName: aws.String("nobody's"), ErrorCode: aws.String("400"), Message: aws.String("Unknown rule")}}, out.UnprocessedStatistics)
	require.Len(t, out.UnprocessedBoostStatistics, 2)
	require.Zero(t, out.LastRuleModification.Unix())

	quota := func(client int) int32 {
		out, err := s.GetSamplingTargets(&xray.GetSamplingTargetsInput{SamplingStatisticsDocuments: []types.SamplingStatisticsDocument{statistics("Default", client)}})
		require.NoError(t, err)
		return *out.SamplingTargetDocuments[0].ReservoirQuota
	}
	require.Equal(t, int32(0), quota(0), "the reservoir is the first one's")
	require.Equal(t, int32(1), quota(1))
	clock.add(20 * time.Second)
	require.Equal(t, int32(0), quota(0))
	clock.add(15 * time.Second)
	require.Equal(t, int32(1), quota(0), "the other has not reported for 30 s")

	sums, err := s.GetSamplingStatisticSummaries(&xray.GetSamplingStatisticSummariesInput{})
	require.NoError(t, err)
	require.Equal(t, []types.SamplingStatisticSummary{
		{RuleName: aws.String("Default"), Timestamp: aws.Time(time.Unix(1700000000, 0).UTC()), RequestCount: 30, SampledCount: 6, BorrowCount: 3},
		{RuleName: aws.String("Default"), Timestamp: aws.Time(time.Unix(1700000020, 0).UTC()), RequestCount: 10, SampledCount: 2, BorrowCount: 1},
		{RuleName: aws.String("Default"), Timestamp: aws.Time(time.Unix(1700000030, 0).UTC()), RequestCount: 10, SampledCount: 2, BorrowCount: 1},
	}, sums.SamplingStatisticSummaries)
	clock.add(2 * time.Hour)
	sums, err = s.GetSamplingStatisticSummaries(&xray.GetSamplingStatisticSummariesInput{})
	require.NoError(t, err)
	require.Empty(t, sums.SamplingStatisticSummaries)
	_, err = s.GetSamplingStatisticSummaries(&xray.GetSamplingStatisticSummariesInput{NextToken: aws.String("x")})
	require.Error(t, err)
}

func TestGetSamplingTargetsInvalid(t *testing.T) {
	t.Parallel()
	s, _ := newTestSampling()
	change := func(f func(d *types.SamplingStatisticsDocument)) []types.SamplingStatisticsDocument {
		d := statistics("Default", 1)
		f(&d)
		return []types.SamplingStatisticsDocument{d}
	}
	for name, in := range map[string]*xray.GetSamplingTargetsInput{
		"SamplingStatisticsDocuments is required": {},
		"at most 25":           {SamplingStatisticsDocuments: make([]types.SamplingStatisticsDocument, 26)},
		"SamplingBoost":        {SamplingStatisticsDocuments: []types.SamplingStatisticsDocument{}, SamplingBoostStatisticsDocuments: make([]types.SamplingBoostStatisticsDocument, 26)},
		"RuleName":             {SamplingStatisticsDocuments: change(func(d *types.SamplingStatisticsDocument) { d.RuleName = nil })},
		"ClientID":             {SamplingStatisticsDocuments: change(func(d *types.SamplingStatisticsDocument) { d.ClientID = aws.String("x") })},
		"Timestamp":            {SamplingStatisticsDocuments: change(func(d *types.SamplingStatisticsDocument) { d.Timestamp = nil })},
		"must not be negative": {SamplingStatisticsDocuments: change(func(d *types.SamplingStatisticsDocument) { d.RequestCount = -1 })},
	} {
		_, err := s.GetSamplingTargets(in)
		var invalid *types.InvalidRequestException
		require.ErrorAs(t, err, &invalid, name)
		require.Contains(t, invalid.ErrorMessage(), name)
	}
	out, err := s.GetSamplingTargets(&xray.GetSamplingTargetsInput{SamplingStatisticsDocuments: []types.SamplingStatisticsDocument{}})
	require.NoError(t, err)
	require.Empty(t, out.SamplingTargetDocuments)
}

func TestSamplingClientsAreBounded(t *testing.T) {
	t.Parallel()
	s, clock := newTestSampling()
	for i := range maxSamplingClients {
		s.clients[fmt.Sprintf("%024x", i)] = samplingClient{joined: uint64(i + 1), seen: clock.t}
	}
	in := &xray.GetSamplingTargetsInput{SamplingStatisticsDocuments: []types.SamplingStatisticsDocument{statistics("Default", maxSamplingClients)}}
	out, err := s.GetSamplingTargets(in)
	require.NoError(t, err)
	require.Equal(t, "500", *out.UnprocessedStatistics[0].ErrorCode)
	clock.add(time.Minute)
	out, err = s.GetSamplingTargets(in)
	require.NoError(t, err)
	require.Equal(t, int32(1), *out.SamplingTargetDocuments[0].ReservoirQuota)
	require.Len(t, s.clients, 1)
}
