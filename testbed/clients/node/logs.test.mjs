// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// CloudWatch Logs by the AWS SDK for JavaScript v3.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CloudWatchLogsClient, CreateLogGroupCommand, CreateLogStreamCommand, GetLogEventsCommand, GetQueryResultsCommand, MalformedQueryException,
  PutLogEventsCommand, ResourceNotFoundException, StartQueryCommand, paginateFilterLogEvents,
} from "@aws-sdk/client-cloudwatch-logs";
import { eventually, unique } from "./shared.mjs";

const logs = new CloudWatchLogsClient({});

async function newGroup() {
  const logGroupName = `/node/${unique()}`;
  await logs.send(new CreateLogGroupCommand({ logGroupName }));
  await logs.send(new CreateLogStreamCommand({ logGroupName, logStreamName: "s" }));
  return logGroupName;
}

const put = (logGroupName, messages) => logs.send(new PutLogEventsCommand({
  logGroupName, logStreamName: "s", logEvents: messages.map((message, i) => ({ timestamp: Date.now() - 60_000 + i, message })),
}));

async function query(logGroupName, queryString) {
  const now = Math.floor(Date.now() / 1000);
  const { queryId } = await logs.send(new StartQueryCommand({ logGroupName, queryString, startTime: now - 3600, endTime: now + 60 }));
  const done = await eventually(async () => {
    const r = await logs.send(new GetQueryResultsCommand({ queryId }));
    return ["Scheduled", "Running"].includes(r.status) ? undefined : r;
  });
  assert.equal(done.status, "Complete");
  return done.results.map((row) => Object.fromEntries(row.filter((c) => c.field !== "@ptr").map((c) => [c.field, c.value])));
}

test("structured logs are found by their correlation id", async () => {
  const group = await newGroup();
  const sent = Array.from({ length: 9 }, (_, i) => JSON.stringify({ level: i % 3 ? "info" : "error", correlationId: `c-${i % 3}`, ms: i }));
  await put(group, sent);
  const read = await logs.send(new GetLogEventsCommand({ logGroupName: group, logStreamName: "s", startFromHead: true }));
  assert.deepEqual(read.events.map((e) => e.message), sent);
  assert.deepEqual(await query(group, 'filter correlationId = "c-0" | fields level, ms | sort ms desc'), [
    { level: "error", ms: "6" }, { level: "error", ms: "3" }, { level: "error", ms: "0" },
  ]);
  assert.deepEqual(await query(group, "stats count(*) as n, pct(ms, 50) as median by level | sort level asc"), [
    { level: "error", n: "3", median: "3" }, { level: "info", n: "6", median: "4.5" },
  ]);
});

test("pages of events", async () => {
  const group = await newGroup();
  const sent = Array.from({ length: 25 }, (_, i) => `event ${i} ünïcode`);
  await put(group, sent);
  const got = [];
  for await (const page of paginateFilterLogEvents({ client: logs, pageSize: 10 }, { logGroupName: group })) {
    got.push(...page.events.map((e) => e.message));
  }
  assert.deepEqual(got, sent);
});

test("errors have AWS's classes", async () => {
  await assert.rejects(put("/node/none", ["x"]), ResourceNotFoundException);
  const group = await newGroup();
  await assert.rejects(query(group, "nonsense here"), MalformedQueryException);
});
