// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logsinsights

import (
	"slices"
	"strings"
)

// Services write some logs as columns of text. Their events are told by their shape.

// vpcFlowNames are the columns of VPC flow logs, version 2.
var vpcFlowNames = []string{
	"version", "accountId", "interfaceId", "srcAddr", "dstAddr", "srcPort", "dstPort", "protocol", "packets", "bytes",
	"startTime", "endTime", "action", "logStatus",
}

// route53Names are the columns of the query logs of public hosted zones.
var route53Names = []string{
	"version", "queryTimestamp", "hostZoneId", "queryName", "queryType", "responseCode", "protocol", "edgeLocation",
	"resolverIp", "ednsClientSubnet",
}

func isVendedName(name string) bool {
	return slices.Contains(vpcFlowNames, name) || slices.Contains(route53Names, name)
}

// columns are the columns of one event by the names of its format.
type columns struct {
	names  []string
	values [14]string
}

// vendedFields reads an event of a vended format, or returns nil.
func vendedFields(msg string) *columns {
	if msg == "" || !isDigit(msg[0]) || len(msg) > 2048 {
		return nil
	}
	var c columns
	n := 0
	for col := range strings.SplitSeq(strings.TrimRight(msg, "\r\n"), " ") {
		if n == len(c.values) || col == "" {
			return nil
		}
		c.values[n] = col
		n++
	}
	switch {
	case n == len(vpcFlowNames) && c.values[0] == "2" && isVPCFlow(&c):
		c.names = vpcFlowNames
	case n == len(route53Names) && c.values[0] == "1.0" && strings.HasPrefix(c.values[2], "Z") && strings.HasSuffix(c.values[1], "Z"):
		c.names = route53Names
	default:
		return nil
	}
	return &c
}

func isVPCFlow(c *columns) bool {
	return strings.HasPrefix(c.values[2], "eni-") &&
		slices.Contains([]string{"ACCEPT", "REJECT", "-"}, c.values[12]) &&
		slices.Contains([]string{"OK", "NODATA", "SKIPDATA"}, c.values[13])
}

// value is the column of that name. A "-" stands for a missing one.
func (c *columns) value(name string) (value, bool) {
	n := slices.Index(c.names, name)
	if n < 0 || c.values[n] == "-" {
		return value{}, false
	}
	return textValue(c.values[n]), true
}
