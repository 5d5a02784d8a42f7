# Copyright The Nephoscope Authors
# SPDX-License-Identifier: Apache-2.0

"""OpenTelemetry's own SDK, with all three signals over OTLP/HTTP."""

import logging
import os

from opentelemetry import metrics, trace
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

group = os.environ["LOG_GROUP"]
resource = Resource.create({
    "service.namespace": "shop", "service.name": os.environ["SERVICE"],
    "aws.log.group.names": [group], "aws.log.stream.names": ["otel"],
})

tracers = TracerProvider(resource=resource)
tracers.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(tracers)
reader = PeriodicExportingMetricReader(OTLPMetricExporter(), export_interval_millis=3_600_000)
meters = MeterProvider(resource=resource, metric_readers=[reader])
metrics.set_meter_provider(meters)
loggers = LoggerProvider(resource=resource)
loggers.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
log = logging.getLogger("app")
log.setLevel(logging.INFO)
log.addHandler(LoggingHandler(logger_provider=loggers))

tracer = trace.get_tracer("app")
orders = metrics.get_meter("app").create_counter("orders", unit="{order}")
latency = metrics.get_meter("app").create_histogram("latency", unit="ms")

with tracer.start_as_current_span("GET /cart", kind=trace.SpanKind.SERVER) as span:
    span.set_attribute("http.request.method", "GET")
    span.set_attribute("http.response.status_code", 200)
    with tracer.start_as_current_span("SELECT cart", kind=trace.SpanKind.CLIENT):
        for i in range(10):
            orders.add(1, {"kind": "web"})
            latency.record(10 * (i + 1), {"kind": "web"})
    log.info("cart shown")
    log.error("cart is empty")
    print(format(span.get_span_context().trace_id, "032x"))

for provider in (tracers, loggers, meters):
    provider.force_flush()
for provider in (tracers, loggers, meters):
    provider.shutdown()
