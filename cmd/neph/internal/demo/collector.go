// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// Times that a collector gets to answer, and to end.
const (
	startTimeout = 30 * time.Second
	// attachTimeout is for one that is said to run already.
	attachTimeout = 2 * time.Second
	stopTimeout   = 30 * time.Second
	readyPoll     = 20 * time.Millisecond
)

// Listener is an address that the collector is going to take.
type Listener struct {
	Network, Address string
	// Variable of the environment that changes it.
	Variable string
}

// PortError is an address that is taken.
type PortError struct {
	Listener
	Err error
}

func (e *PortError) Error() string {
	return fmt.Sprintf("%s (%s) is not free: %v\nIs another collector running? Stop it, or choose another address: %s=%s",
		e.Address, e.Network, e.Err, e.Variable, alternative(e.Address))
}

// alternative is an address that is probably free: the same port in another ten thousand.
func alternative(address string) string {
	host, port, err := net.SplitHostPort(address)
	n, numErr := strconv.Atoi(port)
	if err != nil || numErr != nil {
		return "host:port"
	}
	return net.JoinHostPort(host, strconv.Itoa(10_000+n%40_000))
}

func (e *PortError) Unwrap() error { return e.Err }

// CheckFree opens and closes each address, so that one that is taken is named before anything is started.
func CheckFree(ctx context.Context, listeners []Listener) error {
	var lc net.ListenConfig
	for _, l := range listeners {
		var c io.Closer
		var err error
		if l.Network == "udp" {
			c, err = lc.ListenPacket(ctx, l.Network, l.Address)
		} else {
			c, err = lc.Listen(ctx, l.Network, l.Address)
		}
		if err != nil {
			var op *net.OpError
			if errors.As(err, &op) {
				err = op.Err
			}
			return &PortError{Listener: l, Err: err}
		}
		if err := c.Close(); err != nil {
			return err
		}
	}
	return nil
}

// Collector is a collector process that the demo started.
type Collector struct {
	cmd  *exec.Cmd
	log  string
	done chan struct{}
	err  error // of Wait, once done is closed
}

// StartCollector runs the binary with the configuration; what it prints goes to the log file.
func StartCollector(binary, config, logFile string, env []string) (*Collector, error) {
	if err := os.MkdirAll(filepath.Dir(logFile), 0o750); err != nil {
		return nil, err
	}
	out, err := os.Create(logFile) //nolint:gosec // the user's own data directory
	if err != nil {
		return nil, err
	}
	defer func() { _ = out.Close() }()              // the process has its own
	cmd := exec.Command(binary, "--config", config) //nolint:gosec,noctx // the user's own; Stop ends it in order
	c := &Collector{cmd: cmd, log: logFile, done: make(chan struct{})}
	c.cmd.Stdout, c.cmd.Stderr, c.cmd.Env = out, out, env
	if err := c.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the collector: %w", err)
	}
	go func() {
		c.err = c.cmd.Wait()
		close(c.done)
	}()
	return c, nil
}

// Done is closed when the process has ended.
func (c *Collector) Done() <-chan struct{} { return c.done }

// LogFile is where what it prints is kept.
func (c *Collector) LogFile() string { return c.log }

// Failure says why the process ended, with the end of its log.
func (c *Collector) Failure() error {
	return fmt.Errorf("the collector ended (%s):\n%s\nIts log is %s", exitText(c.err), c.logEnd(), c.log)
}

func exitText(err error) string {
	if err == nil {
		return "exit status 0"
	}
	return err.Error()
}

// Ends of logs that are shown.
const (
	logBytes = 16 << 10
	logLines = 12
)

func (c *Collector) logEnd() string {
	f, err := os.Open(c.log)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = f.Close() }()
	if info, err := f.Stat(); err == nil && info.Size() > logBytes {
		if _, err := f.Seek(-logBytes, io.SeekEnd); err != nil {
			return err.Error()
		}
	}
	text, err := io.ReadAll(io.LimitReader(f, logBytes))
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(string(bytes.TrimSpace(text)), "\n")
	return "  " + strings.Join(lines[max(0, len(lines)-logLines):], "\n  ")
}

// Stop asks the process to end and waits; one that does not is killed.
func (c *Collector) Stop() error {
	select {
	case <-c.done:
		return nil
	default:
	}
	if err := c.cmd.Process.Signal(os.Interrupt); err != nil {
		// Where there are no signals, there is only this.
		_ = c.cmd.Process.Kill() // fails only when it has ended
	}
	timer := time.NewTimer(stopTimeout)
	defer timer.Stop()
	select {
	case <-c.done:
		if c.err != nil {
			return fmt.Errorf("the collector ended with %s; its log is %s", exitText(c.err), c.log)
		}
		return nil
	case <-timer.C:
		_ = c.cmd.Process.Kill() // fails only when it has ended
		<-c.done
		return fmt.Errorf("the collector did not end in %s and was killed; its log is %s", stopTimeout, c.log)
	}
}

// WaitReady asks who it is until something answers. Process, when not nil, is watched meanwhile.
func WaitReady(ctx context.Context, cfg aws.Config, process *Collector) (account string, err error) {
	timeout := attachTimeout
	var ended <-chan struct{}
	if process != nil {
		timeout, ended = startTimeout, process.Done()
	}
	limit := time.NewTimer(timeout)
	defer limit.Stop()
	client := sts.NewFromConfig(cfg, func(o *sts.Options) { o.RetryMaxAttempts = 1 })
	tick := time.NewTicker(readyPoll)
	defer tick.Stop()
	for {
		out, last := client.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
		if last == nil {
			return aws.ToString(out.Account), nil
		}
		select {
		case <-ended:
			return "", process.Failure()
		case <-ctx.Done():
			return "", ctx.Err()
		case <-limit.C:
			return "", fmt.Errorf("%s does not answer: %w", aws.ToString(cfg.BaseEndpoint), last)
		case <-tick.C:
		}
	}
}
