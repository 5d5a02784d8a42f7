// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logsinsights

import (
	"encoding/binary"
	"net/netip"
)

var ipFunctions = map[string]function{
	"isvalidip":      {spelling: "isValidIp", min: 1, max: 1, eval: ipTest(func(netip.Addr) bool { return true })},
	"isvalidipv4":    {spelling: "isValidIpV4", min: 1, max: 1, eval: ipTest(netip.Addr.Is4)},
	"isvalidipv6":    {spelling: "isValidIpV6", min: 1, max: 1, eval: ipTest(netip.Addr.Is6)},
	"isprivateip":    {spelling: "isPrivateIP", min: 1, max: 1, eval: ipTest(netip.Addr.IsPrivate)},
	"isreservedip":   {spelling: "isReservedIP", min: 1, max: 1, eval: ipTest(isReservedIP)},
	"ispublicip":     {spelling: "isPublicIP", min: 1, max: 1, eval: ipTest(func(a netip.Addr) bool { return !a.IsPrivate() && !isReservedIP(a) })},
	"isipinsubnet":   {spelling: "isIpInSubnet", min: 2, max: 2, prepare: inSubnet(func(netip.Prefix) bool { return true })},
	"isipv4insubnet": {spelling: "isIpv4InSubnet", min: 2, max: 2, prepare: inSubnet(func(p netip.Prefix) bool { return p.Addr().Is4() })},
	"isipv6insubnet": {spelling: "isIpv6InSubnet", min: 2, max: 2, prepare: inSubnet(func(p netip.Prefix) bool { return p.Addr().Is6() })},
	"ipv4tonumber": {spelling: "ipv4ToNumber", min: 1, max: 1, eval: text1(func(s string) value {
		a, err := netip.ParseAddr(s)
		if err != nil || !a.Is4() {
			return value{}
		}
		b := a.As4()
		return numberValue(float64(binary.BigEndian.Uint32(b[:])))
	})},
}

// ipTest is a predicate over addresses; what is no address fails it.
func ipTest(test func(netip.Addr) bool) func(*env, []value) value {
	return func(_ *env, a []value) value {
		s, ok := a[0].asText()
		if !ok {
			return flag(false)
		}
		addr, err := netip.ParseAddr(s)
		return flag(err == nil && addr.Zone() == "" && test(addr))
	}
}

// reservedPrefixes are the special-purpose blocks of IANA's registries that are not private networks.
var reservedPrefixes = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("127.0.0.0/8"),
	netip.MustParsePrefix("169.254.0.0/16"), netip.MustParsePrefix("192.0.0.0/24"), netip.MustParsePrefix("192.0.2.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"),
	netip.MustParsePrefix("224.0.0.0/4"), netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("::/128"),
	netip.MustParsePrefix("::1/128"), netip.MustParsePrefix("::ffff:0:0/96"), netip.MustParsePrefix("100::/64"),
	netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("fe80::/10"), netip.MustParsePrefix("ff00::/8"),
}

func isReservedIP(a netip.Addr) bool {
	for _, p := range reservedPrefixes {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// inSubnet checks the network of isIpInSubnet and its kin once.
func inSubnet(fits func(netip.Prefix) bool) func(*Call) (func(*env, []value) value, error) {
	return func(c *Call) (func(*env, []value) value, error) {
		lit, ok := c.Args[1].(*Text)
		if !ok {
			return nil, errAt(c.Args[1].pos(), "the second argument of %s must be a text, the subnet", c.spelling)
		}
		p, err := netip.ParsePrefix(lit.Value)
		if err != nil || !fits(p) {
			return nil, errAt(lit.span, "%s is no subnet that %s takes", quoteText(lit.Value), c.spelling)
		}
		return func(e *env, a []value) value {
			return ipTest(p.Masked().Contains)(e, a[:1])
		}, nil
	}
}
