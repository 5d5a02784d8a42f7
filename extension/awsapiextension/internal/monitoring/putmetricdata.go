// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package monitoring

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/nephoscope/nephoscope/extension/awsapiextension/internal/pipelines"
	"github.com/nephoscope/nephoscope/pkg/awswire"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// Limits of PutMetricData.
const (
	// maxPutBody is the bytes of a request as it is sent, which is compressed as a rule.
	maxPutBody        = 1 << 20
	maxData           = 1000
	maxEntityData     = 2
	maxDimensions     = 30
	maxValues         = 150
	maxNameLength     = 255
	maxDimensionValue = 1024
)

// maxValue is the greatest magnitude of a value, 2^360.
var maxValue = math.Ldexp(1, 360)

// reservedNamespace begins the namespaces of AWS's own services.
const reservedNamespace = "AWS/"

// unitSet lists the units as CloudWatch's messages do.
var unitSet = "[ " + strings.Join(cloudwatch.Units(), ", ") + " ]"

func (s *service) putMetricData(ctx context.Context, in *cw.PutMetricDataInput) error {
	req := awswire.RequestFrom(ctx)
	if err := checkBodySize(req); err != nil {
		return err
	}
	data, err := s.decodeMetricData(in)
	if err != nil {
		return err
	}
	if failure := entityFailure(in.EntityMetricData); failure != "" {
		// The data are kept, the entity is not: this header is how AWS says so.
		req.ResponseHeader.Set(entityFailureHeader, failure)
	}
	md := cloudwatch.ToMetrics(req.Account, req.Region, data)
	return pipelines.AWSError(s.consume(ctx, md))
}

// checkBodySize bounds the body as it is sent. Its size is known of requests that announce it, as those of all SDKs do; the
// size of others is that of what was in it.
func checkBodySize(req *awswire.Request) error {
	size := int64(req.BodyBytes)
	if announced, err := strconv.ParseInt(req.Header.Get("Content-Length"), 10, 64); err == nil {
		size = announced
	}
	if size <= maxPutBody {
		return nil
	}
	return &awswire.Error{
		Code: "RequestEntityTooLargeException", Message: "Request size exceeds the limit.", Status: http.StatusRequestEntityTooLarge,
	}
}

// decodeMetricData checks the whole request before it answers with its data: one bad datum refuses all.
func (s *service) decodeMetricData(in *cw.PutMetricDataInput) ([]cloudwatch.Datum, error) {
	namespace := deref(in.Namespace)
	if err := checkNamespace(namespace); err != nil {
		return nil, err
	}
	var f faults
	total := len(in.MetricData)
	for _, e := range in.EntityMetricData {
		total += len(e.MetricData)
	}
	switch {
	case len(in.EntityMetricData) > 0 && in.StrictEntityValidation == nil:
		f.addMissing("StrictEntityValidation")
	case len(in.EntityMetricData) > maxEntityData && *in.StrictEntityValidation:
		f.addValue("The collection EntityMetricData must not have a size greater than %d.", maxEntityData)
	case hasEntity(in.EntityMetricData) && *in.StrictEntityValidation:
		f.addValue("The parameter EntityMetricData.member.1.Entity is not supported: entities are not kept here. " +
			"Set StrictEntityValidation to false to have the metric data kept without them.")
	case total == 0:
		return nil, &awswire.Error{
			Code: codeMissingParameter, Message: "At least one MetricDatum object must be present in the request.",
		}
	case total > maxData:
		f.addValue("The collection MetricData must not have a size greater than %d.", maxData)
	}
	if err := f.err(); err != nil {
		return nil, err
	}

	d := datumDecoder{namespace: namespace, now: s.now()}
	data := make([]cloudwatch.Datum, total)
	rest := data
	decode := func(collection string, list []types.MetricDatum) {
		d.collection = collection
		for i := range list {
			d.index = i + 1
			d.decode(&list[i], &rest[i])
		}
		rest = rest[len(list):]
	}
	decode("MetricData", in.MetricData)
	for i := range in.EntityMetricData {
		decode(fmt.Sprintf("EntityMetricData.member.%d.MetricData", i+1), in.EntityMetricData[i].MetricData)
	}
	if err := d.err(); err != nil {
		return nil, err
	}
	return data, nil
}

