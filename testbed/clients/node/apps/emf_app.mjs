// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// aws-embedded-metrics as its README shows it, with the agent's socket as its sink.

import emf from "aws-embedded-metrics";

const handle = emf.metricScope((metrics) => async (i) => {
  metrics.putDimensions({ Operation: "Resize" });
  metrics.putMetric("ProcessingTime", 10 * (i + 1), emf.Unit.Milliseconds);
  metrics.putMetric("ProcessingTime", 20 * (i + 1), emf.Unit.Milliseconds);
  metrics.putMetric("Requests", 1, emf.Unit.Count, emf.StorageResolution.High);
  metrics.setProperty("RequestId", `request-${i}`);
});

for (let i = 0; i < 5; i++) await handle(i);
process.exit(0); // its connection would keep the process
