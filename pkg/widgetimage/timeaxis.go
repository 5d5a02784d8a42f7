// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package widgetimage

import "time"

// timeSteps are the distances between ticks of the time axis, in seconds.
var timeSteps = []int64{
	1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 2 * 3600, 3 * 3600, 6 * 3600, 12 * 3600,
	86400, 2 * 86400, 3 * 86400, 7 * 86400, 14 * 86400, 28 * 86400, 56 * 86400, 91 * 86400, 182 * 86400, 364 * 86400,
}

// timeTicks are at most n round times of the place from start to end, and the layout to write them in.
func timeTicks(start, end int64, n int, loc *time.Location) (ticks []int64, layout string) {
	step := timeSteps[len(timeSteps)-1]
	for _, s := range timeSteps {
		if (end-start)/s <= int64(n) {
			step = s
			break
		}
	}
	for (end-start)/step > int64(n) {
		step *= 2
	}
	_, difference := time.Unix(start, 0).In(loc).Zone()
	offset := int64(difference)
	first := -floorDiv(-(start+offset), step)*step - offset
	for t := first; t <= end; t += step {
		ticks = append(ticks, t)
	}
	switch {
	case step >= 91*86400:
		layout = "2006-01-02"
	case step >= 86400:
		layout = "01/02"
	case step < 60:
		layout = "15:04:05"
	default:
		layout = "15:04"
	}
	return ticks, layout
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b != 0 && a < 0 {
		q--
	}
	return q
}

// formatTime writes a tick; midnights are written as their day.
func formatTime(t int64, layout string, loc *time.Location) string {
	at := time.Unix(t, 0).In(loc)
	if layout == "15:04" && at.Hour() == 0 && at.Minute() == 0 {
		layout = "01/02"
	}
	return at.Format(layout)
}
