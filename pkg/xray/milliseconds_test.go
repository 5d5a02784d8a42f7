// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package xray

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTimestampsInSeconds(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`{"SamplingStatisticsDocuments":[{"Timestamp":1700000000123,"RuleName":"a"},{"Timestamp":1700000000},{"Timestamp":1700000000000}]}`: `{"SamplingStatisticsDocuments":[{"Timestamp":1700000000.123,"RuleName":"a"},{"Timestamp":1700000000},{"Timestamp":1700000000}]}`,
		`{"SamplingBoostStatisticsDocuments":[{"Timestamp":1700000000123}]}`:                                                                `{"SamplingBoostStatisticsDocuments":[{"Timestamp":1700000000.123}]}`,
		`{"Other":[{"Timestamp":1700000000123}]}`:                                                                                           `{"Other":[{"Timestamp":1700000000123}]}`,
		`{"SamplingStatisticsDocuments":[{"Timestamp":"1700000000123"}]}`:                                                                   `{"SamplingStatisticsDocuments":[{"Timestamp":"1700000000123"}]}`,
		`{"SamplingStatisticsDocuments":[5,{"Timestamp":-1},{}]}`:                                                                           `{"SamplingStatisticsDocuments":[5,{"Timestamp":-1},{}]}`,
		`{"SamplingStatisticsDocuments":{"Timestamp":1700000000123}}`:                                                                       `{"SamplingStatisticsDocuments":{"Timestamp":1700000000123}}`,
		`[`: `[`,
		``:  ``,
	} {
		require.Equal(t, want, string(TimestampsInSeconds([]byte(in))))
	}
}
