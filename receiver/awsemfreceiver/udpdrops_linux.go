// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsemfreceiver

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// kernelDrops returns a function that reads how many datagrams the kernel dropped at a socket.
func kernelDrops(conn *net.UDPConn) (func() (int64, error), error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	var stat syscall.Stat_t
	var statErr error
	if err := raw.Control(func(fd uintptr) { statErr = syscall.Fstat(int(fd), &stat) }); err != nil {
		return nil, err
	}
	if statErr != nil {
		return nil, statErr
	}
	inode := strconv.FormatUint(stat.Ino, 10)
	read := func() (int64, error) {
		for _, name := range []string{"/proc/net/udp", "/proc/net/udp6"} {
			f, err := os.Open(name) //nolint:gosec // one of the two above
			if errors.Is(err, os.ErrNotExist) {
				continue
			}
			if err != nil {
				return 0, err
			}
			n, found, err := findDrops(f, inode)
			_ = f.Close()
			if err != nil {
				return 0, fmt.Errorf("%s: %w", name, err)
			}
			if found {
				return n, nil
			}
		}
		return 0, errors.New("the socket is not in /proc/net/udp")
	}
	if _, err := read(); err != nil {
		return nil, err
	}
	return read, nil
}

// findDrops reads the table of sockets that the kernel writes: the inode is the tenth column, drops the thirteenth.
func findDrops(r io.Reader, inode string) (n int64, found bool, err error) {
	const inodeColumn, dropsColumn = 9, 12
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) <= dropsColumn || fields[inodeColumn] != inode {
			continue
		}
		n, err = strconv.ParseInt(fields[dropsColumn], 10, 64)
		return n, err == nil, err
	}
	return 0, false, lines.Err()
}
