// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package widgetimage

import (
	"image"
	"image/color"
	"math"

	"golang.org/x/image/vector"
)

// rgba is a color whose channels are not multiplied by its opacity.
type rgba = color.NRGBA

// point is a place in pixels; y grows downwards.
type point struct{ x, y float64 }

// rect is a part of the image.
type rect struct{ x0, y0, x1, y1 float64 }

func (r rect) width() float64  { return r.x1 - r.x0 }
func (r rect) height() float64 { return r.y1 - r.y0 }
func (r rect) empty() bool     { return r.x1 <= r.x0 || r.y1 <= r.y0 }
func (r rect) inset(d float64) rect {
	return rect{r.x0 + d, r.y0 + d, r.x1 - d, r.y1 - d}
}

func (r rect) intersect(o rect) rect {
	return rect{max(r.x0, o.x0), max(r.y0, o.y0), min(r.x1, o.x1), min(r.y1, o.y1)}
}

// canvas is an image that is drawn to.
type canvas struct {
	img    *image.RGBA
	raster vector.Rasterizer
	fonts  [fontCount]*typeface
}

func newCanvas(width, height int) *canvas {
	return &canvas{img: image.NewRGBA(image.Rect(0, 0, width, height))}
}

func (c *canvas) bounds() rect {
	b := c.img.Bounds()
	return rect{0, 0, float64(b.Dx()), float64(b.Dy())}
}

// fillRect fills a rectangle whose edges lie between pixels.
func (c *canvas) fillRect(r rect, col rgba) {
	r = rect{math.Round(r.x0), math.Round(r.y0), math.Round(r.x1), math.Round(r.y1)}
	c.fill(c.bounds(), col, []point{{r.x0, r.y0}, {r.x1, r.y0}, {r.x1, r.y1}, {r.x0, r.y1}})
}

// horizontal draws a line of one pixel.
func (c *canvas) horizontal(x0, x1, y float64, col rgba) {
	y = math.Floor(y)
	c.fillRect(rect{x0, y, x1, y + 1}, col)
}

// vertical draws a line of one pixel.
func (c *canvas) vertical(x, y0, y1 float64, col rgba) {
	x = math.Floor(x)
	c.fillRect(rect{x, y0, x + 1, y1}, col)
}

// fill fills polygons, clipped. Where polygons of the same sense overlap they are filled once.
func (c *canvas) fill(clip rect, col rgba, polygons ...[]point) {
	box := rect{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}
	for _, polygon := range polygons {
		for _, p := range polygon {
			box.x0, box.x1 = min(box.x0, p.x), max(box.x1, p.x)
			box.y0, box.y1 = min(box.y0, p.y), max(box.y1, p.y)
		}
	}
	target, ok := c.begin(clip, box)
	if !ok {
		return
	}
	for _, polygon := range polygons {
		if len(polygon) < 3 {
			continue
		}
		dx, dy := float64(target.Min.X), float64(target.Min.Y)
		c.raster.MoveTo(float32(polygon[0].x-dx), float32(polygon[0].y-dy))
		for _, p := range polygon[1:] {
			c.raster.LineTo(float32(p.x-dx), float32(p.y-dy))
		}
		c.raster.ClosePath()
	}
	c.raster.Draw(c.img, target, image.NewUniform(col), image.Point{})
}

// begin sizes the rasterizer for what lies in the box and in the clip; ok is false when nothing does.
func (c *canvas) begin(clip, box rect) (target image.Rectangle, ok bool) {
	box = box.intersect(clip).intersect(c.bounds())
	if box.empty() {
		return target, false
	}
	target = image.Rect(int(math.Floor(box.x0)), int(math.Floor(box.y0)), int(math.Ceil(box.x1)), int(math.Ceil(box.y1)))
	c.raster.Reset(target.Dx(), target.Dy())
	return target, true
}

// segmentsAtOnce bounds the segments that are drawn together, so that no more of the image than their surroundings is
// touched.
const segmentsAtOnce = 24

// stroke draws a line through the points with round joins.
func (c *canvas) stroke(clip rect, col rgba, width float64, points []point) {
	for len(points) > 1 {
		n := min(len(points), segmentsAtOnce+1)
		c.strokeSome(clip, col, width, points[:n])
		points = points[n-1:]
	}
}

func (c *canvas) strokeSome(clip rect, col rgba, width float64, points []point) {
	half := width / 2
	box := rect{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}
	for _, p := range points {
		box.x0, box.x1 = min(box.x0, p.x-half-1), max(box.x1, p.x+half+1)
		box.y0, box.y1 = min(box.y0, p.y-half-1), max(box.y1, p.y+half+1)
	}
	target, ok := c.begin(clip, box)
	if !ok {
		return
	}
	ox, oy := float64(target.Min.X), float64(target.Min.Y)
	for i := 1; i < len(points); i++ {
		a, b := points[i-1], points[i]
		dx, dy := b.x-a.x, b.y-a.y
		length := math.Hypot(dx, dy)
		if length == 0 {
			continue
		}
		nx, ny := -dy/length*half, dx/length*half
		c.polygon(ox, oy, point{a.x - nx, a.y - ny}, point{b.x - nx, b.y - ny}, point{b.x + nx, b.y + ny}, point{a.x + nx, a.y + ny})
		if i+1 < len(points) && width > 1 {
			c.disc(ox, oy, b, half)
		}
	}
	c.raster.Draw(c.img, target, image.NewUniform(col), image.Point{})
}

func (c *canvas) polygon(ox, oy float64, points ...point) {
	c.raster.MoveTo(float32(points[0].x-ox), float32(points[0].y-oy))
	for _, p := range points[1:] {
		c.raster.LineTo(float32(p.x-ox), float32(p.y-oy))
	}
	c.raster.ClosePath()
}

// octagon has the corners of a disc that is small enough to be drawn with eight.
var octagon = func() (list [8]point) {
	for i := range list {
		sin, cos := math.Sincos(float64(i) * math.Pi / 4)
		list[i] = point{cos, sin}
	}
	return list
}()

func (c *canvas) disc(ox, oy float64, at point, radius float64) {
	var corners [8]point
	for i, o := range octagon {
		corners[i] = point{at.x + o.x*radius, at.y + o.y*radius}
	}
	c.polygon(ox, oy, corners[:]...)
}

// dot draws a filled circle.
func (c *canvas) dot(clip rect, col rgba, at point, radius float64) {
	c.fill(clip, col, arc(at, radius, 0, 2*math.Pi))
}

// arc is a curve around a center; angles grow clockwise from the right.
func arc(center point, radius, from, to float64) []point {
	n := max(int(math.Ceil(math.Abs(to-from)*radius/2)), 8)
	list := make([]point, n+1)
	for i := range list {
		sin, cos := math.Sincos(from + (to-from)*float64(i)/float64(n))
		list[i] = point{center.x + radius*cos, center.y + radius*sin}
	}
	return list
}

// ring fills the part of a ring between two angles.
func (c *canvas) ring(col rgba, center point, inner, outer, from, to float64) {
	outline := arc(center, outer, from, to)
	if inner <= 0 {
		outline = append(outline, center)
	} else {
		outline = append(outline, arc(center, inner, to, from)...)
	}
	c.fill(c.bounds(), col, outline)
}
