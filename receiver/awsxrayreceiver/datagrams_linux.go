// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package awsxrayreceiver

import (
	"net"

	"golang.org/x/net/ipv4"
)

// readBatch is how many datagrams one system call may read.
const readBatch = 32

// datagrams reads datagrams into buffers of its own, which it uses again and again.
type datagrams struct {
	conn     *ipv4.PacketConn
	messages []ipv4.Message
}

func newDatagrams(conn *net.UDPConn) *datagrams {
	d := &datagrams{
		conn:     ipv4.NewPacketConn(conn), // reads batches of both IP versions
		messages: make([]ipv4.Message, readBatch),
	}
	for i := range d.messages {
		d.messages[i].Buffers = [][]byte{make([]byte, maxDatagram)}
	}
	return d
}

// read waits for at least one datagram and says how many there are.
func (d *datagrams) read() (int, error) { return d.conn.ReadBatch(d.messages, 0) }

// datagram is valid until the next read.
func (d *datagrams) datagram(i int) []byte { return d.messages[i].Buffers[0][:d.messages[i].N] }
