// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package metricstreams

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"

	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/nephoscope/nephoscope/pkg/awswire"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
	"github.com/nephoscope/nephoscope/pkg/metricstream"
)

// Shape names of CloudWatch's errors.
const (
	codeMissing     = "MissingRequiredParameterException"
	codeValue       = "InvalidParameterValueException"
	codeCombination = "InvalidParameterCombinationException"
	codeNotFound    = "ResourceNotFoundException"
	codeNextToken   = "InvalidNextToken"
	codeLimit       = "LimitExceededFault"
)

func fault(code, format string, args ...any) error {
	return &awswire.Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

func invalid(format string, args ...any) error { return fault(codeValue, format, args...) }

func notFound(name string) error {
	return &awswire.Error{Code: codeNotFound, Message: "The metric stream " + name + " does not exist.", Status: http.StatusNotFound}
}

// Bounds of a stream.
const (
	maxNames             = 1000 // namespaces and metric names of its filters
	maxConfigurations    = 100
	maxConfiguredMetrics = 100
	maxStatistics        = 20
)

var (
	namePattern     = regexp.MustCompile(`^[A-Za-z0-9_-]{1,255}$`)
	firehosePattern = regexp.MustCompile(`^arn:aws[a-z-]*:firehose:[a-z0-9-]+:(\d{12}):deliverystream/[A-Za-z0-9_.-]{1,64}$`)
	rolePattern     = regexp.MustCompile(`^arn:aws[a-z-]*:iam::(\d{12}):role/.+$`)
)

// checkName checks the name of a stream.
func checkName(name *string) (string, error) {
	switch {
	case deref(name) == "":
		return "", fault(codeMissing, "The parameter Name is required.")
	case !namePattern.MatchString(*name):
		return "", invalid("The value for parameter Name is invalid: it can have up to 255 alphanumerics, dashes (-) and underscores (_).")
	}
	return *name, nil
}

// readStream checks a request and reads it.
func (s *Service) readStream(in *cw.PutMetricStreamInput, account string) (*row, error) {
	name, err := checkName(in.Name)
	if err != nil {
		return nil, err
	}
	r := &row{Account: account, Name: name, Firehose: deref(in.FirehoseArn), Role: deref(in.RoleArn), Format: string(in.OutputFormat)}
	for _, m := range []struct{ name, value string }{{"FirehoseArn", r.Firehose}, {"RoleArn", r.Role}, {"OutputFormat", r.Format}} {
		if m.value == "" {
			return nil, fault(codeMissing, "The parameter %s is required.", m.name)
		}
	}
	if !slices.Contains(metricstream.Formats(), metricstream.Format(r.Format)) {
		return nil, invalid("The parameter OutputFormat must be a value in the set [ json, opentelemetry0.7, opentelemetry1.0 ].")
	}
	if m := rolePattern.FindStringSubmatch(r.Role); m == nil || m[1] != account {
		return nil, invalid("The value %s for parameter RoleArn is not the ARN of a role of this account.", r.Role)
	}
	if m := firehosePattern.FindStringSubmatch(r.Firehose); m == nil || m[1] != account {
		return nil, invalid("The value %s for parameter FirehoseArn is not the ARN of a delivery stream of this account.", r.Firehose)
	}
	if _, ok := s.set.Destinations[r.Firehose]; !ok {
		return nil, invalid("The delivery stream %s does not exist: name it in the option metric_streams::destinations of the "+
			"extension aws_api.", r.Firehose)
	}
	if deref(in.IncludeLinkedAccountsMetrics) {
		return nil, awswire.NotImplemented("A metric stream with IncludeLinkedAccountsMetrics")
	}
	if len(in.IncludeFilters) > 0 && len(in.ExcludeFilters) > 0 {
		return nil, fault(codeCombination, "The parameters IncludeFilters and ExcludeFilters are mutually exclusive and you have specified both.")
	}
	if r.Include, err = readFilters("IncludeFilters", in.IncludeFilters); err != nil {
		return nil, err
	}
	if r.Exclude, err = readFilters("ExcludeFilters", in.ExcludeFilters); err != nil {
		return nil, err
	}
	r.Statistics, err = readStatistics(in.StatisticsConfigurations, metricstream.Format(r.Format))
	return r, err
}

func readFilters(path string, in []types.MetricStreamFilter) ([]filter, error) {
	var list []filter
	names := 0
	for i, f := range in {
		at := fmt.Sprintf("%s.member.%d", path, i+1)
		namespace := deref(f.Namespace)
		if !cloudwatch.ValidNamespace(namespace, cloudwatch.CharsetUnicode) {
			return nil, invalid("The value %s for parameter %s.Namespace is invalid.", namespace, at)
		}
		if slices.ContainsFunc(list, func(o filter) bool { return o.Namespace == namespace }) {
			return nil, invalid("The parameter %s has the namespace %s twice.", path, namespace)
		}
		for k, name := range f.MetricNames {
			if !cloudwatch.ValidMetricName(name, cloudwatch.CharsetUnicode) {
				return nil, invalid("The value %s for parameter %s.MetricNames.member.%d is invalid.", name, at, k+1)
			}
		}
		list = append(list, filter{namespace, f.MetricNames})
		if names += 1 + len(f.MetricNames); names > maxNames {
			return nil, invalid("The parameter %s has more than %d namespaces and metric names.", path, maxNames)
		}
	}
	return list, nil
}

func readStatistics(in []types.MetricStreamStatisticsConfiguration, format metricstream.Format) ([]statistics, error) {
	if len(in) > maxConfigurations {
		return nil, invalid("The collection StatisticsConfigurations must not have a size greater than %d.", maxConfigurations)
	}
	var list []statistics
	for i, c := range in {
		at := fmt.Sprintf("StatisticsConfigurations.member.%d", i+1)
		switch {
		case len(c.IncludeMetrics) == 0:
			return nil, fault(codeMissing, "The parameter %s.IncludeMetrics is required.", at)
		case len(c.AdditionalStatistics) == 0:
			return nil, fault(codeMissing, "The parameter %s.AdditionalStatistics is required.", at)
		case len(c.IncludeMetrics) > maxConfiguredMetrics:
			return nil, invalid("The collection %s.IncludeMetrics must not have a size greater than %d.", at, maxConfiguredMetrics)
		case len(c.AdditionalStatistics) > maxStatistics:
			return nil, invalid("The collection %s.AdditionalStatistics must not have a size greater than %d.", at, maxStatistics)
		}
		out := statistics{Statistics: c.AdditionalStatistics}
		for k, name := range c.AdditionalStatistics {
			stat, ok := cloudwatch.ParseStatistic(name)
			_, percentile := stat.Percentile()
			if !ok || stat.Basic() || !percentile && format != metricstream.FormatJSON {
				return nil, invalid("The value %s for parameter %s.AdditionalStatistics.member.%d is not valid for the output format %s.",
					name, at, k+1, format)
			}
		}
		for k, m := range c.IncludeMetrics {
			if !cloudwatch.ValidNamespace(deref(m.Namespace), cloudwatch.CharsetUnicode) ||
				!cloudwatch.ValidMetricName(deref(m.MetricName), cloudwatch.CharsetUnicode) {
				return nil, invalid("The parameter %s.IncludeMetrics.member.%d is not a namespace and metric name.", at, k+1)
			}
			out.Metrics = append(out.Metrics, metricName{*m.Namespace, *m.MetricName})
		}
		list = append(list, out)
	}
	return list, nil
}
