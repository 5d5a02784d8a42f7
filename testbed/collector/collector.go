// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package collector runs the built collector for tests and benchmarks: free ports, a data directory, a real
// process that can be killed.
package collector

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// startTimeout bounds how long a collector may take to answer: opening a store after kill -9 replays a WAL.
const startTimeout = 60 * time.Second

// Collector is a running nephoscope and where it listens.
type Collector struct {
	Data     string // NEPHOSCOPE_DATA
	AWS      string // host:port
	XRay     string
	EMF      string
	OTLPgRPC string
	OTLPHTTP string
	// Notifications is where subscribers of topics confirm.
	Notifications string

	binary, config string
	extraEnv       []string
	cmd            *exec.Cmd
	log            *lockedBuffer
	done           chan struct{}
	waitErr        error
}

// Options change how the collector is started.
type Options struct {
	// Binary is the collector; "" is NEPHOSCOPE_BIN or bin/nephoscope of the repository.
	Binary string
	// Config is its configuration; "" is examples/local.yaml.
	Config string
	// Data is its data directory; "" is a temporary one.
	Data string
	// Env is added to the environment.
	Env []string
}

// Root is the repository's root directory.
func Root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(filepath.Dir(filepath.Dir(file)))
}

// New prepares a collector on free loopback ports; Start runs it.
func New(tb testing.TB, o Options) *Collector {
	tb.Helper()
	if o.Binary == "" {
		o.Binary = os.Getenv("NEPHOSCOPE_BIN")
	}
	if o.Binary == "" {
		o.Binary = filepath.Join(Root(), "bin", "nephoscope")
	}
	if _, err := os.Stat(o.Binary); err != nil {
		tb.Fatalf("the collector is not built, run `make build` first: %v", err)
	}
	if o.Config == "" {
		o.Config = filepath.Join(Root(), "examples", "local.yaml")
	}
	if o.Data == "" {
		o.Data = tb.TempDir()
	}
	ports := freePorts(tb, 6)
	return &Collector{
		Data: o.Data, binary: o.Binary, config: o.Config, extraEnv: o.Env,
		AWS: ports[0], XRay: ports[1], EMF: ports[2], OTLPgRPC: ports[3], OTLPHTTP: ports[4],
		Notifications: ports[5],
	}
}

// Start runs the collector and waits until it answers. It is killed when the test ends.
func Start(tb testing.TB, o Options) *Collector {
	tb.Helper()
	c := New(tb, o)
	c.Start(tb)
	return c
}

// Start runs the process and waits until the AWS endpoint answers.
func (c *Collector) Start(tb testing.TB) {
	tb.Helper()
	c.log = &lockedBuffer{}
	c.cmd = exec.Command(c.binary, "--config", c.config)
	c.cmd.Stdout, c.cmd.Stderr = c.log, c.log
	c.cmd.Env = append(os.Environ(),
		"NEPHOSCOPE_DATA="+c.Data,
		"NEPHOSCOPE_AWS_ENDPOINT="+c.AWS,
		"NEPHOSCOPE_XRAY_ENDPOINT="+c.XRay,
		"NEPHOSCOPE_EMF_ENDPOINT="+c.EMF,
		"NEPHOSCOPE_OTLP_GRPC_ENDPOINT="+c.OTLPgRPC,
		"NEPHOSCOPE_AGENT_OTLP_ENDPOINT="+c.OTLPgRPC,
		"NEPHOSCOPE_OTLP_HTTP_ENDPOINT="+c.OTLPHTTP,
		"NEPHOSCOPE_NOTIFICATIONS_ENDPOINT="+c.Notifications,
	)
	c.cmd.Env = append(c.cmd.Env, c.extraEnv...)
	if err := c.cmd.Start(); err != nil {
		tb.Fatalf("start %s: %v", c.binary, err)
	}
	done := make(chan struct{})
	c.done = done
	cmd := c.cmd
	go func() {
		c.waitErr = cmd.Wait()
		close(done)
	}()
	tb.Cleanup(func() { c.kill(cmd, done) })
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	if err := c.waitReady(ctx); err != nil {
		tb.Fatalf("the collector does not answer: %v\n%s", err, c.Log())
	}
}

