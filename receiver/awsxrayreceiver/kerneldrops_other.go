// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package awsxrayreceiver

import (
	"errors"
	"net"
)

// kernelDrops is for Linux only.
type kernelDrops struct{}

func newKernelDrops(*net.UDPConn) (*kernelDrops, error) {
	return nil, errors.New("only Linux counts them per socket")
}

func (*kernelDrops) read() (uint64, error) { return 0, nil }

func setReadBuffer(conn *net.UDPConn, size int) int {
	_ = conn.SetReadBuffer(size)
	return 0
}
