// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsemfreceiver

import (
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const socketTable = `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  447: 0100007F:651E 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 12345 2 0000000000000000 0
 3003: 0100007F:651F 00000000:0000 07 00000000:00033F00 00:00000000 00000000     0        0 12346 2 0000000000000000 971
`

func TestFindDrops(t *testing.T) {
	n, found, err := findDrops(strings.NewReader(socketTable), "12346")
	require.NoError(t, err)
	assert.True(t, found)
	assert.Equal(t, int64(971), n)
	_, found, err = findDrops(strings.NewReader(socketTable), "1234")
	require.NoError(t, err)
	assert.False(t, found)
	_, _, err = findDrops(strings.NewReader(strings.ReplaceAll(socketTable, "971", "many")), "12346")
	require.Error(t, err)
}

// A socket that nobody reads drops what does not fit, and the kernel's count shows it.
func TestKernelDrops(t *testing.T) {
	p, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = p.Close() }()
	conn := p.(*net.UDPConn)
	require.NoError(t, conn.SetReadBuffer(4096))
	drops, err := kernelDrops(conn)
	if err != nil {
		t.Skip("this system does not list its UDP sockets:", err)
	}
	c, err := (&net.Dialer{}).DialContext(t.Context(), "udp", p.LocalAddr().String())
	require.NoError(t, err)
	defer func() { _ = c.Close() }()
	for range 1000 {
		_, _ = c.Write(make([]byte, 1000))
	}
	n, err := drops()
	require.NoError(t, err)
	assert.Positive(t, n)
}
