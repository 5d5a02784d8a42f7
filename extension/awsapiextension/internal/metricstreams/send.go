// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package metricstreams

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"time"

	"github.com/google/uuid"
	"go.uber.org/zap"

	"github.com/nephoscope/nephoscope/pkg/metricstream"
)

const (
	requestTimeout = 30 * time.Second
	// pointsPerRecord keeps records below what Firehose takes.
	pointsPerRecord = 250
	// maxAnswer bounds what is read of a destination's answer.
	maxAnswer = 64 << 10
)

// delivery is a request of Firehose to an HTTP endpoint.
type delivery struct {
	RequestID string   `json:"requestId"`
	Timestamp int64    `json:"timestamp"` // Unix milliseconds
	Records   []record `json:"records"`
}

type record struct {
	Data []byte `json:"data"` // base64 in JSON
}

// answer is what a destination must say: the request's id.
type answer struct {
	RequestID    string `json:"requestId"`
	ErrorMessage string `json:"errorMessage"`
}

// send delivers points in one request.
func (s *Service) send(ctx context.Context, to Destination, r *row, points []metricstream.Point) error {
	format := metricstream.Format(r.Format)
	points = s.deliverable(r, format, points)
	if len(points) == 0 {
		return nil
	}
	d := delivery{RequestID: uuid.NewString(), Timestamp: s.set.Now().UnixMilli()}
	for len(points) > 0 {
		n := min(len(points), pointsPerRecord)
		data, err := metricstream.Append(nil, format, points[:n])
		if err != nil {
			return fmt.Errorf("encode: %w", err)
		}
		d.Records = append(d.Records, record{data})
		points = points[n:]
	}
	body, err := json.Marshal(d)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to.URL, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Amz-Firehose-Protocol-Version", "1.0")
	req.Header.Set("X-Amz-Firehose-Request-Id", d.RequestID)
	req.Header.Set("X-Amz-Firehose-Source-Arn", r.Firehose)
	if to.AccessKey != "" {
		req.Header.Set("X-Amz-Firehose-Access-Key", to.AccessKey)
	}
	resp, err := s.set.Client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }() // there is nothing to be done
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	var a answer
	err = json.Unmarshal(text, &a)
	switch {
	case resp.StatusCode != http.StatusOK:
		return fmt.Errorf("the destination answered %s: %q", resp.Status, a.ErrorMessage)
	case err != nil:
		return fmt.Errorf("the destination's answer is not Firehose's: %w", err)
	case a.RequestID != d.RequestID:
		return fmt.Errorf("the destination answered the request %q, not %q", a.RequestID, d.RequestID)
	}
	return nil
}

// deliverable leaves out what a format cannot say: the OpenTelemetry formats count whole samples.
func (s *Service) deliverable(r *row, format metricstream.Format, points []metricstream.Point) []metricstream.Point {
	kept := points[:0]
	for _, p := range points {
		if p.SampleCount <= 0 || format != metricstream.FormatJSON && p.SampleCount != math.Trunc(p.SampleCount) {
			s.set.Logger.Warn("a point with a broken number of samples is not delivered",
				zap.String("stream", r.Name), zap.String("metric", p.Metric.Name), zap.Float64("samples", p.SampleCount))
			continue
		}
		kept = append(kept, p)
	}
	return kept
}
