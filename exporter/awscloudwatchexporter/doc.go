// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate mdatagen metadata.yaml

// Package awscloudwatchexporter aggregates metrics and puts them into CloudWatch by PutMetricData.
package awscloudwatchexporter
