// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package receivers

import (
	"context"
	"errors"
	"net"
	"time"
)

// maxAnswer bounds what one connection to a receiver may answer. Notifiers read all of an answer that is an error.
const maxAnswer = 4 << 20

const dialTimeout = 10 * time.Second

var errLongAnswer = errors.New("the answer is too long")

// limitedConn is a connection that reads only so much. It is used for one request.
type limitedConn struct {
	net.Conn
	left int
}

func dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &limitedConn{Conn: conn, left: maxAnswer}, nil
}

// Read is net.Conn's.
func (c *limitedConn) Read(b []byte) (int, error) {
	if c.left <= 0 {
		return 0, errLongAnswer
	}
	n, err := c.Conn.Read(b[:min(len(b), c.left)])
	c.left -= n
	return n, err
}
