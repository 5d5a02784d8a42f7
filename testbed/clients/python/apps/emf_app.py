# Copyright The Nephoscope Authors
# SPDX-License-Identifier: Apache-2.0

"""aws-embedded-metrics as its README shows it, with the agent's socket as its sink."""

from aws_embedded_metrics import metric_scope
from aws_embedded_metrics.storage_resolution import StorageResolution


@metric_scope
def handle(i, metrics):
    metrics.put_dimensions({"Operation": "Resize"})
    metrics.put_metric("ProcessingTime", 10 * (i + 1), "Milliseconds")
    metrics.put_metric("ProcessingTime", 20 * (i + 1), "Milliseconds")
    metrics.put_metric("Requests", 1, "Count", StorageResolution.HIGH)
    metrics.set_property("RequestId", f"request-{i}")


for i in range(5):
    handle(i)
