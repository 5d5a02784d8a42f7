//go:build bench

// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"database/sql/driver"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/xray"
	"github.com/duckdb/duckdb-go/v2"
	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/testbed/collector"
)

func start(t *testing.T) *collector.Collector {
	t.Helper()
	return collector.Start(t, collector.Options{Config: filepath.Join(collector.Root(), "testbed", "bench", "testdata", "bench.yaml")})
}

// report prints a figure the way docs/benchmarks.md has it.
func report(t *testing.T, what, format string, args ...any) {
	t.Helper()
	t.Logf("RESULT | %s | %s", what, fmt.Sprintf(format, args...))
}

// signed sends a request with a real SigV4 signature over its body.
func signed(ctx context.Context, client *http.Client, signer *v4.Signer, c *collector.Collector, service string, header http.Header, path string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+c.AWS+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	maps.Copy(req.Header, header)
	sum := sha256.Sum256(body)
	creds := aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}
	if err := signer.SignHTTP(ctx, creds, req, hex.EncodeToString(sum[:]), service, "us-east-1", time.Now()); err != nil {
		return err
	}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", res.Status, answer)
	}
	return nil
}

// logBodies makes PutLogEvents bodies of 1,000 events each, one per stream.
func logBodies(n, perBody int, now time.Time) (bodies [][]byte, bytesOfMessages int) {
	g := newEventGenerator(1)
	for s := range n {
		var b bytes.Buffer
		fmt.Fprintf(&b, `{"logGroupName":"/bench","logStreamName":"s%d","logEvents":[`, s)
		for i := range perBody {
			if i > 0 {
				b.WriteByte(',')
			}
			msg, _, _, _, _, _, _ := g.next(now.UnixMilli())
			bytesOfMessages += len(msg)
			quoted, _ := json.Marshal(string(msg))
			fmt.Fprintf(&b, `{"timestamp":%d,"message":%s}`, now.UnixMilli(), quoted)
		}
		b.WriteString("]}")
		bodies = append(bodies, b.Bytes())
	}
	return bodies, bytesOfMessages
}

// TestPutLogEvents sends 1,000 events a request, signed, from as many clients as fill the machine, and compares the
// rate with appending the same rows straight to the engine in the same run.
func TestPutLogEvents(t *testing.T) {
	const clients, requests, perBody = 8, 600, 1000
	c := start(t)
	logs := cloudwatchlogs.NewFromConfig(c.AWSConfig())
	_, err := logs.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String("/bench")})
	require.NoError(t, err)
	for s := range clients {
		_, err := logs.CreateLogStream(t.Context(), &cloudwatchlogs.CreateLogStreamInput{
			LogGroupName: aws.String("/bench"), LogStreamName: aws.String(fmt.Sprintf("s%d", s)),
		})
		require.NoError(t, err)
	}
	bodies, size := logBodies(clients, perBody, time.Now())
	header := http.Header{
		"Content-Type": {"application/x-amz-json-1.1"},
		"X-Amz-Target": {"Logs_20140328.PutLogEvents"},
	}
	begin := time.Now()
	var mu sync.Mutex
	var latencies []time.Duration
	run(t, clients, requests, func(ctx context.Context, client *http.Client, signer *v4.Signer, worker int) error {
		sent := time.Now()
		err := signed(ctx, client, signer, c, "logs", header, "/", bodies[worker])
		mu.Lock()
		latencies = append(latencies, time.Since(sent))
		mu.Unlock()
		return err
	})
	elapsed := time.Since(begin)
	cpu := c.CPUTime(t)

	// Every event is there: count them through the API.
	want := requests * perBody
	require.Equal(t, want, countLogs(t, logs, "/bench"))
	rate := float64(want) / elapsed.Seconds()
	report(t, "PutLogEvents, 1,000 x 550 B, SigV4", "%.0f events/s, %.1f MB/s, p50 %s p99 %s, collector CPU %.1f s",
		rate, float64(size)/float64(clients*perBody)*rate/1e6, percentile(latencies, 50), percentile(latencies, 99), cpu.Seconds())
	c.Stop(t)

	straight := appendStraight(t, want)
	report(t, "the same rows appended straight to the engine", "%.0f events/s", straight)
	report(t, "ratio", "%.2f", rate/straight)
}

// countLogs counts a group's events by Insights.
func countLogs(t *testing.T, logs *cloudwatchlogs.Client, group string) int {
	t.Helper()
	rows := insights(t, logs, []string{group}, "stats count(*) as n", time.Now().Add(-48*time.Hour), time.Now().Add(time.Hour))
	require.Len(t, rows, 1)
	n, err := strconv.Atoi(rows[0]["n"])
	require.NoError(t, err)
	return n
}

