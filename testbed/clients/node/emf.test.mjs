// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// aws-embedded-metrics and Powertools for Node.js.

import assert from "node:assert/strict";
import { test } from "node:test";
import { CloudWatchClient, GetMetricStatisticsCommand } from "@aws-sdk/client-cloudwatch";
import {
  CloudWatchLogsClient, CreateLogGroupCommand, CreateLogStreamCommand, FilterLogEventsCommand, PutLogEventsCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { eventually, minutes, runApp, unique } from "./shared.mjs";

const cloudwatch = new CloudWatchClient({});
const logs = new CloudWatchLogsClient({});

async function sums(Namespace, MetricName, dimensions, Period = 60) {
  const now = new Date(Math.floor(Date.now() / 60_000) * 60_000);
  const got = await cloudwatch.send(new GetMetricStatisticsCommand({
    Namespace, MetricName, Period, StartTime: minutes(now, -2), EndTime: minutes(now, 2), Statistics: ["Sum", "SampleCount"],
    Dimensions: Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value })),
  }));
  return got.Datapoints.reduce((sum, p) => [sum[0] + p.SampleCount, sum[1] + p.Sum], [0, 0]);
}

const untilEqual = async (read, want) => {
  let got;
  await eventually(async () => (got = await read()) && JSON.stringify(got) === JSON.stringify(want));
  assert.deepEqual(got, want);
};

test("aws-embedded-metrics through the agent's port", async () => {
  const namespace = unique();
  const group = `/emf/${namespace}`;
  await runApp("emf_app.mjs", {
    AWS_EMF_ENVIRONMENT: "Agent", AWS_EMF_SERVICE_NAME: "resizer", AWS_EMF_SERVICE_TYPE: "Worker", AWS_EMF_NAMESPACE: namespace,
    AWS_EMF_LOG_GROUP_NAME: group, AWS_EMF_LOG_STREAM_NAME: "host-1",
  });
  const dimensions = { LogGroup: group, ServiceName: "resizer", ServiceType: "Worker", Operation: "Resize" };
  await untilEqual(() => sums(namespace, "ProcessingTime", dimensions), [10, 450]);
  await untilEqual(() => sums(namespace, "Requests", dimensions, 1), [5, 5]);
  const { events } = await logs.send(new FilterLogEventsCommand({ logGroupName: group, logStreamNames: ["host-1"] }));
  assert.deepEqual(events.map((e) => JSON.parse(e.message).RequestId).sort(), [0, 1, 2, 3, 4].map((i) => `request-${i}`));
});

test("Powertools for Lambda", async () => {
  const namespace = unique();
  const lines = (await runApp("powertools_app.mjs", { POWERTOOLS_SERVICE_NAME: "booking", POWERTOOLS_METRICS_NAMESPACE: namespace }))
    .split("\n").filter(Boolean);
  const logGroupName = `/aws/lambda/${namespace}`;
  await logs.send(new CreateLogGroupCommand({ logGroupName }));
  await logs.send(new CreateLogStreamCommand({ logGroupName, logStreamName: "s" }));
  await logs.send(new PutLogEventsCommand({
    logGroupName, logStreamName: "s", logEvents: lines.map((message) => ({ timestamp: Date.now(), message })),
  }));
  await untilEqual(() => sums(namespace, "successfulBooking", { service: "booking" }), [3, 3]);
  const found = await logs.send(new FilterLogEventsCommand({ logGroupName, filterPattern: '"collecting payment"' }));
  assert.equal(found.events.length, 3);
  assert.equal(JSON.parse(found.events[0].message).service, "booking");
});
