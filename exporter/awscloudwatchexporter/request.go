// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awscloudwatchexporter

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/nephoscope/nephoscope/internal/awssession"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

const (
	// maxBody bounds a request's body as it is sent, which is compressed when that is worth it.
	maxBody = 1_000_000
	// maxPlain bounds what is compressed into a body, as a first guess: the body is measured.
	maxPlain = 4_000_000
	// maxRounds bounds how often a request is sent again without the data that were refused.
	maxRounds = 100
)

// requests splits data by namespace and by the limits of a call.
func (e *cloudWatchExporter) requests(list []outgoing) (requests [][]outgoing) {
	open := make(map[string]int) // the request of a namespace that has room, and its size
	sizes := make(map[string]int)
	for i := range list {
		d := &list[i]
		n, ok := open[d.Namespace]
		size := plainSize(&d.Datum)
		if !ok || len(requests[n]) == e.cfg.MaxDatumsPerCall || sizes[d.Namespace]+size > maxPlain {
			n = len(requests)
			open[d.Namespace], sizes[d.Namespace] = n, 0
			requests = append(requests, nil)
		}
		requests[n] = append(requests[n], *d)
		sizes[d.Namespace] += size
	}
	return requests
}

// plainSize is about how many bytes a datum takes.
func plainSize(d *cloudwatch.Datum) int {
	n := 80 + len(d.Name) + 18*len(d.Values)
	for _, dim := range d.Dimensions {
		n += 16 + len(dim.Name) + len(dim.Value)
	}
	return n
}

// send puts data of one namespace. What CloudWatch refuses for good is given up, and the rest sent again; failed is what may
// be tried later.
func (e *cloudWatchExporter) send(ctx context.Context, data []outgoing) (failed []outgoing, err error) {
	for range maxRounds {
		e.telemetry.ExporterAwscloudwatchRequests.Add(ctx, 1)
		_, err := e.client.PutMetricData(ctx, input(data))
		switch {
		case err == nil:
			return nil, nil
		case tooLarge(err) && len(data) == 1:
			e.giveUp(ctx, reasonTooLarge, data, err)
			return nil, nil
		case tooLarge(err):
			half := len(data) / 2
			first, err1 := e.send(ctx, slices.Clone(data[:half]))
			second, err2 := e.send(ctx, slices.Clone(data[half:]))
			return append(first, second...), errors.Join(err1, err2)
		case awssession.Passing(err):
			return data, fmt.Errorf("put metric data into namespace %q: %w", data[0].Namespace, err)
		}
		refused, rest := refusedData(err, data)
		e.giveUp(ctx, reasonRefused, refused, err)
		if data = rest; len(data) == 0 {
			return nil, nil
		}
	}
	e.giveUp(ctx, reasonRefused, data, errPermanent)
	return nil, nil
}

// dataPath is how messages name a datum, by its number from 1.
var dataPath = regexp.MustCompile(`(?i)\bMetricData\.(?:member\.)?(\d+)\b`)

// refusedData parts the data that a refusal names from the others. One that names none is of them all.
func refusedData(err error, data []outgoing) (refused, rest []outgoing) {
	named := make(map[int]bool)
	for _, m := range dataPath.FindAllStringSubmatch(err.Error(), -1) {
		if n, convErr := strconv.Atoi(m[1]); convErr == nil && n >= 1 && n <= len(data) {
			named[n-1] = true
		}
	}
	if len(named) == 0 {
		return data, nil
	}
	for i := range data {
		if named[i] {
			refused = append(refused, data[i])
		} else {
			rest = append(rest, data[i])
		}
	}
	return refused, rest
}

// input is the call's input.
func input(data []outgoing) *api.PutMetricDataInput {
	in := &api.PutMetricDataInput{Namespace: &data[0].Namespace, MetricData: make([]types.MetricDatum, len(data))}
	for i := range data {
		in.MetricData[i] = metricDatum(&data[i].Datum)
	}
	return in
}

func metricDatum(d *cloudwatch.Datum) types.MetricDatum {
	m := types.MetricDatum{
		MetricName: &d.Name, Timestamp: aws.Time(time.UnixMilli(d.TimestampMs).UTC()), Unit: types.StandardUnit(d.Unit),
	}
	if d.StorageResolution == 1 {
		m.StorageResolution = aws.Int32(1)
	}
	if len(d.Dimensions) > 0 {
		m.Dimensions = make([]types.Dimension, len(d.Dimensions))
		for i := range d.Dimensions {
			m.Dimensions[i] = types.Dimension{Name: &d.Dimensions[i].Name, Value: &d.Dimensions[i].Value}
		}
	}
	switch {
	case d.Statistics != nil:
		m.StatisticValues = &types.StatisticSet{
			SampleCount: &d.Statistics.SampleCount, Sum: &d.Statistics.Sum,
			Minimum: &d.Statistics.Minimum, Maximum: &d.Statistics.Maximum,
		}
	case d.Values != nil:
		m.Values, m.Counts = d.Values, d.Counts
	default:
		m.Value = &d.Value
	}
	return m
}

var errBody = fmt.Errorf("the body of the request is longer than %d bytes", maxBody)

func tooLarge(err error) bool {
	var response *smithyhttp.ResponseError
	return errors.Is(err, errBody) ||
		(errors.As(err, &response) && response.HTTPStatusCode() == http.StatusRequestEntityTooLarge)
}

// limitBody refuses a request that CloudWatch would refuse for its size, after compression.
func limitBody(stack *middleware.Stack) error {
	return stack.Serialize.Add(middleware.SerializeMiddlewareFunc("LimitBody", func(
		ctx context.Context, in middleware.SerializeInput, next middleware.SerializeHandler,
	) (middleware.SerializeOutput, middleware.Metadata, error) {
		if req, ok := in.Request.(*smithyhttp.Request); ok {
			if n, known, err := req.StreamLength(); err == nil && known && n > maxBody {
				return middleware.SerializeOutput{}, middleware.Metadata{}, errBody
			}
		}
		return next.HandleSerialize(ctx, in)
	}), middleware.After)
}
