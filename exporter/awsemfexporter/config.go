// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsemfexporter

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/exporter/exporterhelper"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/resourcetotelemetry"

	"github.com/nephoscope/nephoscope/internal/awssession"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
	"github.com/nephoscope/nephoscope/pkg/cloudwatchlogs"
)

// Values of options.
const (
	rollupZeroAndSingle = "ZeroAndSingleDimensionRollup"
	rollupSingle        = "SingleDimensionRollupOnly"
	rollupNone          = "NoDimensionRollup"

	destinationCloudWatch = "cloudwatch"
	destinationStdout     = "stdout"

	versionLegacy  = "0"
	versionCurrent = "1"

	histogramStatistics = "statistics"
	histogramValues     = "values"
)

// Config of the AWS EMF exporter.
type Config struct {
	AWS awssession.Config `mapstructure:",squash"`

	// LogGroupName and LogStreamName may have patterns such as {ClusterName}.
	LogGroupName  string `mapstructure:"log_group_name"`
	LogStreamName string `mapstructure:"log_stream_name"`
	// LogRetention, in days, and Tags are given to log groups that the exporter makes; 0 keeps events forever.
	LogRetention int64             `mapstructure:"log_retention"`
	Tags         map[string]string `mapstructure:"tags"`
	// Namespace of all metrics. When it is empty, a metric's own counts, or that of its service.
	Namespace string `mapstructure:"namespace"`
	// RetainInitialValueOfDeltaMetric takes the first point of a cumulative series as its increase, whenever it began.
	RetainInitialValueOfDeltaMetric bool `mapstructure:"retain_initial_value_of_delta_metric"`
	// DimensionRollupOption adds dimension sets of none and of single labels.
	DimensionRollupOption string `mapstructure:"dimension_rollup_option"`
	// ParseJSONEncodedAttributeValues are labels whose values are JSON, which documents have as such.
	ParseJSONEncodedAttributeValues []string `mapstructure:"parse_json_encoded_attr_values"`
	// MetricDeclarations choose metrics and their dimension sets. Without any, every metric has all of its labels.
	MetricDeclarations []MetricDeclaration `mapstructure:"metric_declarations"`
	// MetricDescriptors replace units.
	MetricDescriptors []MetricDescriptor `mapstructure:"metric_descriptors"`
	// OutputDestination is cloudwatch or stdout.
	OutputDestination string `mapstructure:"output_destination"`
	// EKSFargateContainerInsightsEnabled adds the label kubernetes to metrics of pods and containers.
	EKSFargateContainerInsightsEnabled bool `mapstructure:"eks_fargate_container_insights_enabled"`
	// DisableMetricExtraction leaves the metric definitions out: the documents are logs only.
	DisableMetricExtraction bool `mapstructure:"disable_metric_extraction"`
	// ResourceToTelemetrySettings makes labels of resource attributes.
	ResourceToTelemetrySettings resourcetotelemetry.Settings `mapstructure:"resource_to_telemetry_conversion"`
	// DetailedMetrics writes the quantiles, the sum and the count of summaries as metrics of their own.
	DetailedMetrics bool `mapstructure:"detailed_metrics"`
	// Version of the format: 1 with, 0 without the member _aws.
	Version string `mapstructure:"version"`
	// HistogramFormat is how histograms of explicit buckets are written: their statistics, or values and counts.
	HistogramFormat string `mapstructure:"histogram_format"`

	TimeoutConfig exporterhelper.TimeoutConfig                             `mapstructure:",squash"`
	RetryConfig   configretry.BackOffConfig                                `mapstructure:"retry_on_failure"`
	QueueConfig   configoptional.Optional[exporterhelper.QueueBatchConfig] `mapstructure:"sending_queue"`
}

// MetricDeclaration chooses metrics by name and labels, and says which dimension sets they have.
type MetricDeclaration struct {
	// Dimensions are dimension sets. One that has a name that is no label of a metric is left out for that metric.
	Dimensions [][]string `mapstructure:"dimensions"`
	// MetricNameSelectors are regular expressions, one of which has to match.
	MetricNameSelectors []string `mapstructure:"metric_name_selectors"`
	// LabelMatchers, if there are any: one of them has to match.
	LabelMatchers []LabelMatcher `mapstructure:"label_matchers"`
}

// LabelMatcher matches the values of labels, joined by a separator.
type LabelMatcher struct {
	LabelNames []string `mapstructure:"label_names"`
	// Separator is ";" when it is empty.
	Separator string `mapstructure:"separator"`
	Regex     string `mapstructure:"regex"`
}

// MetricDescriptor is the unit of a metric.
type MetricDescriptor struct {
	MetricName string `mapstructure:"metric_name"`
	Unit       string `mapstructure:"unit"`
	// Overwrite replaces a unit that the metric has, too.
	Overwrite bool `mapstructure:"overwrite"`
}

var _ component.Config = (*Config)(nil)

var tagPattern = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)