// insights runs a query to its end.
func insights(t *testing.T, logs *cloudwatchlogs.Client, groups []string, query string, from, to time.Time) []map[string]string {
	t.Helper()
	q, err := logs.StartQuery(t.Context(), &cloudwatchlogs.StartQueryInput{
		LogGroupNames: groups, QueryString: aws.String(query),
		StartTime: aws.Int64(from.Unix()), EndTime: aws.Int64(to.Unix()),
	})
	require.NoError(t, err)
	for begin := time.Now(); ; {
		out, err := logs.GetQueryResults(t.Context(), &cloudwatchlogs.GetQueryResultsInput{QueryId: q.QueryId})
		require.NoError(t, err)
		switch out.Status {
		case "Scheduled", "Running":
			// Asking costs what the query needs: ask after 1 ms at first, then less and less often.
			time.Sleep(min(max(time.Millisecond, time.Since(begin)/20), 50*time.Millisecond))
			continue
		case "Complete":
		default:
			t.Fatalf("query %q: %s", query, out.Status)
		}
		rows := make([]map[string]string, len(out.Results))
		for i, r := range out.Results {
			rows[i] = make(map[string]string)
			for _, f := range r {
				rows[i][*f.Field] = *f.Value
			}
		}
		return rows
	}
}

// run shares n calls among the workers.
func run(t *testing.T, workers, n int, f func(ctx context.Context, client *http.Client, signer *v4.Signer, worker int) error) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: workers}}
	defer client.CloseIdleConnections()
	errs := make(chan error, workers)
	for w := range workers {
		share := n / workers
		if w < n%workers {
			share++
		}
		go func() {
			signer := v4.NewSigner()
			for range share {
				if err := f(t.Context(), client, signer, w); err != nil {
					errs <- err
					return
				}
			}
			errs <- nil
		}()
	}
	for range workers {
		require.NoError(t, <-errs)
	}
}

// appendStraight appends the rows that the collector would keep to a table of the same layout and settings, 8,192 a
// commit, and returns rows per second.
func appendStraight(t *testing.T, n int) float64 {
	t.Helper()
	dir := t.TempDir()
	connector, err := duckdb.NewConnector("", nil)
	require.NoError(t, err)
	db := sql.OpenDB(connector)
	defer func() { _ = db.Close() }()
	conn, err := db.Conn(t.Context())
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	for _, q := range []string{
		"SET storage_compatibility_version='latest'", "SET wal_autocheckpoint='64MB'", "SET memory_limit='512MB'", "SET threads=2",
		fmt.Sprintf("ATTACH '%s' AS d (ROW_GROUP_SIZE 30720)", filepath.Join(dir, "d.db")),
		`CREATE TABLE d.logs(ts TIMESTAMP, ingested TIMESTAMP, seq BIGINT, grp VARCHAR, stream VARCHAR,
		 message VARCHAR USING COMPRESSION zstd, level VARCHAR, service VARCHAR, trace_id VARCHAR, span_id VARCHAR,
		 duration_ms DOUBLE, status INTEGER)`,
	} {
		_, err := conn.ExecContext(t.Context(), q)
		require.NoError(t, err, q)
	}
	type row struct {
		msg, level, service, trace string
		ms                         float64
		status                     int32
	}
	g := newEventGenerator(1)
	now := time.Now().UTC()
	rows := make([]row, 8192)
	for i := range rows {
		msg, _, _, level, service, ms, status := g.next(now.UnixMilli())
		rows[i] = row{string(msg), level, service, fmt.Sprintf("%032x", i), ms, int32(status)}
	}
	begin := time.Now()
	for done := 0; done < n; {
		batch := min(len(rows), n-done)
		_, err := conn.ExecContext(t.Context(), "BEGIN")
		require.NoError(t, err)
		require.NoError(t, conn.Raw(func(dc any) error {
			a, err := duckdb.NewAppender(dc.(driver.Conn), "d", "main", "logs")
			if err != nil {
				return err
			}
			for i := range batch {
				r := &rows[i]
				if err := a.AppendRow(now, now, int64(done+i), "/bench", "s1", r.msg, r.level, r.service, r.trace, nil, r.ms, r.status); err != nil {
					return err
				}
			}
			return a.Close()
		}))
		_, err = conn.ExecContext(t.Context(), "COMMIT")
		require.NoError(t, err)
		done += batch
	}
	elapsed := time.Since(begin)
	var count int
	require.NoError(t, conn.QueryRowContext(t.Context(), "SELECT count(*) FROM d.logs").Scan(&count))
	require.Equal(t, n, count)
	return float64(n) / elapsed.Seconds()
}

