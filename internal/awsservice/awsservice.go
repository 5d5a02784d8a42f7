// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package awsservice is how an extension that holds the state of an AWS service has its operations served on the AWS
// endpoint.
package awsservice

import (
	"go.opentelemetry.io/collector/extension"

	"github.com/nephoscope/nephoscope/pkg/awswire"
)

// Provider is an extension whose operations the AWS endpoint serves. The endpoint finds all of them on the host.
type Provider interface {
	extension.Extension
	// AddOperations adds operations to the services that find gives, by signing name ("monitoring", "sns"). It is called
	// once, when the endpoint starts, which may be before or after the provider's own Start. Operations that are called
	// while the provider does not run answer ServiceUnavailable.
	AddOperations(find func(signingName string) *awswire.Service) error
}
