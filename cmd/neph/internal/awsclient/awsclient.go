// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package awsclient makes clients of the AWS APIs that a collector serves.
package awsclient

import (
	"cmp"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// DefaultAddress is where a collector listens when nothing else is configured.
const DefaultAddress = "127.0.0.1:4566"

// Target is where AWS's APIs are, and who asks.
type Target struct {
	Endpoint string
	Region   string
	// AccessKeyID and the others are credentials. They are never real ones by default: the shared configuration
	// files and instance metadata are not looked at.
	AccessKeyID, SecretAccessKey, SessionToken string
}

// FromEnvironment reads the variables that AWS tools read, and NEPHOSCOPE_AWS_ENDPOINT.
func FromEnvironment(getenv func(string) string) Target {
	t := Target{
		Endpoint: getenv("AWS_ENDPOINT_URL"),
		Region:   cmp.Or(getenv("AWS_REGION"), getenv("AWS_DEFAULT_REGION"), "us-east-1"),
	}
	if t.Endpoint == "" {
		t.Endpoint = "http://" + cmp.Or(getenv("NEPHOSCOPE_AWS_ENDPOINT"), DefaultAddress)
	}
	t.AccessKeyID, t.SecretAccessKey = getenv("AWS_ACCESS_KEY_ID"), getenv("AWS_SECRET_ACCESS_KEY")
	if t.AccessKeyID == "" || t.SecretAccessKey == "" {
		t.AccessKeyID, t.SecretAccessKey = "test", "test"
	} else {
		t.SessionToken = getenv("AWS_SESSION_TOKEN")
	}
	return t
}

// Config is the SDK's configuration for the target.
func (t Target) Config() aws.Config {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 16
	return aws.Config{
		Region:       t.Region,
		BaseEndpoint: aws.String(t.Endpoint),
		Credentials:  credentials.NewStaticCredentialsProvider(t.AccessKeyID, t.SecretAccessKey, t.SessionToken),
		HTTPClient:   &http.Client{Transport: transport, Timeout: time.Minute},
		// The SDK's default, which it sets when it loads its own configuration. At 0 every PutMetricData is compressed.
		RequestMinCompressSizeBytes: 10_240,
	}
}
