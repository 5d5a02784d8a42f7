// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package clients

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/xray"
	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/testbed/collector"
)

// TestExamplesAreValid checks every configuration in examples with the binary that it is for.
func TestExamplesAreValid(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(collector.Root(), "examples", "*.yaml"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			binary := collectorBinary(t)
			if filepath.Base(file) == "agent.yaml" {
				binary = agentBinary(t)
			}
			cmd := exec.CommandContext(t.Context(), binary, "validate", "--config", file)
			cmd.Env = append(cleanEnvironment(), "NEPHOSCOPE_DATA="+t.TempDir(),
				"NEPHOSCOPE_ACCESS_KEY_ID=test", "NEPHOSCOPE_SECRET_ACCESS_KEY=test")
			out, err := cmd.CombinedOutput()
			require.NoError(t, err, "%s", out)
		})
	}
}

func agentBinary(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(collector.Root(), "bin", "nephoscope-agent")
	if _, err := os.Stat(binary); err != nil {
		t.Fatalf("the agent is not built, run `make build` first: %v", err)
	}
	return binary
}

// TestAgent sends what an SDK, a segment and an EMF document bring to an agent (examples/agent.yaml) that hands them on
// to a collector, and reads them there.
func TestAgent(t *testing.T) {
	c := collector.Start(t, collector.Options{})
	a := collector.Start(t, collector.Options{
		Binary: agentBinary(t), Config: filepath.Join(collector.Root(), "examples", "agent.yaml"),
		Env: []string{"OTLP_ENDPOINT=http://" + c.OTLPHTTP},
	})
	conn, err := net.Dial("tcp", a.EMF)
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()

	now := time.Now()
	namespace, group, trace := unique(), "/agent/"+unique(), newTraceID()
	document := fmt.Sprintf(`{"_aws":{"Timestamp":%d,"LogGroupName":"%s","LogStreamName":"s","CloudWatchMetrics":[{"Namespace":"%s",`+
		`"Dimensions":[["d"]],"Metrics":[{"Name":"m","Unit":"Seconds"}]}]},"d":"x","m":[1,2,3]}`, now.UnixMilli(), group, namespace)
	_, err = fmt.Fprintln(conn, document)
	require.NoError(t, err)
	udp, err := net.Dial("udp", a.XRay)
	require.NoError(t, err)
	defer func() { _ = udp.Close() }()
	segment := fmt.Sprintf(`{"name":"agent app","id":"%s","trace_id":"%s","start_time":%d,"end_time":%d.5,"annotations":{"n":1}}`,
		randomHex(8), trace, now.Unix(), now.Unix())
	_, err = fmt.Fprintf(udp, "{\"format\":\"json\",\"version\":1}\n%s", segment)
	require.NoError(t, err)

	_, err = cloudwatch.NewFromConfig(a.AWSConfig()).PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{
		Namespace:  &namespace,
		MetricData: []types.MetricDatum{{MetricName: aws.String("put"), Values: []float64{4, 5}, Timestamp: &now}},
	})
	require.NoError(t, err)

	require.JSONEq(t, segment, onlyDocument(t, xray.NewFromConfig(c.AWSConfig()), trace))
	logs := cloudwatchlogs.NewFromConfig(c.AWSConfig())
	eventually(t, func() bool {
		out, err := logs.FilterLogEvents(t.Context(), &cloudwatchlogs.FilterLogEventsInput{LogGroupName: &group})
		return err == nil && len(out.Events) == 1 && *out.Events[0].Message == document
	}, "the document as a log event")
	metrics := cloudwatch.NewFromConfig(c.AWSConfig())
	eventually(t, func() bool {
		out, err := metrics.GetMetricStatistics(t.Context(), &cloudwatch.GetMetricStatisticsInput{
			Namespace: &namespace, MetricName: aws.String("m"), Period: aws.Int32(60),
			Dimensions: []types.Dimension{{Name: aws.String("d"), Value: aws.String("x")}},
			StartTime:  aws.Time(now.Add(-2 * time.Minute)), EndTime: aws.Time(now.Add(2 * time.Minute)),
			Statistics: []types.Statistic{types.StatisticSum, types.StatisticSampleCount},
		})
		return err == nil && len(out.Datapoints) == 1 && *out.Datapoints[0].Sum == 6 && *out.Datapoints[0].SampleCount == 3
	}, "the document's metric")
	eventually(t, func() bool {
		out, err := metrics.GetMetricStatistics(t.Context(), &cloudwatch.GetMetricStatisticsInput{
			Namespace: &namespace, MetricName: aws.String("put"), Period: aws.Int32(60),
			StartTime: aws.Time(now.Add(-2 * time.Minute)), EndTime: aws.Time(now.Add(2 * time.Minute)),
			Statistics: []types.Statistic{types.StatisticSum, types.StatisticMaximum},
		})
		return err == nil && len(out.Datapoints) == 1 && *out.Datapoints[0].Sum == 9 && *out.Datapoints[0].Maximum == 5
	}, "the SDK's metric")
	a.Stop(t)
}

func collectorBinary(t *testing.T) string {
	t.Helper()
	if bin := os.Getenv("NEPHOSCOPE_BIN"); bin != "" {
		return bin
	}
	binary := filepath.Join(collector.Root(), "bin", "nephoscope")
	if _, err := os.Stat(binary); err != nil {
		t.Fatalf("the collector is not built, run `make build` first: %v", err)
	}
	return binary
}
