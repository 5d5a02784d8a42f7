// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package duckdb

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// formatLine is the content of the file FORMAT. A later layout gets another number.
const formatLine = "nephoscope store 1\n"

func checkFormat(dir string) error {
	path := filepath.Join(dir, "FORMAT")
	text, err := os.ReadFile(path) //nolint:gosec // in the directory that was configured
	switch {
	case errors.Is(err, os.ErrNotExist), err == nil && len(text) == 0:
		return writeFileSync(path, []byte(formatLine))
	case err != nil:
		return err
	case string(text) != formatLine:
		return fmt.Errorf("%s says %q, this program reads %q", path, strings.TrimSpace(string(text)), strings.TrimSpace(formatLine))
	}
	return nil
}

// writeFileSync replaces a small file durably: after a crash it has the old or the new content.
func writeFileSync(path string, data []byte) error {
	tmp := path + ".new"
	f, err := os.OpenFile(tmp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600) //nolint:gosec // in the directory that was configured
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(tmp, path)
	}
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	return err
}

// syncDir makes the directory's entries durable. DuckDB does not do it for the files that it creates.
func syncDir(dir string) error {
	d, err := os.Open(dir) //nolint:gosec // below the directory that was configured
	if err != nil {
		return err
	}
	err = d.Sync()
	if cerr := d.Close(); err == nil {
		err = cerr
	}
	return ignoreUnsupportedSync(err)
}
