// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package clients

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/xray"
	"github.com/aws/aws-sdk-go-v2/service/xray/types"
	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/testbed/collector"
)

func randomHex(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

func newTraceID() string { return fmt.Sprintf("1-%08x-%s", time.Now().Unix(), randomHex(12)) }

// testTraces is X-Ray by the AWS SDK for Go v2, by datagrams, and by the daemon's TCP port.
func testTraces(t *testing.T, c *collector.Collector) {
	t.Helper()
	client := xray.NewFromConfig(c.AWSConfig())
	now := time.Now()

	t.Run("documents come back as they were", func(t *testing.T) {
		id := newTraceID()
		document := fmt.Sprintf(`{"name":"go app","id":"%s","trace_id":"%s","start_time":%d.123456,"end_time":%d.5,"fault":true,`+
			`"annotations":{"ok":true,"n":1.5,"s":"x"},"metadata":{"default":{"deep":{"list":[1,null,"a"]}}},"Dummy":false,`+
			`"subsegments":[{"name":"db","id":"%s","start_time":%d.2,"end_time":%d.3,"namespace":"local","in_progress":false}]}`,
			randomHex(8), id, now.Unix(), now.Unix(), randomHex(8), now.Unix(), now.Unix())
		put, err := client.PutTraceSegments(t.Context(), &xray.PutTraceSegmentsInput{TraceSegmentDocuments: []string{document}})
		require.NoError(t, err)
		require.Empty(t, put.UnprocessedTraceSegments)
		require.JSONEq(t, document, onlyDocument(t, client, id))
	})

	t.Run("datagrams", func(t *testing.T) {
		conn, err := net.Dial("udp", c.XRay)
		require.NoError(t, err)
		defer func() { _ = conn.Close() }()
		var ids []string
		for i := range 100 {
			id := newTraceID()
			ids = append(ids, id)
			_, err := fmt.Fprintf(conn, "{\"format\":\"json\",\"version\":1}\n{\"name\":\"udp\",\"id\":\"%s\",\"trace_id\":\"%s\",\"start_time\":%d,\"end_time\":%d.25,\"http\":{\"response\":{\"status\":%d}}}",
				randomHex(8), id, now.Unix(), now.Unix(), 200+i)
			require.NoError(t, err)
		}
		for _, id := range ids {
			eventually(t, func() bool {
				out, err := client.BatchGetTraces(t.Context(), &xray.BatchGetTracesInput{TraceIds: []string{id}})
				return err == nil && len(out.Traces) == 1
			}, "trace %s", id)
		}
		found := map[string]bool{}
		pages := xray.NewGetTraceSummariesPaginator(client, &xray.GetTraceSummariesInput{
			StartTime: aws.Time(now.Add(-time.Minute)), EndTime: aws.Time(now.Add(time.Minute)),
		})
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			require.NoError(t, err)
			for _, s := range page.TraceSummaries {
				found[*s.Id] = true
			}
		}
		for _, id := range ids {
			require.True(t, found[id], "summary of %s", id)
		}
	})

	t.Run("sampling through the daemon's port, unsigned", func(t *testing.T) {
		var rules struct {
			SamplingRuleRecords []struct {
				SamplingRule struct {
					RuleName  string
					Priority  int
					FixedRate float64
				}
			}
		}
		daemonCall(t, c, "/GetSamplingRules", `{"NextToken":null}`, &rules)
		require.Len(t, rules.SamplingRuleRecords, 1)
		require.Equal(t, "Default", rules.SamplingRuleRecords[0].SamplingRule.RuleName)
		require.Equal(t, 10000, rules.SamplingRuleRecords[0].SamplingRule.Priority)
		require.InDelta(t, 0.05, rules.SamplingRuleRecords[0].SamplingRule.FixedRate, 0)

		var targets struct {
			SamplingTargetDocuments []struct {
				RuleName  string
				FixedRate float64
				Interval  int
			}
			LastRuleModification  float64
			UnprocessedStatistics []any
		}
		daemonCall(t, c, "/SamplingTargets", fmt.Sprintf(`{"SamplingStatisticsDocuments":[{"RuleName":"Default","ClientID":"%s",`+
			`"Timestamp":%d,"RequestCount":10,"SampledCount":2,"BorrowCount":0}]}`, randomHex(12), now.UnixMilli()), &targets)
		require.Len(t, targets.SamplingTargetDocuments, 1)
		require.Equal(t, "Default", targets.SamplingTargetDocuments[0].RuleName)
		require.Empty(t, targets.UnprocessedStatistics)
	})

	t.Run("errors have their types", func(t *testing.T) {
		_, err := client.GetTraceSummaries(t.Context(), &xray.GetTraceSummariesInput{
			StartTime: aws.Time(now.Add(-time.Minute)), EndTime: &now, FilterExpression: aws.String("fault"),
		})
		var invalid *types.InvalidRequestException
		require.ErrorAs(t, err, &invalid)
	})
}

func onlyDocument(t *testing.T, client *xray.Client, id string) string {
	t.Helper()
	var out *xray.BatchGetTracesOutput
	eventually(t, func() bool {
		var err error
		out, err = client.BatchGetTraces(t.Context(), &xray.BatchGetTracesInput{TraceIds: []string{id}})
		return err == nil && len(out.Traces) == 1
	}, "trace %s", id)
	require.Len(t, out.Traces[0].Segments, 1)
	return *out.Traces[0].Segments[0].Document
}

func daemonCall(t *testing.T, c *collector.Collector, path, body string, into any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+c.XRay+path, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, resp.StatusCode, "%s", text)
	require.NoError(t, json.Unmarshal(text, into))
}
