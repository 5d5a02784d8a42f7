// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package duckdb

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
)

// sequence hands out the rising numbers of records. A number is never handed out twice, whatever crashes: the file
// holds an upper bound, which is raised durably before numbers beyond it are used.
type sequence struct {
	path string

	mu    sync.Mutex
	next  int64
	bound int64
}

// seqBlock is how many numbers are reserved at once. Those left over at the end are skipped.
const seqBlock = 1 << 24

// open reads the bound. When its file is missing or unreadable, highest tells the highest number in use.
func (s *sequence) open(path string, highest func() (int64, error)) error {
	s.path = path
	text, err := os.ReadFile(path) //nolint:gosec // below the directory that was configured
	if err == nil {
		if n, perr := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); perr == nil && n > 0 {
			s.next, s.bound = n, n
			return nil
		}
	} else if !errors.Is(err, os.ErrNotExist) {
		return err
	}
	n, err := highest()
	if err != nil {
		return err
	}
	s.next, s.bound = n+1, n+1
	return nil
}

// take returns the first of n numbers in a row.
func (s *sequence) take(n int) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.next+int64(n) > s.bound {
		bound := s.next + int64(n) + seqBlock
		if err := writeFileSync(s.path, fmt.Appendf(nil, "%d\n", bound)); err != nil {
			return 0, fmt.Errorf("reserve sequence numbers: %w", err)
		}
		s.bound = bound
	}
	first := s.next
	s.next += int64(n)
	return first, nil
}

// close gives back what was reserved and not used.
func (s *sequence) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.path == "" || s.next == s.bound {
		return nil
	}
	// Failing to (a full disk) only skips numbers.
	_ = writeFileSync(s.path, fmt.Appendf(nil, "%d\n", s.next))
	return nil
}
