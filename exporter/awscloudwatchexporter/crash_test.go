// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awscloudwatchexporter

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	api "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/extension/extensiontest"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"

	"github.com/nephoscope/nephoscope/exporter/awscloudwatchexporter/internal/metadata"
)

// crashDirEnv makes the test binary a collector that is to be killed.
const crashDirEnv = "NEPHOSCOPE_CRASH_DIR"

// fileCloudWatch writes the names of what is put to a file, which outlives the process.
type fileCloudWatch struct {
	mu   sync.Mutex
	file *os.File
}

func (f *fileCloudWatch) PutMetricData(
	_ context.Context, in *api.PutMetricDataInput, _ ...func(*api.Options),
) (*api.PutMetricDataOutput, error) {
	var b strings.Builder
	for i := range in.MetricData {
		b.WriteString(*in.MetricData[i].MetricName + "\n")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	_, err := f.file.WriteString(b.String())
	return &api.PutMetricDataOutput{}, err
}

// crashing is an exporter with a file storage in a directory.
type crashing struct {
	exporter *cloudWatchExporter
	stop     func() error
}

func startCrashing(ctx context.Context, dir string) (*crashing, error) {
	files := filestorage.NewFactory()
	filesConfig := files.CreateDefaultConfig().(*filestorage.Config)
	filesConfig.Directory = filepath.Join(dir, "storage")
	if err := os.MkdirAll(filesConfig.Directory, 0o700); err != nil {
		return nil, err
	}
	ext, err := files.Create(ctx, extensiontest.NewNopSettings(files.Type()), filesConfig)
	if err != nil {
		return nil, err
	}
	id := component.NewID(files.Type())
	host := testHost{id: ext}
	if err := ext.Start(ctx, host); err != nil {
		return nil, err
	}
	cfg := createDefaultConfig().(*Config)
	cfg.AWS.Region, cfg.AWS.LocalMode = "eu-west-1", true
	cfg.AWS.AccessKeyID, cfg.AWS.SecretAccessKey = "id", "secret"
	cfg.Storage, cfg.AggregationInterval, cfg.AggregationDelay = &id, time.Second, 0
	set := exportertest.NewNopSettings(metadata.Type)
	set.ID = component.NewID(metadata.Type)
	made, err := createMetrics(ctx, set, cfg)
	if err != nil {
		return nil, err
	}
	e := made.(*cloudWatchExporter)
	sent, err := os.OpenFile(filepath.Join(dir, "sent"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	e.newClient = func() putter { return &fileCloudWatch{file: sent} }
	if err := e.Start(ctx, host); err != nil {
		return nil, err
	}
	return &crashing{e, func() error {
		return errors.Join(e.Shutdown(ctx), ext.Shutdown(ctx), sent.Close())
	}}, nil
}

// TestCrashWriter is the process that is killed: it prints a line for each acknowledged call.
func TestCrashWriter(t *testing.T) {
	dir := os.Getenv(crashDirEnv)
	if dir == "" {
		t.Skip("run by TestKill")
	}
	c, err := startCrashing(context.Background(), dir)
	require.NoError(t, err)
	run := os.Getpid()
	for w := range 4 {
		go func() {
			for n := 0; ; n++ {
				name := fmt.Sprintf("%d-%d-%d", run, w, n)
				at := float64(time.Now().UnixMilli()) / 1000
				if err := c.exporter.ConsumeMetrics(context.Background(), metrics("n", point{name: name, value: 1, at: at})); err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
				_, _ = os.Stdout.WriteString("acked " + name + "\n")
			}
		}()
	}
	select {}
}

// TestKill kills exporters in the middle of everything, and looks for all that was acknowledged.
func TestKill(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	dir := t.TempDir()
	var acked []string
	for _, after := range []time.Duration{200 * time.Millisecond, 1100 * time.Millisecond, 1700 * time.Millisecond} {
		acked = append(acked, killWriter(t, dir, after)...)
	}
	require.NotEmpty(t, acked)
	c, err := startCrashing(t.Context(), dir)
	require.NoError(t, err)
	var sent map[string]int
	assert.Eventually(t, func() bool {
		sent = make(map[string]int)
		raw, err := os.ReadFile(filepath.Join(dir, "sent"))
		require.NoError(t, err)
		for name := range strings.Lines(string(raw)) {
			sent[strings.TrimSuffix(name, "\n")]++
		}
		for _, name := range acked {
			if sent[name] == 0 {
				return false
			}
		}
		return true
	}, time.Minute, 50*time.Millisecond)
	require.NoError(t, c.stop())
	lost, twice := 0, 0
	for _, name := range acked {
		switch n := sent[name]; {
		case n == 0:
			lost++
		case n > 1:
			twice++
		}
	}
	assert.Zero(t, lost)
	t.Logf("%d acknowledged, none lost, %d sent more than once", len(acked), twice)
}

func killWriter(t *testing.T, dir string, after time.Duration) (acked []string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestCrashWriter$")
	cmd.Env = append(os.Environ(), crashDirEnv+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := bufio.NewScanner(out)
	var timer *time.Timer
	for lines.Scan() {
		name, ok := strings.CutPrefix(lines.Text(), "acked ")
		if !ok {
			continue
		}
		acked = append(acked, name)
		if timer == nil { // it is under way
			timer = time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
		}
	}
	require.Error(t, cmd.Wait(), "it was killed")
	return acked
}
