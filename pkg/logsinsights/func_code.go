// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logsinsights

import (
	"crypto/md5" //nolint:gosec // md5 is a function of the query language
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"strings"
	"unicode/utf8"
)

// codeFunctions hash and change the coding of texts.
var codeFunctions = map[string]function{
	"md5": {spelling: "md5", min: 1, max: 1, eval: text1(func(s string) value {
		sum := md5.Sum([]byte(s)) //nolint:gosec // see the import
		return textValue(hex.EncodeToString(sum[:]))
	})},
	"sha256": {spelling: "sha256", min: 1, max: 1, eval: text1(func(s string) value {
		sum := sha256.Sum256([]byte(s))
		return textValue(hex.EncodeToString(sum[:]))
	})},
	"base64encode": {spelling: "base64encode", min: 1, max: 1, eval: text1(func(s string) value {
		return textValue(base64.StdEncoding.EncodeToString([]byte(s)))
	})},
	"base64decode": {spelling: "base64decode", min: 1, max: 1, eval: text1(func(s string) value {
		b, err := base64.StdEncoding.DecodeString(s)
		return validText(b, err)
	})},
	"hextoascii": {spelling: "hexToAscii", min: 1, max: 1, eval: text1(func(s string) value {
		b, err := hex.DecodeString(trimHexPrefix(s))
		return validText(b, err)
	})},
	"hextodec": {spelling: "hexToDec", min: 1, max: 1, eval: text1(func(s string) value {
		n, err := strconv.ParseInt(trimHexPrefix(s), 16, 64)
		if err != nil {
			return value{}
		}
		return value{kind: number, num: float64(n), str: strconv.FormatInt(n, 10)}
	})},
	"dectohex": {spelling: "decToHex", min: 1, max: 1, eval: func(_ *env, a []value) value {
		f, ok := a[0].asNumber()
		n := int64(f)
		if !ok || float64(n) != f {
			return value{}
		}
		if n < 0 {
			return textValue("-0x" + strconv.FormatInt(-n, 16))
		}
		return textValue("0x" + strconv.FormatInt(n, 16))
	}},
}

func validText(b []byte, err error) value {
	if err != nil || !utf8.Valid(b) {
		return value{}
	}
	return textValue(string(b))
}

func trimHexPrefix(s string) string {
	if len(s) > 2 && s[0] == '0' && s[1]|0x20 == 'x' {
		return s[2:]
	}
	return strings.TrimSpace(s)
}
