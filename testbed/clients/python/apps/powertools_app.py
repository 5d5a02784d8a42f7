# Copyright The Nephoscope Authors
# SPDX-License-Identifier: Apache-2.0

"""A Lambda function with Powertools, as its tutorial has it. What it prints is what Lambda would hand to CloudWatch."""

import os

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.metrics import MetricResolution, MetricUnit

logger = Logger()
metrics = Metrics()


@metrics.log_metrics(capture_cold_start_metric=True)
@logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_REST)
def handler(event, context):
    logger.append_keys(booking_id=event["booking"])
    logger.info("collecting payment")
    metrics.add_dimension(name="environment", value="test")
    metrics.add_metric(name="SuccessfulBooking", unit=MetricUnit.Count, value=1)
    metrics.add_metric(name="PaymentLatency", unit=MetricUnit.Milliseconds, value=12.5, resolution=MetricResolution.High)
    metrics.add_metadata(key="booking_id", value=event["booking"])
    try:
        raise ValueError("card declined")
    except ValueError:
        logger.exception("payment failed")
    return {"statusCode": 200}


class Context:
    function_name = "booking"
    memory_limit_in_mb = 128
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:booking"
    aws_request_id = "52fdfc07-2182-454f-963f-5f0f9a621d72"


for i in range(3):
    handler({"booking": f"b-{i}", "requestContext": {"requestId": f"{os.environ['CORRELATION']}-{i}"}}, Context())
