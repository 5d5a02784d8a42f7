// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logs

import (
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"

	"github.com/nephoscope/nephoscope/internal/store"
)

// positionDigits is the length of a position as digits: 15 of the timestamp, 15 of the time of ingestion, 20 of the
// sequence number. Positions compare as their digits do.
const positionDigits = 15 + 15 + 20

func digitsOf(p store.LogPosition) string {
	return fmt.Sprintf("%015d%015d%020d", p.Timestamp, p.Ingested, p.Seq)
}

func parseDigits(s string) (p store.LogPosition, ok bool) {
	if len(s) != positionDigits {
		return p, false
	}
	for _, part := range []struct {
		to   *int64
		text string
	}{{&p.Timestamp, s[:15]}, {&p.Ingested, s[15:30]}, {&p.Seq, s[30:]}} {
		n, err := strconv.ParseUint(part.text, 10, 63)
		if err != nil {
			return p, false
		}
		*part.to = int64(n)
	}
	return p, true
}

// eventID names an event for ever, in 56 digits that sort like events do.
func eventID(p store.LogPosition) string {
	return "000000" + digitsOf(p)
}

// eventToken is a token of GetLogEvents: a direction, and 56 digits of position and checksum. The checksum tells a
// token of another stream, or one that was never made here.
func eventToken(direction byte, p store.LogPosition, scope string) string {
	digits := digitsOf(p)
	return string(direction) + "/" + digits + checksum(digits, scope)
}

// parseEventToken reads a token of GetLogEvents. AWS's own have an optional suffix "/s".
func parseEventToken(token, scope string) (direction byte, p store.LogPosition, ok bool) {
	token = strings.TrimSuffix(token, "/s")
	if len(token) != 2+positionDigits+6 || token[1] != '/' || token[0] != 'f' && token[0] != 'b' {
		return 0, p, false
	}
	digits := token[2 : 2+positionDigits]
	if token[2+positionDigits:] != checksum(digits, scope) {
		return 0, p, false
	}
	p, ok = parseDigits(digits)
	return token[0], p, ok
}

func checksum(digits, scope string) string {
	return fmt.Sprintf("%06d", crc32.ChecksumIEEE([]byte(scope+"\x00"+digits))%1_000_000)
}

func positionOf(r *store.LogRecord) store.LogPosition {
	return store.LogPosition{Timestamp: r.Timestamp, Ingested: r.Ingested, Seq: r.Seq}
}