// Validate reports all that is wrong with the configuration. What is nested is validated by itself.
func (c *Config) Validate() error {
	var errs []error
	add := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	for _, p := range []struct{ key, value string }{
		{"log_group_name", c.LogGroupName}, {"log_stream_name", c.LogStreamName},
	} {
		if err := checkPattern(p.value, p.key == "log_group_name"); err != nil {
			add("%q: %w", p.key, err)
		}
	}
	if c.LogRetention != 0 && !slices.Contains(cloudwatchlogs.RetentionDays, int32(min(max(c.LogRetention, -1), 1<<30))) {
		add(`"log_retention" must be 0 (for ever) or one of %v days, got %d`, cloudwatchlogs.RetentionDays, c.LogRetention)
	}
	if err := c.checkTags(); err != nil {
		errs = append(errs, err)
	}
	if c.Namespace != "" {
		if !cloudwatch.ValidNamespace(c.Namespace, cloudwatch.CharsetUnicode) {
			add(`"namespace" is not a valid namespace: %q`, c.Namespace)
		} else if strings.HasPrefix(c.Namespace, reservedNamespace) {
			add(`"namespace" must not begin with %s, which is AWS's own: got %q`, reservedNamespace, c.Namespace)
		}
	}
	oneOf := func(key, value string, allowed ...string) {
		if !slices.Contains(allowed, value) {
			add("%q must be one of %s, got %q", key, strings.Join(allowed, ", "), value)
		}
	}
	oneOf("dimension_rollup_option", c.DimensionRollupOption, rollupZeroAndSingle, rollupSingle, rollupNone)
	oneOf("output_destination", strings.ToLower(c.OutputDestination), destinationCloudWatch, destinationStdout)
	oneOf("version", c.Version, versionLegacy, versionCurrent)
	oneOf("histogram_format", c.HistogramFormat, histogramStatistics, histogramValues)
	if slices.Contains(c.ParseJSONEncodedAttributeValues, "") {
		add(`"parse_json_encoded_attr_values" must not contain an empty name`)
	}
	if c.EKSFargateContainerInsightsEnabled && !slices.Contains(c.ParseJSONEncodedAttributeValues, labelKubernetes) {
		add(`"eks_fargate_container_insights_enabled" needs %q in "parse_json_encoded_attr_values": Container Insights wants an object`,
			labelKubernetes)
	}
	return errors.Join(errs...)
}

func (c *Config) checkTags() error {
	if len(c.Tags) > cloudwatchlogs.MaxTags {
		return fmt.Errorf(`"tags" must be at most %d, got %d`, cloudwatchlogs.MaxTags, len(c.Tags))
	}
	for k, v := range c.Tags {
		switch {
		case k == "" || utf8.RuneCountInString(k) > cloudwatchlogs.MaxTagKeyLength || !tagPattern.MatchString(k):
			return fmt.Errorf(`"tags" has an invalid key %q`, k)
		case v == "" || utf8.RuneCountInString(v) > cloudwatchlogs.MaxTagValueLength || !tagPattern.MatchString(v):
			return fmt.Errorf(`"tags" has an invalid value for %q: %q`, k, v)
		}
	}
	return nil
}

// Validate reports all that is wrong with a declaration.
func (d *MetricDeclaration) Validate() error {
	var errs []error
	if len(d.MetricNameSelectors) == 0 {
		errs = append(errs, errors.New(`"metric_name_selectors" is required`))
	}
	for _, s := range d.MetricNameSelectors {
		if _, err := regexp.Compile(s); err != nil {
			errs = append(errs, fmt.Errorf(`"metric_name_selectors": %w`, err))
		}
	}
	for _, set := range d.Dimensions {
		if len(set) > cloudwatch.MaxDimensions {
			errs = append(errs, fmt.Errorf(`"dimensions": a set may have %d names, got %d`, cloudwatch.MaxDimensions, len(set)))
		}
		for _, name := range set {
			if !cloudwatch.ValidDimensionName(name, cloudwatch.CharsetUnicode) {
				errs = append(errs, fmt.Errorf(`"dimensions": %q is not a valid name`, name))
			}
		}
	}
	return errors.Join(errs...)
}

// Validate reports all that is wrong with a matcher.
func (m *LabelMatcher) Validate() error {
	var errs []error
	if len(m.LabelNames) == 0 {
		errs = append(errs, errors.New(`"label_names" is required`))
	}
	if m.Regex == "" {
		errs = append(errs, errors.New(`"regex" is required`))
	} else if _, err := regexp.Compile(m.Regex); err != nil {
		errs = append(errs, fmt.Errorf(`"regex": %w`, err))
	}
	return errors.Join(errs...)
}

// Validate reports all that is wrong with a descriptor.
func (d *MetricDescriptor) Validate() error {
	var errs []error
	if d.MetricName == "" {
		errs = append(errs, errors.New(`"metric_name" is required`))
	}
	if !cloudwatch.ValidUnit(d.Unit) {
		errs = append(errs, fmt.Errorf(`"unit" must be one of CloudWatch's units, got %q`, d.Unit))
	}
	return errors.Join(errs...)
}
