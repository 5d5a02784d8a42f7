// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// CloudWatch metrics by the AWS SDK for JavaScript v3, which speaks CBOR.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CloudWatchClient, CloudWatchServiceException, GetMetricDataCommand, GetMetricStatisticsCommand, ListMetricsCommand, PutMetricDataCommand,
  DescribeInsightRulesCommand, paginateListMetrics,
} from "@aws-sdk/client-cloudwatch";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { minutes, pastMinute, unique } from "./shared.mjs";

const cloudwatch = new CloudWatchClient({});

test("who am I", async () => {
  const me = await new STSClient({}).send(new GetCallerIdentityCommand({}));
  assert.match(me.Account, /^\d{12}$/);
});

test("a custom metric with dimensions", async () => {
  const Namespace = unique();
  const minute = pastMinute();
  const Dimensions = [{ Name: "Page", Value: "index" }, { Name: "Site", Value: "eu" }];
  await cloudwatch.send(new PutMetricDataCommand({
    Namespace,
    MetricData: [
      { MetricName: "Visits", Dimensions, Timestamp: minute, Value: 3, Unit: "Count" },
      { MetricName: "Visits", Dimensions, Timestamp: minute, Values: [1, 10], Counts: [2, 4], Unit: "Count" },
      { MetricName: "Set", Timestamp: minute, StatisticValues: { SampleCount: 2, Sum: 3.5, Minimum: 1, Maximum: 2.5 } },
    ],
  }));
  const listed = await cloudwatch.send(new ListMetricsCommand({ Namespace }));
  assert.deepEqual(listed.Metrics.map((m) => m.MetricName).sort(), ["Set", "Visits"]);
  const got = await cloudwatch.send(new GetMetricStatisticsCommand({
    Namespace, MetricName: "Visits", Dimensions, StartTime: minute, EndTime: minutes(minute, 1), Period: 60,
    Statistics: ["SampleCount", "Sum", "Average", "Minimum", "Maximum"],
  }));
  assert.deepEqual(got.Datapoints, [
    { Timestamp: minute, SampleCount: 7, Sum: 45, Average: 45 / 7, Minimum: 1, Maximum: 10, Unit: "Count" },
  ]);
  const data = await cloudwatch.send(new GetMetricDataCommand({
    StartTime: minute, EndTime: minutes(minute, 1),
    MetricDataQueries: ["SampleCount", "Sum"].map((Stat) => ({
      Id: Stat.toLowerCase(), MetricStat: { Metric: { Namespace, MetricName: "Set" }, Period: 60, Stat },
    })),
  }));
  assert.deepEqual(data.MetricDataResults.map((r) => [r.Id, r.Timestamps, r.Values, r.StatusCode]), [
    ["samplecount", [minute], [2], "Complete"], ["sum", [minute], [3.5], "Complete"],
  ]);
});

test("a one-second metric", async () => {
  const Namespace = unique();
  const start = new Date(Math.floor(Date.now() / 1000) * 1000 - 30_000);
  const at = (i) => new Date(start.getTime() + i * 1000);
  await cloudwatch.send(new PutMetricDataCommand({
    Namespace,
    MetricData: [0, 1, 2, 3].map((i) => ({ MetricName: "Depth", Timestamp: at(i), Value: i, StorageResolution: 1 })),
  }));
  const got = await cloudwatch.send(new GetMetricStatisticsCommand({
    Namespace, MetricName: "Depth", StartTime: start, EndTime: at(4), Period: 1, Statistics: ["Sum"],
  }));
  got.Datapoints.sort((a, b) => a.Timestamp - b.Timestamp);
  assert.deepEqual(got.Datapoints.map((p) => [p.Timestamp, p.Sum]), [0, 1, 2, 3].map((i) => [at(i), i]));
});

test("many metrics, compressed and paged", async () => {
  const Namespace = unique();
  await cloudwatch.send(new PutMetricDataCommand({
    Namespace, MetricData: Array.from({ length: 1000 }, (_, i) => ({ MetricName: `metric-${i}`, Value: i, Unit: "Bytes/Second" })),
  }));
  const names = new Set();
  for await (const page of paginateListMetrics({ client: cloudwatch }, { Namespace })) {
    for (const m of page.Metrics) names.add(m.MetricName);
  }
  assert.equal(names.size, 1000);
});

test("errors have AWS's names", async () => {
  const send = cloudwatch.send(new PutMetricDataCommand({ Namespace: unique(), MetricData: [{ MetricName: "m", Value: 1, Values: [1] }] }));
  await assert.rejects(send, (err) => {
    assert.ok(err instanceof CloudWatchServiceException);
    assert.match(err.name, /^InvalidParameterCombination(Exception)?$/);
    assert.match(err.message, /mutually exclusive/);
    assert.equal(err.$metadata.httpStatusCode, 400);
    assert.ok(err.$metadata.requestId);
    return true;
  });
  await assert.rejects(cloudwatch.send(new DescribeInsightRulesCommand({})), /DescribeInsightRules/);
});
