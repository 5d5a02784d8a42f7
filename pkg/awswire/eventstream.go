// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awswire

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
)

// The limits of a message of the event-stream encoding.
const (
	maxEventHeaders = 128 << 10
	maxEventPayload = 24 << 20
)

// EventHeader is a header of an event-stream message. All headers of the services here are strings.
type EventHeader struct {
	Name, Value string
}

const eventHeaderString = 7

// AppendEvent appends one message of application/vnd.amazon.eventstream: lengths, a checksum of them, headers,
// payload, and a checksum of everything.
func AppendEvent(dst []byte, headers []EventHeader, payload []byte) ([]byte, error) {
	start := len(dst)
	dst = append(dst, make([]byte, 12)...)
	for _, h := range headers {
		if len(h.Name) == 0 || len(h.Name) > math.MaxUint8 || len(h.Value) > math.MaxInt16 {
			return nil, errors.New("event header " + h.Name + " is too long")
		}
		dst = append(dst, byte(len(h.Name)))
		dst = append(dst, h.Name...)
		dst = append(dst, eventHeaderString)
		dst = binary.BigEndian.AppendUint16(dst, uint16(len(h.Value)))
		dst = append(dst, h.Value...)
	}
	headersLen := len(dst) - start - 12
	if headersLen > maxEventHeaders || len(payload) > maxEventPayload {
		return nil, errors.New("event is too long")
	}
	dst = append(dst, payload...)
	prelude := dst[start : start+12]
	binary.BigEndian.PutUint32(prelude, uint32(len(dst)-start+4))
	binary.BigEndian.PutUint32(prelude[4:], uint32(headersLen))
	binary.BigEndian.PutUint32(prelude[8:], crc32.ChecksumIEEE(prelude[:8]))
	return binary.BigEndian.AppendUint32(dst, crc32.ChecksumIEEE(dst[start:])), nil
}
