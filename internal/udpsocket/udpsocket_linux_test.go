// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package udpsocket

import (
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const procNetUDP = `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  473: 0100007F:07D0 00000000:0000 07 00000000:00033500 00:00000000 00000000     0        0 41207 2 0000000000000000 12345
  474: 0100007F:07D1 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 12345 2 0000000000000000 0
short line
`

func TestFindDrops(t *testing.T) {
	t.Parallel()
	n, found, err := findDrops(strings.NewReader(procNetUDP), 41207)
	require.NoError(t, err)
	require.True(t, found)
	require.Equal(t, uint64(12345), n)
	n, found, err = findDrops(strings.NewReader(procNetUDP), 12345)
	require.NoError(t, err)
	require.True(t, found)
	require.Zero(t, n)
	_, found, err = findDrops(strings.NewReader(procNetUDP), 1)
	require.NoError(t, err)
	require.False(t, found)
	_, _, err = findDrops(strings.NewReader(strings.Replace(procNetUDP, " 12345\n", " x\n", 1)), 41207)
	require.Error(t, err)
}

func TestDrops(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		conn, err := new(net.ListenConfig).ListenPacket(t.Context(), "udp", address)
		if err != nil {
			t.Logf("no %s here: %v", address, err)
			continue
		}
		defer func() { _ = conn.Close() }()
		udp := conn.(*net.UDPConn)
		require.Positive(t, SetReadBuffer(udp, 4096))
		d, err := NewDrops(udp)
		if err != nil {
			t.Skipf("no table of UDP sockets here: %v", err)
		}
		client, err := new(net.Dialer).DialContext(t.Context(), "udp", udp.LocalAddr().String())
		require.NoError(t, err)
		defer func() { _ = client.Close() }()
		const sent = 100
		for range sent {
			_, err = client.Write(make([]byte, 4096))
			require.NoError(t, err)
		}
		n, err := d.Read()
		require.NoError(t, err)
		require.Positive(t, n)
		require.LessOrEqual(t, n, uint64(sent))
		d.inode = 1
		_, err = d.Read()
		require.ErrorIs(t, err, ErrNotListed)
	}
}
