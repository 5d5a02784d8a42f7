// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package clients

import (
	"path/filepath"
	"testing"

	"github.com/nephoscope/nephoscope/testbed/collector"
	"github.com/nephoscope/nephoscope/testbed/install"
)

// TestDocumented has boto3 repeat what AWS's pages and recordings say of CloudWatch metrics, once for every protocol of
// CloudWatch: current boto3 speaks JSON and CBOR, the one of 2024 awsQuery.
func TestDocumented(t *testing.T) {
	c := collector.Start(t, collector.Options{})
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the collector's log:\n%s", c.Log())
		}
	})
	dir := filepath.Join("python", "documented")
	t.Run("JSON and CBOR", func(t *testing.T) { run(t, c, dir, install.Current(t), "-m", "pytest") })
	t.Run("awsQuery", func(t *testing.T) { run(t, c, dir, install.Query(t), "-m", "pytest") })
}