func (c *Collector) waitReady(ctx context.Context) error {
	client := sts.NewFromConfig(c.AWSConfig(), func(o *sts.Options) { o.RetryMaxAttempts = 1 })
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	var last error
	for {
		if _, last = client.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}); last == nil {
			return nil
		}
		select {
		case <-c.done:
			return fmt.Errorf("it ended: %w", errors.Join(c.waitErr, last))
		case <-ctx.Done():
			return errors.Join(ctx.Err(), last)
		case <-tick.C:
		}
	}
}

// Kill ends the process with SIGKILL and waits until it is gone.
func (c *Collector) Kill() { c.kill(c.cmd, c.done) }

func (*Collector) kill(cmd *exec.Cmd, done <-chan struct{}) {
	_ = cmd.Process.Kill() // fails only when it ended already
	<-done
}

// Stop asks the process to end, waits, and fails the test when it does not end cleanly.
func (c *Collector) Stop(tb testing.TB) {
	tb.Helper()
	if err := c.cmd.Process.Signal(os.Interrupt); err != nil {
		tb.Fatalf("interrupt the collector: %v", err)
	}
	select {
	case <-c.done:
		if c.waitErr != nil {
			tb.Fatalf("the collector ended with %v\n%s", c.waitErr, c.Log())
		}
	case <-time.After(startTimeout):
		tb.Fatalf("the collector does not end\n%s", c.Log())
	}
}

// Log is what the process printed.
func (c *Collector) Log() string { return c.log.String() }

// PID is the process's id.
func (c *Collector) PID() int { return c.cmd.Process.Pid }

// ResidentBytes is the process's resident memory and the part of it that is not backed by files.
func (c *Collector) ResidentBytes(tb testing.TB) (total, anonymous int64) {
	tb.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.PID()))
	if err != nil {
		tb.Skipf("no /proc: %v", err)
	}
	for line := range strings.Lines(string(status)) {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		n, _ := strconv.ParseInt(f[1], 10, 64)
		switch f[0] {
		case "VmRSS:":
			total = n << 10
		case "RssAnon:":
			anonymous = n << 10
		}
	}
	return total, anonymous
}

// CPUTime is the processor time that the process has used.
func (c *Collector) CPUTime(tb testing.TB) time.Duration {
	tb.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", c.PID()))
	if err != nil {
		tb.Skipf("no /proc: %v", err)
	}
	// The fields behind the command's closing parenthesis: utime and stime are the 12th and 13th, in ticks of 10 ms.
	f := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	utime, _ := strconv.ParseInt(f[11], 10, 64)
	stime, _ := strconv.ParseInt(f[12], 10, 64)
	return time.Duration(utime+stime) * 10 * time.Millisecond
}

// AWSConfig points an SDK client at the collector, with test credentials.
func (c *Collector) AWSConfig() aws.Config {
	return aws.Config{
		Region:       "us-east-1",
		BaseEndpoint: aws.String("http://" + c.AWS),
		Credentials:  credentials.NewStaticCredentialsProvider("test", "test", ""),
		// What the SDK's own configuration loader would set.
		RequestMinCompressSizeBytes: 10240,
		HTTPClient: &http.Client{Transport: &http.Transport{
			MaxIdleConnsPerHost: 256, IdleConnTimeout: 10 * time.Second,
		}},
	}
}

// freePorts returns n loopback addresses that nothing listens on, for both TCP and UDP.
func freePorts(tb testing.TB, n int) []string {
	tb.Helper()
	var out []string
	var hold []interface{ Close() error }
	for len(out) < n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			tb.Fatal(err)
		}
		hold = append(hold, l)
		u, err := net.ListenPacket("udp", l.Addr().String())
		if err != nil {
			continue // the UDP port is taken: try another
		}
		hold = append(hold, u)
		out = append(out, l.Addr().String())
	}
	for _, h := range hold {
		_ = h.Close()
	}
	return out
}

// lockedBuffer keeps the end of what is written to it.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

const maxLog = 1 << 20

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.b.Len() > maxLog {
		l.b.Reset()
	}
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
