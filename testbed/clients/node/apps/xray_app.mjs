// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// The X-Ray SDK's first steps: a segment, subsegments, annotations, metadata, an error.

import AWSXRay from "aws-xray-sdk-core";

AWSXRay.enableManualMode();
const segment = new AWSXRay.Segment("node-shop");
segment.addAnnotation("order_id", "o-1");
segment.addAnnotation("express", true);
segment.addAnnotation("items", 2);
segment.addMetadata("basket", { lines: [1, 2] }, "shop");

const reserve = segment.addNewSubsegment("reserve");
reserve.addNewSubsegment("query").close();
reserve.close();
const charge = segment.addNewSubsegment("charge");
charge.close(new Error("declined"));
segment.close();
console.log(segment.trace_id);
