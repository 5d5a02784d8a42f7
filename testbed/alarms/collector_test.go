// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package alarms is the acceptance of alarms as users have them: created by boto3 or from Terraform, evaluated on what comes
// through the pipelines, seen by subscribers, Slack and PagerDuty; tested and run over the past by neph.
package alarms

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"text/template"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/yamlprovider"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/otelcol"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/service/telemetry/otelconftelemetry"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"

	"github.com/nephoscope/nephoscope/exporter/storeexporter"
	"github.com/nephoscope/nephoscope/extension/alarmextension"
	"github.com/nephoscope/nephoscope/extension/awsapiextension"
	"github.com/nephoscope/nephoscope/extension/notificationextension"
	"github.com/nephoscope/nephoscope/extension/storeextension"
	"github.com/nephoscope/nephoscope/internal/clock/clocktest"
	"github.com/nephoscope/nephoscope/processor/alarmprocessor"
	"github.com/nephoscope/nephoscope/receiver/alarmreceiver"
	"github.com/nephoscope/nephoscope/receiver/awsapireceiver"
	"github.com/nephoscope/nephoscope/receiver/awsfirehosereceiver"
	"github.com/nephoscope/nephoscope/testbed/install"
)

// patience is how long tests wait for what has to happen.
const patience = time.Minute

// settings fill in testdata/collector.yaml.
type settings struct {
	Data, Receivers string
	// Firehose and Notifications are addresses to listen at. A subscriber of before a restart knows the latter.
	Firehose, Notifications string
	Definitions             []string
}

// chain is a collector in this process whose clock the test moves.
type chain struct {
	settings
	clock *clocktest.Clock
	start time.Time
	kept  *kept
	aws   string
	stop  func()
}

// startChain runs a collector with testdata/collector.yaml.
func startChain(t *testing.T, receivers string, definitions ...string) *chain {
	t.Helper()
	// PutMetricData takes what is at most two hours ahead of the machine's clock: the test's begins there, on a minute.
	c := &chain{start: time.Now().UTC().Truncate(time.Minute), kept: &kept{}}
	c.clock = clocktest.New(c.start)
	c.settings = settings{
		Data: t.TempDir(), Receivers: receivers, Firehose: freeAddress(t), Notifications: freeAddress(t), Definitions: definitions,
	}
	c.run(t)
	t.Cleanup(func() { c.stop() })
	return c
}

// restart ends the collector, and starts one with what that has left.
func (c *chain) restart(t *testing.T) {
	t.Helper()
	c.stop()
	c.run(t)
}

func (c *chain) run(t *testing.T) {
	t.Helper()
	col, err := otelcol.NewCollector(otelcol.CollectorSettings{
		BuildInfo: component.NewDefaultBuildInfo(), Factories: c.factories, DisableGracefulShutdown: true,
		ConfigProviderSettings: otelcol.ConfigProviderSettings{ResolverSettings: confmap.ResolverSettings{
			URIs: []string{"yaml:" + render(t, c.settings)}, ProviderFactories: []confmap.ProviderFactory{yamlprovider.NewFactory()},
		}},
	})
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() { ended <- col.Run(context.Background()) }()
	c.stop = func() {
		col.Shutdown()
		require.NoError(t, <-ended)
		c.stop = func() {}
	}
	require.Eventually(t, func() bool { return len(ended) > 0 || col.GetState() == otelcol.StateRunning }, patience, time.Millisecond)
	require.Equal(t, otelcol.StateRunning, col.GetState(), "the collector has ended")
	c.aws = c.kept.endpoint(t, "aws_api")
}

func render(t *testing.T, s settings) string {
	t.Helper()
	tmpl, err := template.ParseFiles(filepath.Join("testdata", "collector.yaml"))
	require.NoError(t, err)
	var b strings.Builder
	require.NoError(t, tmpl.Execute(&b, s))
	return b.String()
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	return l.Addr().String()
}

