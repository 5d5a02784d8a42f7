// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsapiextension

import (
	"context"
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/nephoscope/nephoscope/extension/awsapiextension/internal/pipelines"
	"github.com/nephoscope/nephoscope/pkg/awswire"
)

// unknownOperation stands for operations that AWS does not have, whose names are the client's to make up.
const unknownOperation = "unknown"

func (e *awsAPI) observeRequest(ctx context.Context, o awswire.Observation) {
	operation := o.Operation
	if operation == "" {
		operation = unknownOperation
	}
	service := attribute.String("service", o.Service)
	op := attribute.String("operation", operation)
	e.telemetry.ExtensionAwsAPIRequests.Add(ctx, 1, metric.WithAttributes(service, op, attribute.String("code", o.Code)))
	e.telemetry.ExtensionAwsAPIRequestDuration.Record(ctx, o.Duration.Seconds(), metric.WithAttributes(service, op))
}

func (e *awsAPI) observeUnimplemented(service, operation string) {
	e.telemetry.ExtensionAwsAPIUnimplemented.Add(context.Background(), 1,
		metric.WithAttributes(attribute.String("service", service), attribute.String("operation", operation)))
}

func (e *awsAPI) observeThrottled(r *http.Request, service string) {
	if !e.services.has(service) {
		service = "" // the client's to make up
	}
	e.telemetry.ExtensionAwsAPIThrottled.Add(r.Context(), 1, metric.WithAttributes(attribute.String("service", service)))
}

func (e *awsAPI) observeWrite(ctx context.Context, signal pipelines.Signal, outcome pipelines.Outcome, items int) {
	e.telemetry.ExtensionAwsAPIWrites.Add(ctx, int64(items), metric.WithAttributes(
		attribute.String("signal", string(signal)), attribute.String("outcome", string(outcome))))
}
