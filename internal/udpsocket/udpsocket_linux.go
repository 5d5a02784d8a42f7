// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package udpsocket

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// Drops reads how many datagrams the kernel dropped for one socket.
type Drops struct {
	inode uint64
	files []string
}

// NewDrops returns the reader of a socket, or why the kernel does not say.
func NewDrops(conn *net.UDPConn) (*Drops, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	var stat unix.Stat_t
	var errStat error
	if err := raw.Control(func(fd uintptr) { errStat = unix.Fstat(int(fd), &stat) }); err != nil {
		return nil, err
	}
	if errStat != nil {
		return nil, errStat
	}
	d := &Drops{inode: stat.Ino, files: []string{"/proc/self/net/udp", "/proc/self/net/udp6"}}
	if _, err := d.Read(); err != nil {
		return nil, err
	}
	return d, nil
}

// ErrNotListed says that the kernel does not list the socket, which is closed or in another namespace.
var ErrNotListed = errors.New("the socket is in none of the kernel's tables of UDP sockets")

// Read is how many datagrams the kernel dropped since the socket was opened.
func (d *Drops) Read() (uint64, error) {
	for _, name := range d.files {
		f, err := os.Open(name) //nolint:gosec // one of two names that are written above
		if errors.Is(err, os.ErrNotExist) {
			continue // no IPv6
		}
		if err != nil {
			return 0, err
		}
		n, found, err := findDrops(f, d.inode)
		_ = f.Close()
		if err != nil {
			return 0, fmt.Errorf("%s: %w", name, err)
		}
		if found {
			return n, nil
		}
	}
	return 0, ErrNotListed
}

// findDrops looks for a socket's line. The inode is its tenth field, the count of dropped datagrams its last.
func findDrops(r io.Reader, inode uint64) (drops uint64, found bool, err error) {
	want := strconv.AppendUint(nil, inode, 10)
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		fields := bytes.Fields(lines.Bytes())
		if len(fields) < 13 || !bytes.Equal(fields[9], want) {
			continue
		}
		drops, err = strconv.ParseUint(string(fields[len(fields)-1]), 10, 64)
		return drops, err == nil, err
	}
	return 0, false, lines.Err()
}

// SetReadBuffer asks for a socket buffer and returns how much of it there is. With the right to, the limit of
// net.core.rmem_max does not count.
func SetReadBuffer(conn *net.UDPConn, size int) int {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0
	}
	got := 0
	_ = raw.Control(func(fd uintptr) {
		if unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, size) != nil {
			_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, size)
		}
		got, _ = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF)
	})
	return got / 2 // the kernel doubles it, for its bookkeeping
}
