// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"encoding/binary"
	"strings"
	"time"
)

// The reasons of alarms and their data are long and much alike, and every alarm has one: they are kept in a short form,
// in which phrases are one byte and times are a few. Any text comes back as it was.

// Bytes with a meaning of their own: those below the space, which printable text has none of.
const (
	textEscape  = 0x00 // the next byte stands for itself
	textInstant = 0x01 // six bytes: milliseconds
	textDate    = 0x02 // four bytes: seconds
	textLater   = 0x03 // an instant that is so many times ten seconds, one signed byte, after the one before
	textNext    = 0x04 // a date, likewise
	textPhrases = 0x05 // the first phrase
)

const (
	instantLayout = "2006-01-02T15:04:05.000+0000"
	dateLayout    = "02/01/06 15:04:05"
)

// textPhrase are the phrases; the byte of the first is textPhrases, and there is room for 27 below the space. Longer ones
// come before their beginnings.
var textPhrase = [...]string{
	`{"version":"1.0","queryDate":"`,
	`","startDate":"`,
	`","statistic":"`,
	`","period":`,
	`,"recentDatapoints":[`,
	`],"threshold":`,
	`,"evaluatedDatapoints":[{"timestamp":"`,
	`","sampleCount":1.0,"value":`,
	`","sampleCount":`,
	`,"value":`,
	`},{"timestamp":"`,
	`"},{"timestamp":"`,
	`"}]}`,
	`}]}`,
	`null`,
	`Threshold Crossed: `,
	`. The most recent datapoint`,
	` which crossed the threshold: [`,
	` datapoints were `,
	` datapoint`,
	` out of the last `,
	`)] was `,
	`)] were `,
	`greater than `,
	`less than `,
	`or equal to `,
	`the threshold (`,
}

// isCode reports whether a byte has a meaning of its own.
func isCode(b byte) bool { return b < ' ' }

// phrasesOf has, by first byte, the places of the phrases that begin with it.
var phrasesOf = func() (of [256][]int) {
	for i, p := range textPhrase {
		of[p[0]] = append(of[p[0]], i)
	}
	return of
}()

// packTexts is a reason and its data in the short form.
func packTexts(reason, data string) string {
	if reason == InitialReason && data == "" {
		return packedInitial
	}
	buf := appendPacked(make([]byte, binary.MaxVarintLen64, 512), reason)
	n := len(buf) - binary.MaxVarintLen64
	buf = appendPacked(buf, data)
	// The length of the first goes right in front of it.
	var length [binary.MaxVarintLen64]byte
	used := binary.PutUvarint(length[:], uint64(n))
	start := binary.MaxVarintLen64 - used
	copy(buf[start:], length[:used])
	return string(buf[start:])
}

var packedInitial = string(append([]byte{byte(len(InitialReason))}, InitialReason...))

func unpackTexts(packed string) (reason, data string) {
	if packed == packedInitial {
		return InitialReason, ""
	}
	n, used := binary.Uvarint([]byte(packed[:min(len(packed), binary.MaxVarintLen64)]))
	if used <= 0 || uint64(len(packed)-used) < n {
		return "", "" // nothing was packed
	}
	packed = packed[used:]
	return unpack(packed[:n]), unpack(packed[n:])
}

// textTimes are the last times in a text: those that follow are not far from them.
type textTimes struct{ instant, date int64 }

// textStep is what differences of times are counted in, in seconds.
const textStep = 10

func appendPacked(dst []byte, s string) []byte {
	var last textTimes
	for s != "" {
		if isDigit(s[0]) {
			if n := 0; last.appendTime(&dst, s, &n) {
				s = s[n:]
				continue
			}
		}
		if i := phraseAt(s); i >= 0 {
			dst = append(dst, byte(textPhrases+i))
			s = s[len(textPhrase[i]):]
			continue
		}
		if isCode(s[0]) {
			dst = append(dst, textEscape)
		}
		dst = append(dst, s[0])
		s = s[1:]
	}
	return dst
}

func phraseAt(s string) int {
	for _, i := range phrasesOf[s[0]] {
		if strings.HasPrefix(s, textPhrase[i]) {
			return i
		}
	}
	return -1
}

