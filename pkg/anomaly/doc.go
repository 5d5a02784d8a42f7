// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package anomaly is the model behind ANOMALY_DETECTION_BAND and anomaly-detection alarms: what values a metric is expected
// to have at a time, learned from up to two weeks of its history.
//
// CloudWatch does not publish its model. This is ours, and all of it:
//
//	mean(t)  = level + slope·t + season(t) + spike(t)
//	band(t)  = mean(t) ± threshold·sigma(t), within the metric's logical bounds
//
// The history is the two weeks before the model is trained, in buckets of the period that the band is asked for, less the
// excluded time ranges. Everything is made of medians, so that incidents in the history, up to nearly half of it, do not
// move the band.
//
//   - slope: the median change between points exactly one week apart when the history spans at least eight days, else
//     exactly one day apart when it spans at least three days, else none. It is kept for a day beyond the history; later
//     times have the trend of that day.
//   - season: once the history spans two days, the median of each hour of the day, in the time zone of the model. Once it
//     spans thirteen days, an hour of the week that was seen on two days has a median of its own when that is farther from
//     the hour of the day's than three standard errors of a median.
//     Between the middles of neighbouring hours the season is interpolated on a straight line, unless steps at the hours
//     leave less. It is measured from the trend; the level is part of it.
//   - spike: only with the characteristic PeriodicSpikes. Where the median over the days of what is left at a time of the
//     day, in steps of the period, is farther than three sigmas from nothing and at least three days agree, that spike is
//     expected then.
//   - sigma: 1.4826 times the median absolute deviation of what is left, which for normal noise is its standard deviation.
//     That of each hour of the day counts, drawn towards that of the whole history as if 30 points of the hour had that one,
//     and widened for the points being those that the mean was made of: by the root of (n+2)/(n-1) for n points in the hour.
//     When more than half of the history is met exactly, it is the root mean square of what is left, without the farthest two
//     percent. It is never less than a thousandth of the metric's median magnitude.
//   - logical bounds: not below 0 when no value of the history is; not above 100 when the unit is Percent and no value is.
//
// A model with fewer than [MinPoints] points, or less than [MinSpan] of history, has no band: its state is
// [StateInsufficientData].
//
// A model belongs to one metric, statistic and period, or to one expression of metric math. [Models] trains them when they
// are first asked for, from any [cloudwatch.MetricReader], and again when they are old.
package anomaly
