// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsemfexporter

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/exporter/exporterhelper"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/resourcetotelemetry"

	"github.com/nephoscope/nephoscope/internal/awssession"
)

func TestConfig(t *testing.T) {
	t.Parallel()
	conf, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)
	all := createDefaultConfig().(*Config)
	all.AWS = awssession.Config{
		NumWorkers: 2, Endpoint: "https://logs.example.com", RequestTimeoutSeconds: 10, MaxRetries: 5, NoVerifySSL: true,
		ProxyAddress: "http://proxy:3128", Region: "eu-central-1", LocalMode: true, RoleARN: "arn:aws:iam::123456789012:role/emf",
		ExternalID: "e", Profile: "p", SharedCredentialsFile: []string{"/f"}, CertificateFilePath: "/c.pem", IMDSRetries: 3,
	}
	all.LogGroupName, all.LogStreamName, all.LogRetention = "/aws/{ClusterName}/x", "{TaskId}", 7
	all.Tags, all.Namespace = map[string]string{"team": "x"}, "Shop"
	all.RetainInitialValueOfDeltaMetric, all.DimensionRollupOption = true, rollupNone
	all.ParseJSONEncodedAttributeValues = []string{"Sources", "kubernetes"}
	all.MetricDeclarations = []MetricDeclaration{{
		Dimensions: [][]string{{"a", "b"}, {}}, MetricNameSelectors: []string{"^x$"},
		LabelMatchers: []LabelMatcher{{LabelNames: []string{"a", "b"}, Separator: ",", Regex: "^1,2$"}},
	}}
	all.MetricDescriptors = []MetricDescriptor{{MetricName: "x", Unit: "Seconds", Overwrite: true}}
	all.OutputDestination, all.Version, all.HistogramFormat = destinationStdout, versionLegacy, histogramValues
	all.EKSFargateContainerInsightsEnabled, all.DisableMetricExtraction, all.DetailedMetrics = true, true, true
	all.ResourceToTelemetrySettings = resourcetotelemetry.Settings{Enabled: true, ExcludeServiceAttributes: true}
	all.TimeoutConfig.Timeout = 7 * time.Second
	all.RetryConfig.Enabled = false
	queue := exporterhelper.NewDefaultQueueConfig()
	queue.QueueSize = 3
	all.QueueConfig = configoptional.Some(queue)
	for id, want := range map[string]*Config{"awsemf": createDefaultConfig().(*Config), "awsemf/all": all} {
		cfg := createDefaultConfig()
		sub, err := conf.Sub(id)
		require.NoError(t, err)
		require.NoError(t, sub.Unmarshal(cfg))
		require.NoError(t, confmap.Validate(cfg))
		assert.Equal(t, want, cfg)
	}
}

func TestValidateReportsAllFaults(t *testing.T) {
	t.Parallel()
	conf, err := confmaptest.LoadConf(filepath.Join("testdata", "bad_everything.yaml"))
	require.NoError(t, err)
	cfg := createDefaultConfig()
	require.NoError(t, conf.Unmarshal(cfg))
	err = confmap.Validate(cfg)
	for _, want := range []string{
		`"num_workers"`, `"resource_arn" is not supported`, `"log_group_name"`, `unknown pattern {NoSuchPattern}`, `"log_retention"`,
		`"tags" has an invalid key`, `"namespace" must not begin with AWS/`, `"dimension_rollup_option"`, `"output_destination"`,
		`"version"`, `"histogram_format"`, `"parse_json_encoded_attr_values"`, `"eks_fargate_container_insights_enabled" needs`,
		`metric_declarations::0: "metric_name_selectors" is required`, `"dimensions": "" is not a valid name`,
		`"label_names" is required`, `"regex" is required`, `"metric_name_selectors": error parsing`, `"regex": error parsing`,
		`"metric_name" is required`, `"unit" must be one of`,
	} {
		require.ErrorContains(t, err, want)
	}
}

// An option that is not known is refused by its name.
func TestUnknownOption(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"middleware", "add_entity", "log_class"} {
		err := confmap.NewFromStringMap(map[string]any{key: "x"}).Unmarshal(createDefaultConfig())
		require.ErrorContains(t, err, key)
	}
}

func TestPatterns(t *testing.T) {
	t.Parallel()
	lookup := func(pairs ...string) func(string) (string, bool) {
		return func(name string) (string, bool) {
			for i := 0; i < len(pairs); i += 2 {
				if pairs[i] == name {
					return pairs[i+1], true
				}
			}
			return "", false
		}
	}
	p, err := parsePattern("/a/{ClusterName}/{TaskId}-x")
	require.NoError(t, err)
	assert.Equal(t, "/a/c/t-x", p.expand(cleanGroup, lookup("aws.ecs.cluster.name", "c", "TaskId", "t", "aws.ecs.task.id", "no")))
	assert.Equal(t, "/a/c_1/undefined-x", p.expand(cleanGroup, lookup("ClusterName", "c:1", "TaskId", "")))
	assert.Equal(t, "/a/c/label-x", p.expand(cleanGroup, lookup("ClusterName", "c"), lookup("TaskId", "label", "ClusterName", "no")))
	for _, bad := range []string{"{", "}", "{}", "{x", "a}b", "{Nope}"} {
		_, err := parsePattern(bad)
		require.Error(t, err, bad)
	}
	require.NoError(t, checkPattern("", true))
	require.Error(t, checkPattern("a:b", false))
	assert.Len(t, []rune(cutName(strings.Repeat("ä", 600))), 512)
	assert.Equal(t, "a_b_c", cleanStream("a:b*c"))
	assert.Equal(t, "a__c", cleanGroup("aä:c"))
}
