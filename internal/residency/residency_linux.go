// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package residency keeps the resident size of the process near what it uses.
//
// A collector links many components and runs few. Starting touches most of the binary once, and a kernel with large
// folios in its page cache maps it two megabytes at a time: an idle collector then shows the whole binary as resident.
package residency

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// ReleaseText gives back the pages of the executable's own code and constants that are mapped now; those that are used
// come back from the page cache one small read-around at a time. Call it once, when everything has started.
// Only read-only mappings of the executable that hold no private pages are touched, so nothing can be lost.
func ReleaseText() error {
	exe, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return fmt.Errorf("find the executable: %w", err)
	}
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		return fmt.Errorf("read the mappings: %w", err)
	}
	defer func() { _ = f.Close() }()
	ranges, err := cleanMappings(f, exe)
	if err != nil {
		return fmt.Errorf("read the mappings: %w", err)
	}
	var errs error
	for _, r := range ranges {
		// Without NOHUGEPAGE the next fault maps a whole large folio again. Kernels without transparent huge
		// pages answer EINVAL, and need it not.
		if err := madvise(r, unix.MADV_NOHUGEPAGE); err != nil && !errors.Is(err, unix.EINVAL) {
			errs = errors.Join(errs, err)
		}
		errs = errors.Join(errs, madvise(r, unix.MADV_DONTNEED))
	}
	return errs
}

// mapping is a range of addresses, [start, end).
type mapping struct{ start, end uintptr }

// cleanMappings lists the mappings of exe in smaps that are read-only and have no anonymous page.
func cleanMappings(smaps io.Reader, exe string) ([]mapping, error) {
	var out []mapping
	var current mapping
	var wanted bool
	s := bufio.NewScanner(smaps)
	for s.Scan() {
		f := strings.Fields(s.Text())
		switch {
		case len(f) >= 5 && strings.Contains(f[0], "-"):
			wanted = len(f) == 6 && f[5] == exe && !strings.Contains(f[1], "w")
			if !wanted {
				continue
			}
			from, to, _ := strings.Cut(f[0], "-")
			start, err := strconv.ParseUint(from, 16, 64)
			if err != nil {
				return nil, err
			}
			end, err := strconv.ParseUint(to, 16, 64)
			if err != nil {
				return nil, err
			}
			current = mapping{uintptr(start), uintptr(end)}
		case wanted && len(f) >= 2 && f[0] == "Anonymous:" && f[1] == "0":
			out = append(out, current)
		}
	}
	return out, s.Err()
}

func madvise(m mapping, advice int) error {
	_, _, errno := unix.Syscall(unix.SYS_MADVISE, m.start, m.end-m.start, uintptr(advice))
	if errno != 0 {
		return fmt.Errorf("madvise %#x-%#x: %w", m.start, m.end, errno)
	}
	return nil
}
