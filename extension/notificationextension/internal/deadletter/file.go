// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package deadletter keeps what could not be delivered: a file with a JSON document a line, which is put aside when it has
// grown too large.
package deadletter

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"
)

// Letter is one line of the file.
type Letter struct {
	Time     time.Time `json:"time"`
	Kind     string    `json:"kind"`
	Target   string    `json:"target"`
	ID       string    `json:"id"`
	Action   string    `json:"actionId,omitempty"`
	AlarmARN string    `json:"alarmArn,omitempty"`
	Enqueued time.Time `json:"enqueued"`
	Attempts int       `json:"attempts"`
	Error    string    `json:"error"`
	// Body is what was to be delivered.
	Body json.RawMessage `json:"body"`
}

// File appends letters. The zero size and number of backups are not valid.
type File struct {
	path    string
	max     int64
	backups int

	mu   sync.Mutex
	file *os.File
	size int64
}

// Open opens the file, which is made when it is missing. At max bytes it becomes path.1, the former path.1 becomes path.2,
// and so on up to the number of backups.
func Open(path string, maxSize int64, backups int) (*File, error) {
	f := &File{path: path, max: maxSize, backups: backups}
	return f, f.open()
}

func (f *File) open() error {
	if err := os.MkdirAll(filepath.Dir(f.path), 0o750); err != nil {
		return err
	}
	file, err := os.OpenFile(f.path, os.O_APPEND|os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err != nil {
		return errors.Join(err, file.Close())
	}
	f.file, f.size = file, info.Size()
	return f.endLine()
}

// endLine ends a line that a crash has left unfinished, so that the next one can be read.
func (f *File) endLine() error {
	if f.size == 0 {
		return nil
	}
	last := make([]byte, 1)
	if _, err := f.file.ReadAt(last, f.size-1); err != nil {
		return err
	}
	if last[0] == '\n' {
		return nil
	}
	n, err := f.file.WriteString("\n")
	f.size += int64(n)
	return err
}

// Write appends a letter. When it returns nil, the letter is on the disk.
func (f *File) Write(l *Letter) error {
	line, err := json.Marshal(l)
	if err != nil {
		return fmt.Errorf("encode a dead letter: %w", err)
	}
	line = append(line, '\n')
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.file == nil {
		if err := f.open(); err != nil {
			return err
		}
	}
	if f.size > 0 && f.size+int64(len(line)) > f.max {
		if err := f.rotate(); err != nil {
			return fmt.Errorf("put %s aside: %w", f.path, err)
		}
	}
	n, err := f.file.Write(line)
	f.size += int64(n)
	if err != nil {
		return errors.Join(err, f.endLine())
	}
	return f.file.Sync()
}

func (f *File) rotate() error {
	err := f.file.Close()
	f.file = nil
	if err != nil {
		return err
	}
	if f.backups == 0 {
		if err := os.Remove(f.path); err != nil {
			return err
		}
		return f.open()
	}
	for i := f.backups; i > 0; i-- {
		from := f.path
		if i > 1 {
			from += "." + strconv.Itoa(i-1)
		}
		if err := os.Rename(from, f.path+"."+strconv.Itoa(i)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return f.open()
}

// Close closes the file.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.file == nil {
		return nil
	}
	err := f.file.Close()
	f.file = nil
	return err
}