func hasEntity(list []types.EntityMetricData) bool {
	return slices.ContainsFunc(list, func(e types.EntityMetricData) bool { return e.Entity != nil })
}

// checkNamespace checks the namespace that data are put into.
func checkNamespace(namespace string) error {
	if strings.HasPrefix(namespace, reservedNamespace) {
		return invalidValue("The value %s for parameter Namespace is invalid.", reservedNamespace)
	}
	var f faults
	f.addName("Namespace", namespace, maxNameLength)
	if strings.HasPrefix(namespace, ":") {
		f.addValue("The value %s for parameter Namespace is invalid.", namespace)
	}
	return f.err()
}

type datumDecoder struct {
	faults
	namespace  string
	now        time.Time
	collection string
	index      int // of the datum that is being decoded, from 1
}

// path names a member of the datum. It is built only for faults: requests hold up to 1,000 data.
func (d *datumDecoder) path(member string) string {
	return d.collection + ".member." + strconv.Itoa(d.index) + "." + member
}

func (d *datumDecoder) decode(m *types.MetricDatum, out *cloudwatch.Datum) {
	out.Namespace, out.Name = d.namespace, deref(m.MetricName)
	if !plainText(out.Name, maxNameLength) {
		d.addName(d.path("MetricName"), out.Name, maxNameLength)
	}
	out.Dimensions = d.dimensions(m.Dimensions)
	out.TimestampMs = d.now.UnixMilli()
	if m.Timestamp != nil {
		out.TimestampMs = m.Timestamp.UnixMilli()
		switch {
		case m.Timestamp.Before(d.now.Add(-cloudwatch.MaxDatumAge)):
			d.addValue("The parameter %s must specify a time within the past two weeks.", d.path("Timestamp"))
		case m.Timestamp.After(d.now.Add(cloudwatch.MaxDatumFuture)):
			d.addValue("The parameter %s must specify a time no more than two hours in the future.", d.path("Timestamp"))
		}
	}
	out.Unit = cloudwatch.UnitNone
	if m.Unit != "" {
		out.Unit = string(m.Unit)
		if !cloudwatch.ValidUnit(out.Unit) {
			d.addValue("The parameter %s must be a value in the set %s.", d.path("Unit"), unitSet)
		}
	}
	out.StorageResolution = 60
	if m.StorageResolution != nil {
		out.StorageResolution = *m.StorageResolution
		if r := out.StorageResolution; r != 1 && r != 60 {
			d.addValue("The parameter %s must be a value in the set [ 1, 60 ].", d.path("StorageResolution"))
		}
	}
	d.form(m, out)
}

// form reads the one of the three forms that the datum has.
func (d *datumDecoder) form(m *types.MetricDatum, out *cloudwatch.Datum) {
	hasValues := len(m.Values) > 0
	switch {
	case m.Value != nil && hasValues:
		d.addExclusive(d.path("Value"), d.path("Values"))
	case m.Value != nil && m.StatisticValues != nil:
		d.addExclusive(d.path("Value"), d.path("StatisticValues"))
	case len(m.Counts) > 0 && !hasValues:
		d.addCombination("The parameter %s cannot be specified without the parameter %s.", d.path("Counts"), d.path("Values"))
	case m.Value != nil:
		out.Value = *m.Value
		if !validNumber(*m.Value) {
			d.addNumber(d.path("Value"), *m.Value)
		}
	case m.StatisticValues != nil: // wins over Values
		out.Statistics = d.statistics(m.StatisticValues)
	case hasValues:
		out.Values, out.Counts = d.values(m.Values, m.Counts)
	default:
		d.addCombination("At least one of the parameters must be specified.")
	}
}

