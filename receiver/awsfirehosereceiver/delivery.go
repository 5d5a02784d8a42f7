// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsfirehosereceiver

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/nephoscope/nephoscope/pkg/metricstream"
)

// What Firehose sends along with a delivery.
const (
	headerRequestID = "X-Amz-Firehose-Request-Id"
	headerVersion   = "X-Amz-Firehose-Protocol-Version"
	headerAccessKey = "X-Amz-Firehose-Access-Key"
	protocolVersion = "1.0"
	// maxBodyBytes is the size of the largest request that Firehose makes.
	maxBodyBytes = 64 << 20
	// maxRecords bounds the records of a request; Firehose delivers at most this many.
	maxRecords = 10_000
)

// delivery is the body of a request.
type delivery struct {
	RequestID string   `json:"requestId"`
	Timestamp int64    `json:"timestamp"`
	Records   []record `json:"records"`
}

type record struct {
	// Data is base64 in JSON.
	Data []byte `json:"data"`
}

// answer is the body of a response. Firehose takes a delivery for done only when its id is that of the request.
type answer struct {
	RequestID string `json:"requestId"`
	Timestamp int64  `json:"timestamp"`
	// ErrorMessage is logged by Firehose.
	ErrorMessage string `json:"errorMessage,omitempty"`
}

// refusal is why a request is refused, and with which status.
type refusal struct {
	status int
	reason string // of the counter
	err    error
}

func (r *refusal) Error() string { return r.err.Error() }

func refuse(status int, reason, format string, args ...any) error {
	return &refusal{status, reason, fmt.Errorf(format, args...)}
}

// readDelivery reads a request's body.
func readDelivery(r *http.Request, id string) (*delivery, error) {
	var d delivery
	decoder := json.NewDecoder(r.Body)
	err := decoder.Decode(&d)
	if err == nil {
		if _, more := decoder.Token(); !errors.Is(more, io.EOF) {
			err = errors.Join(errors.New("something follows the object"), more)
		}
	}
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return nil, refuse(http.StatusRequestEntityTooLarge, "too_large", "the body has more than %d bytes", tooLarge.Limit)
		}
		return nil, refuse(http.StatusBadRequest, "invalid", "the body is not a delivery of Firehose: %w", err)
	}
	switch {
	case d.RequestID == "" || d.RequestID != id:
		return nil, refuse(http.StatusBadRequest, "invalid", "requestId is %q, and the header %s %q", d.RequestID, headerRequestID, id)
	case len(d.Records) > maxRecords:
		return nil, refuse(http.StatusRequestEntityTooLarge, "too_large", "%d records, the limit is %d", len(d.Records), maxRecords)
	}
	return &d, nil
}

// points are those of all records. A record that cannot be read refuses the whole delivery, which Firehose then keeps in
// its backup bucket.
func (d *delivery) points(f metricstream.Format) ([]metricstream.Point, error) {
	var all []metricstream.Point
	for i := range d.Records {
		points, err := metricstream.Decode(f, d.Records[i].Data)
		if err != nil {
			return nil, refuse(http.StatusBadRequest, "invalid", "records[%d]: %w", i, err)
		}
		all = append(all, points...)
	}
	return all, nil
}