func (c *chain) factories() (f otelcol.Factories, err error) {
	f.Telemetry = otelconftelemetry.NewFactory()
	var errs [4]error
	f.Extensions, errs[0] = otelcol.MakeFactoryMap[extension.Factory](
		c.clock.NewFactory(), filestorage.NewFactory(), storeextension.NewFactory(), awsapiextension.NewFactory(),
		alarmextension.NewFactory(), notificationextension.NewFactory())
	f.Receivers, errs[1] = otelcol.MakeFactoryMap[receiver.Factory](
		awsapireceiver.NewFactory(), awsfirehosereceiver.NewFactory(), alarmreceiver.NewFactory())
	f.Processors, errs[2] = otelcol.MakeFactoryMap[processor.Factory](alarmprocessor.NewFactory())
	f.Exporters, errs[3] = otelcol.MakeFactoryMap[exporter.Factory](storeexporter.NewFactory(), c.kept.newFactory())
	return f, errors.Join(errs[:]...)
}

// at lets time pass until that long behind the start. What is due by then is done by then.
func (c *chain) at(t *testing.T, d time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	require.NoError(t, c.clock.Until(ctx, c.start.Add(d)), "the alarms do not evaluate any more")
}

// config points an SDK's client at the collector.
func (c *chain) config() aws.Config {
	return aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String("http://" + c.aws),
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}
}

// python runs one of the programs in python/ with boto3, and returns what it prints.
func python(t *testing.T, endpoint, program string, args ...string) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, install.Current(t), append([]string{filepath.Join("python", program)}, args...)...)
	nothing := filepath.Join(t.TempDir(), "nothing")
	cmd.Env = append(withoutAWS(os.Environ()),
		"AWS_ENDPOINT_URL=http://"+endpoint, "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_DEFAULT_REGION=us-east-1",
		"AWS_CONFIG_FILE="+nothing, "AWS_SHARED_CREDENTIALS_FILE="+nothing, "AWS_EC2_METADATA_DISABLED=true",
		"NO_PROXY=127.0.0.1,localhost", "PYTHONDONTWRITEBYTECODE=1")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	require.NoError(t, cmd.Run(), "%s: %s", program, &errs)
	return out.Bytes()
}

func withoutAWS(env []string) (out []string) {
	for _, pair := range env {
		if !strings.HasPrefix(pair, "AWS_") && !strings.HasPrefix(pair, "NEPHOSCOPE_") {
			out = append(out, pair)
		}
	}
	return out
}

// kept is an exporter that keeps the events of alarms, and says who is on the host.
type kept struct {
	mu      sync.Mutex
	host    component.Host
	records []plog.LogRecord
}

func (k *kept) newFactory() exporter.Factory {
	return exporter.NewFactory(component.MustNewType("kept"), func() component.Config { return &struct{}{} },
		exporter.WithLogs(func(context.Context, exporter.Settings, component.Config) (exporter.Logs, error) { return k, nil },
			component.StabilityLevelDevelopment))
}

func (k *kept) Start(_ context.Context, host component.Host) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.host = host
	return nil
}

func (*kept) Shutdown(context.Context) error { return nil }

func (*kept) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (k *kept) ConsumeLogs(_ context.Context, ld plog.Logs) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, rl := range ld.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, lr := range sl.LogRecords().All() {
				one := plog.NewLogRecord()
				lr.CopyTo(one)
				k.records = append(k.records, one)
			}
		}
	}
	return nil
}

// taken are the events so far.
func (k *kept) taken() []plog.LogRecord {
	k.mu.Lock()
	defer k.mu.Unlock()
	return append([]plog.LogRecord(nil), k.records...)
}

// endpoint is where an extension listens.
func (k *kept) endpoint(t *testing.T, name string) string {
	t.Helper()
	k.mu.Lock()
	defer k.mu.Unlock()
	ext, ok := k.host.GetExtensions()[component.MustNewID(name)].(interface{ Endpoint() string })
	require.True(t, ok, "%s does not say where it listens", name)
	return ext.Endpoint()
}
