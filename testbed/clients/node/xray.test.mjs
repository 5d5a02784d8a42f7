// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// The X-Ray SDK for Node.js through the daemon's port, and the X-Ray API.

import assert from "node:assert/strict";
import { test } from "node:test";
import { BatchGetTracesCommand, GetTraceSummariesCommand, InvalidRequestException, XRayClient } from "@aws-sdk/client-xray";
import { eventually, runApp } from "./shared.mjs";

const xray = new XRayClient({});

test("a traced application", async () => {
  const traceId = (await runApp("xray_app.mjs")).trim();
  const documents = await eventually(async () => {
    const { Traces } = await xray.send(new BatchGetTracesCommand({ TraceIds: [traceId] }));
    const found = Traces.flatMap((t) => t.Segments).map((s) => JSON.parse(s.Document));
    return found.some((d) => d.name === "node-shop") ? found : undefined;
  });
  const segment = documents.find((d) => d.name === "node-shop");
  assert.deepEqual(segment.annotations, { order_id: "o-1", express: true, items: 2 });
  assert.deepEqual(segment.metadata, { shop: { basket: { lines: [1, 2] } } });
  assert.equal(segment.subsegments[0].name, "reserve");
  assert.equal(segment.subsegments[0].subsegments[0].name, "query");
  assert.equal(segment.subsegments[1].fault, true);
  assert.equal(segment.subsegments[1].cause.exceptions[0].message, "declined");

  const now = Date.now();
  const summaries = await xray.send(new GetTraceSummariesCommand({ StartTime: new Date(now - 300_000), EndTime: new Date(now + 60_000) }));
  const summary = summaries.TraceSummaries.find((s) => s.Id === traceId);
  assert.equal(summary.EntryPoint.Name, "node-shop");
  assert.deepEqual(summary.Annotations.express[0].AnnotationValue, { BooleanValue: true });
  assert.deepEqual(summary.Annotations.items[0].AnnotationValue, { NumberValue: 2 });
});

test("a filter expression is refused, not ignored", async () => {
  const now = Date.now();
  await assert.rejects(xray.send(new GetTraceSummariesCommand({
    StartTime: new Date(now - 300_000), EndTime: new Date(now), FilterExpression: "fault",
  })), InvalidRequestException);
});
