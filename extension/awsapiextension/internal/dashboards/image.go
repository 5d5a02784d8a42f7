// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package dashboards

import (
	"context"
	"fmt"
	"strings"

	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch"

	"github.com/nephoscope/nephoscope/pkg/awswire"
	"github.com/nephoscope/nephoscope/pkg/dashboard"
	"github.com/nephoscope/nephoscope/pkg/widgetimage"
)

// maxWidget bounds the definition of an image in bytes.
const maxWidget = 100 << 10

// The formats of an image: in a structure, or by itself.
const (
	formatPNG   = "png"
	formatImage = "image/png"
)

func (s *Service) getMetricWidgetImage(ctx context.Context, in *cw.GetMetricWidgetImageInput) (*cw.GetMetricWidgetImageOutput, error) {
	format := formatPNG
	if in.OutputFormat != nil {
		format = *in.OutputFormat
	}
	switch text := deref(in.MetricWidget); {
	case text == "":
		return nil, invalidWidget("The parameter MetricWidget is required.")
	case len(text) > maxWidget:
		return nil, invalidWidget("The parameter MetricWidget must not be longer than %d bytes.", maxWidget)
	case format != formatPNG && format != formatImage:
		return nil, invalidWidget("The parameter OutputFormat must be a value in the set [ %s, %s ].", formatPNG, formatImage)
	}
	w, err := dashboard.ParseMetricWidget(*in.MetricWidget)
	if err != nil {
		return nil, invalidWidget("%s", err.Error())
	}
	select {
	case s.drawing <- struct{}{}:
		defer func() { <-s.drawing }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	data, err := s.read(ctx, w)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil { // nobody waits for the picture
		return nil, err
	}
	raw, err := widgetimage.Render(w, data)
	if err != nil {
		return nil, invalidWidget("The parameter MetricWidget cannot be drawn: %s.", err.Error())
	}
	if format == formatImage {
		awswire.RequestFrom(ctx).AnswerWith(formatImage, raw)
	}
	return &cw.GetMetricWidgetImageOutput{MetricWidgetImage: raw}, nil
}

func invalidWidget(format string, args ...any) error {
	return &awswire.Error{Code: codeValidation, Message: fmt.Sprintf(format, args...)}
}

// read reads all that a widget shows.
func (s *Service) read(ctx context.Context, w *dashboard.MetricWidget) (*widgetimage.Data, error) {
	r, err := s.newReader(ctx, w)
	if err != nil {
		return nil, err
	}
	for i := range w.Rows {
		row := &w.Rows[i]
		region := row.Region
		if region == "" {
			region = r.request.Region
		}
		r.add(region, w.Rows[i])
	}
	data := &widgetimage.Data{Start: r.start, End: r.end}
	if w.Alarm != "" {
		if data.Alarm, err = r.addAlarm(w.Alarm); err != nil {
			return nil, err
		}
	}
	if err := r.checkSize(); err != nil {
		return nil, err
	}
	for _, g := range r.groups {
		if err := r.readGroup(ctx, g); err != nil {
			return nil, err
		}
	}
	if data.Series, err = r.series(ctx); err != nil {
		return nil, err
	}
	if len(data.Series) > widgetimage.MaxSeries {
		return nil, invalidWidget("The parameter MetricWidget asks for %d time series, more than the %d that an image can show.",
			len(data.Series), widgetimage.MaxSeries)
	}
	return data, nil
}

// isBand is whether an expression is a band of two edges.
func isBand(expression string) bool {
	return strings.HasPrefix(strings.TrimSpace(expression), "ANOMALY_DETECTION_BAND(")
}