// appendTime packs the time at the start of s, if there is one that is written in the way in which it will be written.
func (last *textTimes) appendTime(dst *[]byte, s string, n *int) bool {
	if ms, ok := parseInstant(s); ok {
		*n = len(instantLayout)
		if steps, small := smallSteps(ms-last.instant, textStep*1000); small {
			*dst = append(*dst, textLater, steps)
		} else {
			*dst = append(*dst, textInstant, byte(ms>>40), byte(ms>>32), byte(ms>>24), byte(ms>>16), byte(ms>>8), byte(ms))
		}
		last.instant = ms
		return true
	}
	secs, ok := parseDate(s)
	if !ok {
		return false
	}
	*n = len(dateLayout)
	if steps, small := smallSteps(secs-last.date, textStep); small {
		*dst = append(*dst, textNext, steps)
	} else {
		*dst = binary.BigEndian.AppendUint32(append(*dst, textDate), uint32(secs))
	}
	last.date = secs
	return true
}

func smallSteps(difference, step int64) (steps byte, ok bool) {
	n := difference / step
	return byte(int8(n)), difference%step == 0 && int64(int8(n)) == n
}

func isDigit(b byte) bool { return b-'0' <= 9 }

// number reads two digits; what are none make it negative.
func number(s string, at int) int {
	if !isDigit(s[at]) || !isDigit(s[at+1]) {
		return -1 << 20
	}
	return int(s[at]-'0')*10 + int(s[at+1]-'0')
}

// parseInstant reads the milliseconds of yyyy-MM-ddTHH:mm:ss.SSS+0000, from 1970 to 9999.
func parseInstant(s string) (int64, bool) {
	if len(s) < len(instantLayout) || s[4] != '-' || s[7] != '-' || s[10] != 'T' || s[19] != '.' || s[23:28] != "+0000" {
		return 0, false
	}
	secs, ok := unixOf(number(s, 0)*100+number(s, 2), number(s, 5), number(s, 8), s[11:19])
	milli := number(s, 20)*10 + int(s[22]-'0')
	return secs*1000 + int64(milli), ok && milli >= 0 && isDigit(s[22])
}

// parseDate reads the seconds of dd/MM/yy HH:mm:ss, from 2000 to 2068.
func parseDate(s string) (int64, bool) {
	if len(s) < len(dateLayout) || s[2] != '/' || s[5] != '/' || s[8] != ' ' || number(s, 6) > 68 {
		return 0, false
	}
	return unixOf(2000+number(s, 6), number(s, 3), number(s, 0), s[9:17])
}

// unixOf is a time of the calendar; ok is false for what the calendar or the clock does not have.
func unixOf(year, month, day int, clock string) (secs int64, ok bool) {
	hour, minute, second := number(clock, 0), number(clock, 3), number(clock, 6)
	if clock[2] != ':' || clock[5] != ':' || year < 1970 || month < 1 || month > 12 || day < 1 || hour < 0 || hour > 23 ||
		minute < 0 || minute > 59 || second < 0 || second > 59 {
		return 0, false
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, 0, time.UTC)
	return t.Unix(), t.Day() == day
}

func unpack(packed string) string {
	if packed == "" {
		return ""
	}
	var b strings.Builder
	b.Grow(4 * len(packed))
	var last textTimes
	var buf [len(instantLayout)]byte
	for i := 0; i < len(packed); i++ {
		switch c := packed[i]; {
		case !isCode(c):
			b.WriteByte(c)
		case c == textEscape:
			i++
			b.WriteByte(packed[i])
		case c < textPhrases:
			b.Write(last.unpack(buf[:0], c, packed[i+1:]))
			i += textLengths[c]
		default:
			b.WriteString(textPhrase[c-textPhrases])
		}
	}
	return b.String()
}

// textLengths are how many bytes follow the codes of times.
var textLengths = [textPhrases]int{textInstant: 6, textDate: 4, textLater: 1, textNext: 1}

func (last *textTimes) unpack(dst []byte, code byte, s string) []byte {
	value := int64(0)
	for _, v := range []byte(s[:textLengths[code]]) {
		value = value<<8 | int64(v)
	}
	switch code {
	case textInstant:
		last.instant = value
	case textLater:
		last.instant += int64(int8(value)) * textStep * 1000
	case textDate:
		last.date = value
	case textNext:
		last.date += int64(int8(value)) * textStep
	}
	if code == textInstant || code == textLater {
		return time.UnixMilli(last.instant).UTC().AppendFormat(dst, instantLayout)
	}
	return time.Unix(last.date, 0).UTC().AppendFormat(dst, dateLayout)
}
