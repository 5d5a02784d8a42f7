// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awscloudwatchexporter

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/exporter/exporterhelper"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/resourcetotelemetry"

	"github.com/nephoscope/nephoscope/internal/awssession"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// What a datum may be sent as.
const (
	aggregateValues     = "values"
	aggregateStatistics = "statistics"
)

// Limits of PutMetricData.
const (
	maxDataPerRequest = 1000
	maxValuesPerDatum = 150
)

// Config of the AWS CloudWatch exporter.
type Config struct {
	AWS awssession.Config `mapstructure:",squash"`

	// Namespace is a template over resource attributes, for metrics whose scope has none.
	Namespace string `mapstructure:"namespace"`
	// StorageResolution, 1 or 60 seconds, of metrics whose scope has none.
	StorageResolution int32 `mapstructure:"storage_resolution"`
	// ResourceToTelemetrySettings makes dimensions of resource attributes.
	ResourceToTelemetrySettings resourcetotelemetry.Settings `mapstructure:"resource_to_telemetry_conversion"`

	// AggregationInterval is the period that the samples of a series become one datum of. 0 aggregates what comes in one
	// call only, and sends it at once.
	AggregationInterval time.Duration `mapstructure:"aggregation_interval"`
	// AggregationDelay is how long after its end a period is waited for.
	AggregationDelay time.Duration `mapstructure:"aggregation_delay"`
	// AggregateAs says whether data keep their distribution (values) or its four numbers only (statistics).
	AggregateAs string `mapstructure:"aggregate_as"`
	// MaxSeries bounds the periods of series that are aggregated at a time.
	MaxSeries int `mapstructure:"max_series"`
	// Storage is the extension that keeps what is being aggregated.
	Storage *component.ID `mapstructure:"storage"`
	// InMemory aggregates without storage: what is acknowledged may be lost.
	InMemory bool `mapstructure:"in_memory"`

	// RollupDimensions are sets of dimensions by which metrics that have them all are published besides.
	RollupDimensions [][]string `mapstructure:"rollup_dimensions"`
	// DropOriginalMetrics names metrics of which the roll-ups only are published.
	DropOriginalMetrics map[string]bool `mapstructure:"drop_original_metrics"`

	MaxDatumsPerCall  int `mapstructure:"max_datums_per_call"`
	MaxValuesPerDatum int `mapstructure:"max_values_per_datum"`

	TimeoutConfig exporterhelper.TimeoutConfig                             `mapstructure:",squash"`
	RetryConfig   configretry.BackOffConfig                                `mapstructure:"retry_on_failure"`
	QueueConfig   configoptional.Optional[exporterhelper.QueueBatchConfig] `mapstructure:"sending_queue"`
}

var _ component.Config = (*Config)(nil)

// maxInterval keeps what waits small.
const maxInterval = time.Hour

// Validate reports all that is wrong with the configuration. What is nested is validated by itself.
func (c *Config) Validate() error {
	var errs []error
	add := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if _, err := cloudwatch.NewConverter(cloudwatch.ConverterConfig{NamespaceTemplate: c.Namespace}); err != nil || c.Namespace == "" {
		add(`"namespace" is not a template: %q %w`, c.Namespace, orEmpty(err))
	} else if strings.HasPrefix(c.Namespace, reservedNamespace) {
		add(`"namespace" must not begin with %s, which is AWS's own: got %q`, reservedNamespace, c.Namespace)
	}
	if c.StorageResolution != 1 && c.StorageResolution != 60 {
		add(`"storage_resolution" must be 1 or 60, got %d`, c.StorageResolution)
	}
	switch i := c.AggregationInterval; {
	case i < 0 || i > maxInterval || i%time.Second != 0:
		add(`"aggregation_interval" must be whole seconds, at most %s, got %s`, maxInterval, i)
	case i > 0 && i < time.Minute && time.Minute%i != 0, i > time.Minute && i%time.Minute != 0:
		add(`"aggregation_interval" must divide a minute or be a multiple of it, got %s`, i)
	}
	if c.AggregationDelay < 0 || c.AggregationDelay > maxInterval {
		add(`"aggregation_delay" must be between 0 and %s, got %s`, maxInterval, c.AggregationDelay)
	}
	if c.AggregateAs != aggregateValues && c.AggregateAs != aggregateStatistics {
		add(`"aggregate_as" must be %s or %s, got %q`, aggregateValues, aggregateStatistics, c.AggregateAs)
	}
	if c.MaxSeries < 1 {
		add(`"max_series" must be at least 1, got %d`, c.MaxSeries)
	}
	switch {
	case c.AggregationInterval == 0 && (c.Storage != nil || c.InMemory):
		add(`"storage" and "in_memory" have no use with "aggregation_interval: 0": a queue has its own "sending_queue::storage"`)
	case c.AggregationInterval > 0 && c.Storage == nil && !c.InMemory:
		add(`"storage" is required: what is acknowledged is aggregated for %s before it is sent. Name a storage extension such as `+
			`file_storage, or set "in_memory: true" to accept that a crash loses it, or "aggregation_interval: 0"`, c.AggregationInterval)
	case c.Storage != nil && c.InMemory:
		add(`"storage" and "in_memory" exclude each other`)
	}
	if c.AggregationInterval > 0 && reflect.DeepEqual(c.QueueConfig, configoptional.None[exporterhelper.QueueBatchConfig]()) {
		add(`"sending_queue::enabled: false" is for "aggregation_interval: 0": what is aggregated goes through a queue`)
	}
	if c.AggregationInterval > 0 && c.QueueConfig.HasValue() && c.QueueConfig.Get().WaitForResult {
		add(`"sending_queue::wait_for_result" has no use with "aggregation_interval": nobody waits`)
	}
	errs = append(errs, c.checkRollups()...)
	if c.MaxDatumsPerCall < 1 || c.MaxDatumsPerCall > maxDataPerRequest {
		add(`"max_datums_per_call" must be between 1 and %d, got %d`, maxDataPerRequest, c.MaxDatumsPerCall)
	}
	if c.MaxValuesPerDatum < 1 || c.MaxValuesPerDatum > maxValuesPerDatum {
		add(`"max_values_per_datum" must be between 1 and %d, got %d`, maxValuesPerDatum, c.MaxValuesPerDatum)
	}
	return errors.Join(errs...)
}

func orEmpty(err error) error {
	if err == nil {
		return errors.New("(it is empty)")
	}
	return err
}

func (c *Config) checkRollups() (errs []error) {
	for i, set := range c.RollupDimensions {
		sorted := slices.Sorted(slices.Values(set))
		switch {
		case len(set) > cloudwatch.MaxDimensions:
			errs = append(errs, fmt.Errorf(`"rollup_dimensions::%d" may have %d names, got %d`, i, cloudwatch.MaxDimensions, len(set)))
		case len(slices.Compact(slices.Clone(sorted))) != len(set):
			errs = append(errs, fmt.Errorf(`"rollup_dimensions::%d" has a name twice: %v`, i, set))
		}
		for _, name := range set {
			if !cloudwatch.ValidDimensionName(name, cloudwatch.CharsetASCII) {
				errs = append(errs, fmt.Errorf(`"rollup_dimensions::%d": %q is not a valid name`, i, name))
			}
		}
	}
	if len(c.DropOriginalMetrics) > 0 && len(c.RollupDimensions) == 0 {
		errs = append(errs, errors.New(`"drop_original_metrics" would drop metrics altogether without "rollup_dimensions"`))
	}
	return errs
}
