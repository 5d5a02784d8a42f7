// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/cmd/neph/internal/awsclient"
)

func TestCheckFree(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	err = CheckFree(t.Context(), []Listener{{"tcp", l.Addr().String(), "NEPHOSCOPE_AWS_ENDPOINT"}})
	var taken *PortError
	require.ErrorAs(t, err, &taken)
	require.ErrorContains(t, err, l.Addr().String()+" (tcp) is not free")
	require.ErrorContains(t, err, "NEPHOSCOPE_AWS_ENDPOINT=127.0.0.1:")
	require.NoError(t, CheckFree(t.Context(), []Listener{{"udp", "127.0.0.1:0", ""}, {"tcp", "127.0.0.1:0", ""}}))
}

func TestAlternative(t *testing.T) {
	t.Parallel()
	require.Equal(t, "127.0.0.1:14566", alternative("127.0.0.1:4566"))
	require.Equal(t, "[::1]:35888", alternative("[::1]:25888"))
	require.Equal(t, "host:port", alternative("x"))
}

func start(t *testing.T, kind string) *Collector {
	t.Helper()
	c, err := StartCollector(os.Args[0], "config.yaml", filepath.Join(t.TempDir(), "data", "collector.log"),
		append(os.Environ(), playCollector+"="+kind))
	require.NoError(t, err)
	return c
}

func TestCollectorThatFails(t *testing.T) {
	t.Parallel()
	c := start(t, "fails")
	_, err := WaitReady(t.Context(), aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String("http://127.0.0.1:1"),
		Credentials: awsclient.Target{AccessKeyID: "test", SecretAccessKey: "test"}.Config().Credentials,
	}, c)
	require.ErrorContains(t, err, "exit status 1")
	require.ErrorContains(t, err, "invalid configuration: no")
	require.NotContains(t, err.Error(), "line 50", "only the end of the log is shown")
	require.NoError(t, c.Stop())
}

func TestCollectorIsStopped(t *testing.T) {
	t.Parallel()
	c := start(t, "hangs")
	require.Error(t, c.Stop(), "a test binary does not end well when interrupted")
	<-c.Done()
	require.NoError(t, c.Stop(), "twice is once")
}

func TestCollectorThatIsMissing(t *testing.T) {
	t.Parallel()
	_, err := StartCollector(filepath.Join(t.TempDir(), "nothing"), "", filepath.Join(t.TempDir(), "log"), nil)
	require.ErrorIs(t, err, os.ErrNotExist)
}
