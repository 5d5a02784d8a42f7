// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package xray

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/xray"
	"github.com/aws/aws-sdk-go-v2/service/xray/types"
)

// The default rule: the first request each second, and 5 % of the others.
const (
	DefaultRuleName      = "Default"
	defaultRulePriority  = 10000
	defaultRuleReservoir = 1
	defaultRuleFixedRate = 0.05
)

// How targets are handed out.
const (
	samplingInterval   = 10 * time.Second
	samplingQuotaTTL   = 5 * time.Minute
	samplingClientIdle = 3 * samplingInterval
	maxSamplingClients = 10_000
	maxStatistics      = 25
	clientIDLength     = 24
)

// DefaultSampling answers X-Ray's sampling calls when there is no rule but the default one.
type DefaultSampling struct {
	now func() time.Time

	mu      sync.Mutex
	clients map[string]samplingClient
	joined  uint64
	windows []samplingWindow // of what clients report, oldest first
}

// NewDefaultSampling returns a sampling service that takes the time from now.
func NewDefaultSampling(now func() time.Time) *DefaultSampling {
	return &DefaultSampling{now: now, clients: make(map[string]samplingClient)}
}

type samplingClient struct {
	joined uint64    // rising with the order in which clients came
	seen   time.Time // when it last reported
}

// DefaultRuleRecord is the default rule as it is listed.
func DefaultRuleRecord(account, region string) types.SamplingRuleRecord {
	return types.SamplingRuleRecord{
		CreatedAt:  aws.Time(time.Unix(0, 0).UTC()),
		ModifiedAt: aws.Time(time.Unix(0, 0).UTC()),
		SamplingRule: &types.SamplingRule{
			RuleName:      aws.String(DefaultRuleName),
			RuleARN:       aws.String(fmt.Sprintf("arn:aws:xray:%s:%s:sampling-rule/%s", region, account, DefaultRuleName)),
			Priority:      aws.Int32(defaultRulePriority),
			ReservoirSize: defaultRuleReservoir,
			FixedRate:     defaultRuleFixedRate,
			Version:       aws.Int32(1),
			Host:          aws.String("*"),
			HTTPMethod:    aws.String("*"),
			ResourceARN:   aws.String("*"),
			ServiceName:   aws.String("*"),
			ServiceType:   aws.String("*"),
			URLPath:       aws.String("*"),
			Attributes:    map[string]string{},
		},
	}
}

func invalidRequest(format string, args ...any) error {
	return &types.InvalidRequestException{Message: aws.String(fmt.Sprintf(format, args...))}
}

// GetSamplingRules lists the default rule.
func (s *DefaultSampling) GetSamplingRules(account, region string, in *xray.GetSamplingRulesInput) (*xray.GetSamplingRulesOutput, error) {
	if aws.ToString(in.NextToken) != "" {
		return nil, invalidRequest("Invalid NextToken") // everything fits one page, so none was given out
	}
	return &xray.GetSamplingRulesOutput{SamplingRuleRecords: []types.SamplingRuleRecord{DefaultRuleRecord(account, region)}}, nil
}

// GetSamplingTargets takes the clients' statistics and tells each how much of the default rule's reservoir is
// its own for the next minutes. The shares of all clients never exceed the reservoir. Timestamps are not used,
// so that clients that send milliseconds are served as well.
func (s *DefaultSampling) GetSamplingTargets(in *xray.GetSamplingTargetsInput) (*xray.GetSamplingTargetsOutput, error) {
	if in.SamplingStatisticsDocuments == nil {
		return nil, invalidRequest("SamplingStatisticsDocuments is required")
	}
	if n := len(in.SamplingStatisticsDocuments); n > maxStatistics {
		return nil, invalidRequest("SamplingStatisticsDocuments has %d members, at most %d are allowed", n, maxStatistics)
	}
	if n := len(in.SamplingBoostStatisticsDocuments); n > maxStatistics {
		return nil, invalidRequest("SamplingBoostStatisticsDocuments has %d members, at most %d are allowed", n, maxStatistics)
	}
	for i := range in.SamplingStatisticsDocuments {
		if err := checkStatistics(&in.SamplingStatisticsDocuments[i], i); err != nil {
			return nil, err
		}
	}
	out := &xray.GetSamplingTargetsOutput{
		LastRuleModification:       aws.Time(time.Unix(0, 0).UTC()),
		SamplingTargetDocuments:    []types.SamplingTargetDocument{},
		UnprocessedStatistics:      []types.UnprocessedStatistics{},
		UnprocessedBoostStatistics: []types.UnprocessedStatistics{},
	}
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range in.SamplingStatisticsDocuments {
		d := &in.SamplingStatisticsDocuments[i]
		if *d.RuleName != DefaultRuleName {
			out.UnprocessedStatistics = append(out.UnprocessedStatistics, unprocessed(*d.RuleName, "Unknown rule"))
			continue
		}
		s.count(now, d)
		quota := s.quota(now, *d.ClientID)
		if quota < 0 {
			out.UnprocessedStatistics = append(out.UnprocessedStatistics, types.UnprocessedStatistics{
				RuleName: d.RuleName, ErrorCode: aws.String("500"), Message: aws.String("Too many clients"),
			})
			continue
		}
		out.SamplingTargetDocuments = append(out.SamplingTargetDocuments, types.SamplingTargetDocument{
			RuleName:          aws.String(DefaultRuleName),
			FixedRate:         defaultRuleFixedRate,
			Interval:          aws.Int32(int32(samplingInterval / time.Second)),
			ReservoirQuota:    aws.Int32(quota),
			ReservoirQuotaTTL: aws.Time(now.Add(samplingQuotaTTL).UTC().Truncate(time.Second)),
		})
	}
	for _, d := range in.SamplingBoostStatisticsDocuments {
		message := "Unknown rule"
		if aws.ToString(d.RuleName) == DefaultRuleName {
			message = "Rule has no SamplingRateBoost"
		}
		out.UnprocessedBoostStatistics = append(out.UnprocessedBoostStatistics, unprocessed(aws.ToString(d.RuleName), message))
	}
	return out, nil
}