// TestPutMetricData sends 1,000 data points a request in CBOR, as the SDK for Go encodes them.
func TestPutMetricData(t *testing.T) {
	const clients, requests, perBody = 8, 1500, 1000
	c := start(t)
	header, path, bodies := metricBodies(t, c, clients, perBody)
	begin := time.Now()
	run(t, clients, requests, func(ctx context.Context, client *http.Client, signer *v4.Signer, worker int) error {
		return signed(ctx, client, signer, c, "monitoring", header, path, bodies[worker])
	})
	elapsed := time.Since(begin)
	cpu := c.CPUTime(t)

	client := cloudwatch.NewFromConfig(c.AWSConfig())
	var total float64
	for i := range perBody {
		out, err := client.GetMetricStatistics(t.Context(), &cloudwatch.GetMetricStatisticsInput{
			Namespace: aws.String("bench"), MetricName: aws.String("latency"), Period: aws.Int32(60),
			Dimensions: []cwtypes.Dimension{{Name: aws.String("host"), Value: aws.String(fmt.Sprintf("h%d", i))}},
			StartTime:  aws.Time(begin.Add(-10 * time.Minute)), EndTime: aws.Time(begin.Add(10 * time.Minute)),
			Statistics: []cwtypes.Statistic{cwtypes.StatisticSampleCount},
		})
		require.NoError(t, err)
		for _, d := range out.Datapoints {
			total += *d.SampleCount
		}
	}
	want := requests * perBody
	require.InDelta(t, want, total, 0)
	report(t, "PutMetricData, CBOR, 1,000 datums a request, 1,000 series", "%.0f data points/s, collector CPU %.1f s",
		float64(want)/elapsed.Seconds(), cpu.Seconds())
	c.Stop(t)
}

// metricBodies is what the SDK sends: header, path and one body per worker.
func metricBodies(t *testing.T, c *collector.Collector, n, perBody int) (header http.Header, path string, bodies [][]byte) {
	t.Helper()
	now := time.Now()
	for w := range n {
		data := make([]cwtypes.MetricDatum, perBody)
		for i := range data {
			data[i] = cwtypes.MetricDatum{
				MetricName: aws.String("latency"), Unit: cwtypes.StandardUnitMilliseconds, Timestamp: aws.Time(now),
				Value:      aws.Float64(float64(w*perBody+i%97) + 0.25),
				Dimensions: []cwtypes.Dimension{{Name: aws.String("host"), Value: aws.String(fmt.Sprintf("h%d", i))}},
			}
		}
		var body []byte
		header, path, body = captured(t, c, func(ctx context.Context, client *cloudwatch.Client) error {
			_, err := client.PutMetricData(ctx, &cloudwatch.PutMetricDataInput{Namespace: aws.String("bench"), MetricData: data})
			return err
		})
		bodies = append(bodies, body)
	}
	require.Equal(t, "application/cbor", header.Get("Content-Type"))
	return header, path, bodies
}

