// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package udpsocket

import (
	"errors"
	"net"
)

// Drops is for Linux only.
type Drops struct{}

// NewDrops returns the reader of a socket, or why the kernel does not say.
func NewDrops(*net.UDPConn) (*Drops, error) {
	return nil, errors.New("only Linux counts them per socket")
}

// Read is never called.
func (*Drops) Read() (uint64, error) { return 0, nil }

// SetReadBuffer asks for a socket buffer; how much of it there is, is not known: 0.
func SetReadBuffer(conn *net.UDPConn, size int) int {
	_ = conn.SetReadBuffer(size)
	return 0
}