func checkStatistics(d *types.SamplingStatisticsDocument, i int) error {
	at := fmt.Sprintf("SamplingStatisticsDocuments[%d]", i)
	switch {
	case aws.ToString(d.RuleName) == "":
		return invalidRequest("%s: RuleName is required", at)
	case len(aws.ToString(d.ClientID)) != clientIDLength:
		return invalidRequest("%s: ClientID must have %d characters", at, clientIDLength)
	case d.Timestamp == nil:
		return invalidRequest("%s: Timestamp is required", at)
	case d.RequestCount < 0 || d.SampledCount < 0 || d.BorrowCount < 0:
		return invalidRequest("%s: counts must not be negative", at)
	}
	return nil
}

// unprocessed has a code that begins with 4, on which clients fetch the rules again.
func unprocessed(rule, message string) types.UnprocessedStatistics {
	return types.UnprocessedStatistics{RuleName: aws.String(rule), ErrorCode: aws.String("400"), Message: aws.String(message)}
}

// quota is the share of a client in the reservoir: an equal part of it, and the remainder to those who came
// first. So the sum is the reservoir, and a newcomer does not double what others still hold. It is negative
// when there are too many clients to keep.
func (s *DefaultSampling) quota(now time.Time, client string) int32 {
	for id, c := range s.clients {
		if now.Sub(c.seen) > samplingClientIdle {
			delete(s.clients, id)
		}
	}
	c, ok := s.clients[client]
	if !ok {
		if len(s.clients) >= maxSamplingClients {
			return -1
		}
		s.joined++
		c.joined = s.joined
	}
	c.seen = now
	s.clients[strings.Clone(client)] = c
	before := int32(0)
	for _, other := range s.clients {
		if other.joined < c.joined {
			before++
		}
	}
	n := int32(len(s.clients))
	quota := int32(defaultRuleReservoir) / n
	if before < int32(defaultRuleReservoir)%n {
		quota++
	}
	return quota
}

// samplingWindow is what clients reported in ten seconds.
type samplingWindow struct {
	start                      int64 // Unix s
	requests, sampled, borrows int64
}

// maxSamplingWindows is an hour of them.
const maxSamplingWindows = int(time.Hour / samplingInterval)

func (s *DefaultSampling) count(now time.Time, d *types.SamplingStatisticsDocument) {
	start := now.Unix() - now.Unix()%int64(samplingInterval/time.Second)
	if n := len(s.windows); n == 0 || s.windows[n-1].start < start {
		if n == maxSamplingWindows {
			s.windows = slices.Delete(s.windows, 0, 1)
		}
		s.windows = append(s.windows, samplingWindow{start: start})
	}
	w := &s.windows[len(s.windows)-1]
	w.requests += int64(d.RequestCount)
	// Some clients count what they borrow as sampled, others do not.
	w.sampled += int64(max(d.SampledCount, d.BorrowCount))
	w.borrows += int64(d.BorrowCount)
}

// GetSamplingStatisticSummaries lists what clients reported in the last hour, by windows of ten seconds.
func (s *DefaultSampling) GetSamplingStatisticSummaries(in *xray.GetSamplingStatisticSummariesInput) (*xray.GetSamplingStatisticSummariesOutput, error) {
	if aws.ToString(in.NextToken) != "" {
		return nil, invalidRequest("Invalid NextToken")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	oldest := s.now().Add(-time.Hour).Unix()
	out := &xray.GetSamplingStatisticSummariesOutput{SamplingStatisticSummaries: []types.SamplingStatisticSummary{}}
	for _, w := range s.windows {
		if w.start < oldest {
			continue
		}
		out.SamplingStatisticSummaries = append(out.SamplingStatisticSummaries, types.SamplingStatisticSummary{
			RuleName: aws.String(DefaultRuleName), Timestamp: aws.Time(time.Unix(w.start, 0).UTC()),
			RequestCount: clamp32(w.requests), SampledCount: clamp32(w.sampled), BorrowCount: clamp32(w.borrows),
		})
	}
	return out, nil
}

func clamp32(n int64) int32 { return int32(min(n, 1<<31-1)) }