func (d *datumDecoder) dimensions(in []types.Dimension) []cloudwatch.Dimension {
	if len(in) == 0 {
		return nil
	}
	if len(in) > maxDimensions {
		d.addValue("The collection %s must not have a size greater than %d.", d.path("Dimensions"), maxDimensions)
		return nil
	}
	out := make([]cloudwatch.Dimension, len(in))
	for i := range in {
		dim := cloudwatch.Dimension{Name: deref(in[i].Name), Value: deref(in[i].Value)}
		if !plainText(dim.Name, maxNameLength) || dim.Name[0] == ':' || !plainText(dim.Value, maxDimensionValue) {
			d.dimensionFaults(d.path("Dimensions.member."+strconv.Itoa(i+1)), dim)
		}
		out[i] = dim
	}
	cloudwatch.SortDimensions(out)
	if cloudwatch.HasDuplicateDimension(out) {
		d.addValue("No metric may specify the same dimension name twice.")
	}
	return out
}

func (d *datumDecoder) dimensionFaults(path string, dim cloudwatch.Dimension) {
	d.addName(path+".Name", dim.Name, maxNameLength)
	if strings.HasPrefix(dim.Name, ":") {
		d.addValue("The value %s for parameter %s.Name is invalid.", dim.Name, path)
	}
	d.addName(path+".Value", dim.Value, maxDimensionValue)
}

// plainText is whether s is surely a valid name; one that begins with a blank is looked at more closely.
func plainText(s string, limit int) bool {
	return s != "" && len(s) <= limit && s[0] > ' ' && printableASCII(s)
}

func (d *datumDecoder) statistics(in *types.StatisticSet) *cloudwatch.StatisticSet {
	out := &cloudwatch.StatisticSet{}
	for _, m := range [...]struct {
		name string
		in   *float64
		out  *float64
	}{
		{"StatisticValues.SampleCount", in.SampleCount, &out.SampleCount},
		{"StatisticValues.Sum", in.Sum, &out.Sum},
		{"StatisticValues.Minimum", in.Minimum, &out.Minimum},
		{"StatisticValues.Maximum", in.Maximum, &out.Maximum},
	} {
		if m.in == nil {
			d.addMissing(d.path(m.name))
			continue
		}
		*m.out = *m.in
		if !validNumber(*m.in) {
			d.addNumber(d.path(m.name), *m.in)
		}
	}
	if in.SampleCount != nil && out.SampleCount <= 0 {
		d.addValue("The parameter %s must be greater than 0.", d.path("StatisticValues.SampleCount"))
	}
	if out.Maximum < out.Minimum {
		d.addValue("The parameter %s must be greater than %s.",
			d.path("StatisticValues.Maximum"), d.path("StatisticValues.Minimum"))
	}
	return out
}

// values returns the distinct values in order, with the counts that belong to them.
func (d *datumDecoder) values(values, counts []float64) (distinct, weights []float64) {
	switch {
	case len(counts) > 0 && len(counts) != len(values):
		d.addValue("The parameters %s and %s must be of the same size.", d.path("Values"), d.path("Counts"))
		return nil, nil
	case len(values) > maxValues:
		d.addValue("The collection %s must not have a size greater than %d.", d.path("Values"), maxValues)
		return nil, nil
	}
	samples := make([]sample, len(values))
	for i, v := range values {
		count := 1.0
		if len(counts) > 0 {
			count = counts[i]
		}
		if !validNumber(v) {
			d.addNumber(d.path("Values.member."+strconv.Itoa(i+1)), v)
		}
		if !validNumber(count) || count < 0 {
			d.addNumber(d.path("Counts.member."+strconv.Itoa(i+1)), count)
		}
		samples[i] = sample{v, count}
	}
	slices.SortFunc(samples, func(a, b sample) int { return cmp.Compare(a.value, b.value) })
	distinct = make([]float64, 0, len(samples))
	weights = make([]float64, 0, len(samples))
	for _, s := range samples {
		if n := len(distinct); n > 0 && distinct[n-1] == s.value {
			weights[n-1] += s.count
			continue
		}
		distinct, weights = append(distinct, s.value), append(weights, s.count)
	}
	return distinct, weights
}

type sample struct{ value, count float64 }
