// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package notation reads the compact notation of metrics and their values that tests of alarms are written in.
//
// A metric is its namespace and name, its dimensions and its unit:
//
//	AWS/EC2/CPUUtilization{InstanceId=i-1} Percent
//
// Its values are points, one per interval:
//
//	1 2.5 -3     a value each
//	_            no data
//	5x3          three times 5; _x3 is a gap of three
//	10+5x4       a ramp of four points: 10 15 20 25; 10-5x4 falls
//	5x2h         as many points as two hours have
//	[1 2 9*3]    one point of several samples: 1, 2, and three times 9
//	{n=4 sum=10 min=1 max=6}   one point that is a statistic set
//	(1 2 _)x10   a group, ten times; (1 2 _)x2h fills two hours
package notation
