// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package widgetimage

import (
	"encoding/hex"
	"image/color"
)

// theme has the colors that are not of the data.
type theme struct {
	background, text, faint, grid, axis, band rgba
}

func opaque(n uint32) rgba {
	return color.NRGBA{R: uint8(n >> 16), G: uint8(n >> 8), B: uint8(n), A: 0xff}
}

var (
	lightTheme = &theme{
		background: opaque(0xffffff), text: opaque(0x16191f), faint: opaque(0x545b64),
		grid: opaque(0xe3e8e8), axis: opaque(0x95a5a6), band: opaque(0xbec3c4),
	}
	darkTheme = &theme{
		background: opaque(0x0f1b2a), text: opaque(0xd1d5db), faint: opaque(0x9ba7b6),
		grid: opaque(0x263445), axis: opaque(0x5f6b7a), band: opaque(0x4a5a6d),
	}
)

// palette has the colors of series that name none, in the order in which they are given out.
var palette = []rgba{
	opaque(0x1f77b4), opaque(0xff7f0e), opaque(0x2ca02c), opaque(0xd62728), opaque(0x9467bd), opaque(0x8c564b),
	opaque(0xe377c2), opaque(0x7f7f7f), opaque(0xbcbd22), opaque(0xdbdb8d), opaque(0x17becf), opaque(0x9edae5),
	opaque(0xaec7e8), opaque(0xffbb78), opaque(0x98df8a), opaque(0xff9896), opaque(0xc5b0d5), opaque(0xc49c94),
	opaque(0xf7b6d2), opaque(0xc7c7c7),
}

// Colors of alarms.
var (
	colorThreshold = opaque(0xd62728)
	colorWarning   = opaque(0xff9900)
	stateColors    = map[string]rgba{
		"OK":                opaque(0x1d8102),
		"ALARM":             opaque(0xd13212),
		"INSUFFICIENT_DATA": opaque(0x879596),
	}
)

// Opacities of what is filled.
const (
	alphaStack      = 0xb0
	alphaBand       = 0x70
	alphaAnnotation = 0x26
	alphaSparkline  = 0x30
)

func withAlpha(c rgba, alpha uint8) rgba {
	c.A = alpha
	return c
}

// parseColor reads #rrggbb.
func parseColor(s string) (rgba, bool) {
	if len(s) != 7 || s[0] != '#' {
		return rgba{}, false
	}
	b, err := hex.DecodeString(s[1:])
	if err != nil {
		return rgba{}, false
	}
	return color.NRGBA{R: b[0], G: b[1], B: b[2], A: 0xff}, true
}
