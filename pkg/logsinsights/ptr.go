// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logsinsights

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash/crc32"

	"github.com/nephoscope/nephoscope/internal/store"
)

// Pointer names one log event forever: what @ptr holds.
type Pointer struct {
	store.LogPosition
	Account string
	Group   string
}

const pointerVersion = 1

// errPointer is the error of [ParsePtr].
var errPointer = errors.New("not a log record pointer")

func pointerTo(rec *store.LogRecord, account string) Pointer {
	return Pointer{
		LogPosition: store.LogPosition{Timestamp: rec.Timestamp, Ingested: rec.Ingested, Seq: rec.Seq},
		Account:     account,
		Group:       rec.Group,
	}
}

// String is the text of @ptr.
func (p Pointer) String() string {
	b := make([]byte, 0, 48+len(p.Group))
	b = append(b, pointerVersion)
	b = binary.AppendVarint(b, p.Timestamp)
	b = binary.AppendVarint(b, p.Ingested)
	b = binary.AppendVarint(b, p.Seq)
	b = binary.AppendUvarint(b, uint64(len(p.Account)))
	b = append(b, p.Account...)
	b = append(b, p.Group...)
	b = binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	return base64.StdEncoding.EncodeToString(b)
}

// ParsePtr reads the text of @ptr.
func ParsePtr(s string) (Pointer, error) {
	if len(s) > 4096 {
		return Pointer{}, errPointer
	}
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil || len(b) < 9 || b[0] != pointerVersion {
		return Pointer{}, errPointer
	}
	body := b[:len(b)-4]
	if crc32.ChecksumIEEE(body) != binary.LittleEndian.Uint32(b[len(b)-4:]) {
		return Pointer{}, errPointer
	}
	body = body[1:]
	var p Pointer
	for _, field := range []*int64{&p.Timestamp, &p.Ingested, &p.Seq} {
		v, n := binary.Varint(body)
		if n <= 0 {
			return Pointer{}, errPointer
		}
		*field = v
		body = body[n:]
	}
	size, n := binary.Uvarint(body)
	if n <= 0 || size > uint64(len(body)-n) {
		return Pointer{}, errPointer
	}
	body = body[n:]
	p.Account, p.Group = string(body[:size]), string(body[size:])
	if p.String() != s {
		return Pointer{}, errPointer
	}
	return p, nil
}
