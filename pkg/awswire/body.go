// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awswire

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
)

// maxPooled is the largest buffer that is kept for the next request.
const maxPooled = 4 << 20 // a whole page of GetMetricData in JSON has 2.7 MB

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func putBuffer(b *bytes.Buffer) {
	if b.Cap() > maxPooled {
		return
	}
	b.Reset()
	buffers.Put(b)
}

var gzipReaders sync.Pool

func tooLarge() *Error {
	return &Error{
		Code: "RequestEntityTooLargeException", Message: "Request size exceeds the limit.",
		Status: http.StatusRequestEntityTooLarge,
	}
}

// readBody reads at most limit bytes into buf.
func readBody(w http.ResponseWriter, r *http.Request, limit int64, buf *bytes.Buffer) error {
	if r.ContentLength > limit {
		return tooLarge()
	}
	if r.Body == nil || r.ContentLength == 0 {
		return nil
	}
	// A client that announces much and sends nothing gets little memory.
	buf.Grow(int(min(max(r.ContentLength, 0), 64<<10)) + bytes.MinRead)
	_, err := buf.ReadFrom(http.MaxBytesReader(w, r.Body, limit))
	var tooMuch *http.MaxBytesError
	switch {
	case errors.As(err, &tooMuch):
		return tooLarge()
	case err != nil:
		return &Error{Code: "IncompleteBody", Message: "The request body ended too early.", Status: http.StatusBadRequest}
	}
	return nil
}

// inflate undoes Content-Encoding, of which only gzip is known, into buf. What it makes is bounded by limit, however
// well the body was compressed.
func inflate(encoding string, body []byte, limit int64, buf *bytes.Buffer) ([]byte, error) {
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "", "identity":
		return body, nil
	case "gzip":
	default:
		return nil, &Error{
			Code: "UnsupportedMediaTypeException", Status: http.StatusUnsupportedMediaType,
			Message: "Content-Encoding " + clip([]byte(encoding)) + " is not supported.",
		}
	}
	invalid := malformed("Request body is not valid gzip")
	src := bytes.NewReader(body)
	z, _ := gzipReaders.Get().(*gzip.Reader)
	if z == nil {
		z = new(gzip.Reader)
	}
	defer gzipReaders.Put(z)
	if err := z.Reset(src); err != nil {
		return nil, serializationError(invalid)
	}
	n, err := buf.ReadFrom(io.LimitReader(z, limit+1))
	switch {
	case err != nil:
		return nil, serializationError(invalid)
	case n > limit:
		return nil, tooLarge()
	}
	return buf.Bytes(), nil
}
