// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package metricstreams

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
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

// send delivers points in one request, and reports whether there were any.
func (s *Service) send(ctx context.Context, to Destination, r *row, points []metricstream.Point) (bool, error) {
	d := delivery{RequestID: uuid.NewString(), Timestamp: s.set.Now().UnixMilli()}
	left := 0
	for n := pointsPerRecord; len(points) > 0; {
		n = min(n, len(points))
		data, err := metricstream.Append(nil, metricstream.Format(r.Format), points[:n])
		var bad *metricstream.Error
		switch {
		case errors.As(err, &bad) && bad.Point < n:
			// It will never be deliverable, and must not hold up the others.
			if left++; left == 1 {
				s.set.Logger.Warn("points that the format cannot say are not delivered, among them one", zap.String("stream", r.Name),
					zap.String("metric", points[bad.Point].Metric.Name), zap.Error(bad.Err))
			}
			points = slices.Delete(points, bad.Point, bad.Point+1)
			continue
		case err != nil:
			return false, fmt.Errorf("encode: %w", err)
		case len(data) > metricstream.MaxRecordBytes && n > 1:
			n /= 2
			continue
		}
		d.Records = append(d.Records, record{data})
		points, n = points[n:], pointsPerRecord
	}
	if len(d.Records) == 0 {
		return false, nil
	}
	return true, s.post(ctx, to, r, &d)
}

// post is a request of Firehose.
func (s *Service) post(ctx context.Context, to Destination, r *row, d *delivery) error {
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