// TestXRayUDP sends segments as the X-Ray SDKs do, one a datagram, and counts what was stored, what the kernel dropped
// and what the collector refused: together they must be what was sent.
func TestXRayUDP(t *testing.T) {
	const segments, traces = 200_000, 4000
	c := start(t)
	conn, err := net.Dial("udp", c.XRay)
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	now := time.Now()
	idle := c.CPUTime(t)
	begin := time.Now()
	var b []byte
	for i := range segments {
		b = fmt.Appendf(b[:0], "{\"format\":\"json\",\"version\":1}\n"+
			`{"name":"orders","id":"%016x","trace_id":"1-%08x-%024x","start_time":%d.125,"end_time":%d.375,`+
			`"http":{"request":{"method":"GET","url":"http://shop/orders/%d"},"response":{"status":200}},`+
			`"annotations":{"customer":"c-%d","items":%d},"metadata":{"default":{"cart":["a","b","c"]}},`+
			`"subsegments":[{"name":"DynamoDB","id":"%016x","namespace":"aws","start_time":%d.15,"end_time":%d.25,"aws":{"operation":"GetItem","table_name":"orders"}}]}`,
			i+1, now.Unix(), i/(segments/traces), now.Unix(), now.Unix(), i, i%1000, i%7, (1<<40)+i, now.Unix(), now.Unix())
		for {
			if _, err = conn.Write(b); err == nil {
				break
			}
		}
		// An open loop at 20,000 a second: a sender that saturates both cores measures the kernel's drops.
		if i%200 == 199 {
			if ahead := time.Duration(i+1)*time.Second/20_000 - time.Since(begin); ahead > 0 {
				time.Sleep(ahead)
			}
		}
	}
	sent := time.Since(begin)
	time.Sleep(2 * time.Second) // what is queued is stored; if it were not, the count below would grow
	cpu := c.CPUTime(t) - idle

	// Wait until the store stops growing, then count.
	client := xray.NewFromConfig(c.AWSConfig())
	stored, last, stable := 0, -1, 0
	for stable < 2 {
		stored = 0
		for first := 0; first < traces; first += 5 {
			ids := make([]string, 5)
			for j := range ids {
				ids[j] = fmt.Sprintf("1-%08x-%024x", now.Unix(), first+j)
			}
			out, err := client.BatchGetTraces(t.Context(), &xray.BatchGetTracesInput{TraceIds: ids})
			require.NoError(t, err)
			for _, tr := range out.Traces {
				for _, s := range tr.Segments {
					if !bytes.Contains([]byte(*s.Document), []byte(`"inferred":true`)) {
						stored++
					}
				}
			}
		}
		if stored == last {
			stable++
		} else {
			stable = 0
		}
		last = stored
		if stored == segments {
			break
		}
	}
	report(t, "X-Ray UDP, segment with one subsegment", "sent %d at %.0f/s, stored %d (%.2f %%), %.0f segments/s per core of collector CPU",
		segments, segments/sent.Seconds(), stored, 100*float64(stored)/segments, float64(stored)/cpu.Seconds())
	for line := range strings.Lines(c.Log()) {
		if strings.Contains(line, "dropped") {
			t.Log(strings.TrimSpace(line))
		}
	}
	require.Equal(t, segments, stored)
	c.Stop(t)
}

// TestEMF sends EMF documents over TCP, newline-delimited, and counts the samples of their metric.
func TestEMF(t *testing.T) {
	const documents = 500_000
	c := start(t)
	conn, err := net.Dial("tcp", c.EMF)
	require.NoError(t, err)
	now := time.Now()
	idle := c.CPUTime(t)
	begin := time.Now()
	var b []byte
	for i := range documents {
		b = fmt.Appendf(b, `{"_aws":{"Timestamp":%d,"CloudWatchMetrics":[{"Namespace":"bench-emf","Dimensions":[["service"]],"Metrics":[{"Name":"latency","Unit":"Milliseconds"},{"Name":"orders","Unit":"Count"}]}]},`+
			`"service":"s%d","latency":%d.5,"orders":1,"requestId":"r-%d","customer":"c-%d"}`+"\n",
			now.UnixMilli(), i%10, i%500, i, i%1000)
		if len(b) > 32<<10 {
			_, err := conn.Write(b)
			require.NoError(t, err)
			b = b[:0]
		}
	}
	_, err = conn.Write(b)
	require.NoError(t, err)
	require.NoError(t, conn.Close())

	client := cloudwatch.NewFromConfig(c.AWSConfig())
	var got float64
	var elapsed time.Duration
	for deadline := time.Now().Add(2 * time.Minute); got < documents && time.Now().Before(deadline); {
		got = 0
		for i := range 10 {
			out, err := client.GetMetricStatistics(t.Context(), &cloudwatch.GetMetricStatisticsInput{
				Namespace: aws.String("bench-emf"), MetricName: aws.String("orders"), Period: aws.Int32(60),
				Dimensions: []cwtypes.Dimension{{Name: aws.String("service"), Value: aws.String(fmt.Sprintf("s%d", i))}},
				StartTime:  aws.Time(now.Add(-10 * time.Minute)), EndTime: aws.Time(now.Add(10 * time.Minute)),
				Statistics: []cwtypes.Statistic{cwtypes.StatisticSum},
			})
			require.NoError(t, err)
			for _, d := range out.Datapoints {
				got += *d.Sum
			}
		}
		elapsed = time.Since(begin)
		if got < documents {
			time.Sleep(500 * time.Millisecond) // reading costs what is measured
		}
	}
	cpu := c.CPUTime(t) - idle
	require.InDelta(t, documents, got, 0)
	report(t, "EMF over TCP, 2 metrics a document, log and metrics stored", "%.0f documents/s, %.0f documents/s per core of collector CPU",
		documents/elapsed.Seconds(), documents/cpu.Seconds())
	c.Stop(t)
}
