// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package clients

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/testbed/collector"
)

// TestDemo is `make demo ONCE=1`, twice on the same data: what it sent must come back each time.
func TestDemo(t *testing.T) {
	neph := filepath.Join(collector.Root(), "bin", "neph")
	if _, err := os.Stat(neph); err != nil {
		t.Fatalf("neph is not built, run `make build` first: %v", err)
	}
	c := collector.New(t, collector.Options{})
	args := []string{"demo", "--once", "--pace", "0s"}
	if bin := os.Getenv("NEPHOSCOPE_BIN"); bin != "" {
		args = append(args, "--collector", bin)
	}
	for range 2 {
		cmd := exec.CommandContext(t.Context(), neph, args...)
		cmd.Dir = collector.Root()
		cmd.Env = append(cleanEnvironment(),
			"NEPHOSCOPE_DATA="+c.Data, "NEPHOSCOPE_AWS_ENDPOINT="+c.AWS, "NEPHOSCOPE_XRAY_ENDPOINT="+c.XRay,
			"NEPHOSCOPE_EMF_ENDPOINT="+c.EMF, "NEPHOSCOPE_OTLP_GRPC_ENDPOINT="+c.OTLPgRPC, "NEPHOSCOPE_OTLP_HTTP_ENDPOINT="+c.OTLPHTTP,
			"NEPHOSCOPE_NOTIFICATIONS_ENDPOINT="+c.Notifications)
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		require.NoError(t, cmd.Run(), "%s", &out)
		require.Contains(t, out.String(), "everything that was sent came back")
	}
}
