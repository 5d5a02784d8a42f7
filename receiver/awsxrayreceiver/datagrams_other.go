// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package awsxrayreceiver

import "net"

// datagrams reads one datagram at a time into a buffer of its own.
type datagrams struct {
	conn   *net.UDPConn
	buffer []byte
	n      int
}

func newDatagrams(conn *net.UDPConn) *datagrams {
	return &datagrams{conn: conn, buffer: make([]byte, maxDatagram)}
}

func (d *datagrams) read() (n int, err error) {
	d.n, _, err = d.conn.ReadFromUDPAddrPort(d.buffer)
	return 1, err
}

// datagram is valid until the next read.
func (d *datagrams) datagram(int) []byte { return d.buffer[:d.n] }
