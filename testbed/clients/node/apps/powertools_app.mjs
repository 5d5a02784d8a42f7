// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// A Lambda function with Powertools, as its tutorial has it.

import { Logger } from "@aws-lambda-powertools/logger";
import { MetricUnit, Metrics } from "@aws-lambda-powertools/metrics";

// Powertools writes to its own console, so that Lambda's does not change the lines.
const logger = new Logger();
const metrics = new Metrics();

for (let i = 0; i < 3; i++) {
  logger.appendKeys({ bookingId: `b-${i}` });
  logger.info("collecting payment");
  metrics.addMetric("successfulBooking", MetricUnit.Count, 1);
  metrics.publishStoredMetrics();
}
