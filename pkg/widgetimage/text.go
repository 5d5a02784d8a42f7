// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package widgetimage

import (
	"image"
	"image/draw"
	"sync"
	"unicode/utf8"

	"codeberg.org/go-fonts/liberation/liberationsansbold"
	"codeberg.org/go-fonts/liberation/liberationsansregular"
	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// fontKind is one of the fonts of an image.
type fontKind int

const (
	fontAxis fontKind = iota
	fontLegend
	fontTitle
	fontValueSmall
	fontValue
	fontValueLarge
	fontCount
)

var fontSizes = [fontCount]struct {
	size float64
	bold bool
}{
	fontAxis:       {11, false},
	fontLegend:     {12, false},
	fontTitle:      {14, true},
	fontValueSmall: {18, false},
	fontValue:      {28, false},
	fontValueLarge: {44, false},
}

// parsedFonts parses the embedded fonts once.
var parsedFonts = sync.OnceValues(func() (regular, bold *opentype.Font) {
	parse := func(ttf []byte) *opentype.Font {
		f, err := opentype.Parse(ttf)
		if err != nil {
			panic(err) // the font is a part of the program
		}
		return f
	}
	return parse(liberationsansregular.TTF), parse(liberationsansbold.TTF)
})

// typeface is a font in one size, for one image.
type typeface struct {
	face   font.Face
	widths map[rune]fixed.Int26_6
}

func (c *canvas) typeface(k fontKind) *typeface {
	if c.fonts[k] == nil {
		regular, bold := parsedFonts()
		f := regular
		if fontSizes[k].bold {
			f = bold
		}
		face, err := opentype.NewFace(f, &opentype.FaceOptions{Size: fontSizes[k].size, DPI: 72, Hinting: font.HintingNone})
		if err != nil {
			panic(err) // the options are right
		}
		c.fonts[k] = &typeface{face: face, widths: map[rune]fixed.Int26_6{}}
	}
	return c.fonts[k]
}

// textWidth is how wide a text is in pixels.
func (c *canvas) textWidth(s string, k fontKind) float64 {
	t := c.typeface(k)
	sum := fixed.Int26_6(0)
	for _, r := range s {
		sum += t.width(r)
	}
	return float64(sum) / 64
}

func (t *typeface) width(r rune) fixed.Int26_6 {
	w, ok := t.widths[r]
	if !ok {
		w, _ = t.face.GlyphAdvance(r)
		t.widths[r] = w
	}
	return w
}

// text draws a text from a point on its baseline.
func (c *canvas) text(x, y float64, s string, k fontKind, col rgba) {
	// Glyphs are set one by one: the kerning of the font is for larger sizes, and textWidth knows none.
	t := c.typeface(k)
	at := fixed.Point26_6{X: fixed.Int26_6(x * 64), Y: fixed.Int26_6(y * 64)}
	src := image.NewUniform(col)
	for _, r := range s {
		if box, mask, from, _, ok := t.face.Glyph(at, r); ok {
			draw.DrawMask(c.img, box, src, image.Point{}, mask, from, draw.Over)
		}
		at.X += t.width(r)
	}
}

// alignment is the part of a text that lies left of where it is put.
type alignment float64

const (
	alignCenter alignment = 0.5
	alignRight  alignment = 1
)

func (c *canvas) textAligned(x, y float64, s string, k fontKind, col rgba, a alignment) {
	c.text(x-c.textWidth(s, k)*float64(a), y, s, k, col)
}

const maxText = 500

// ellipsis shortens a text to a width.
func (c *canvas) ellipsis(s string, k fontKind, width float64) string {
	if len(s) > maxText {
		n := maxText
		for !utf8.RuneStart(s[n]) {
			n--
		}
		s = s[:n]
	}
	if c.textWidth(s, k) <= width {
		return s
	}
	t := c.typeface(k)
	left := fixed.Int26_6(width*64) - t.width('…')
	for i, r := range s {
		if left -= t.width(r); left < 0 {
			if i == 0 {
				return ""
			}
			return s[:i] + "…"
		}
	}
	return s
}
