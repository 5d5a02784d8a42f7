// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package awsemfreceiver

import (
	"errors"
	"net"
)

// kernelDrops is known on Linux only.
func kernelDrops(*net.UDPConn) (func() (int64, error), error) {
	return nil, errors.New("this system does not tell how many datagrams it dropped")
}
