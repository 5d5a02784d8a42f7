// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !cgo

package backtest

import (
	"context"
	"errors"
)

var errNoStore = errors.New("this neph was built without the embedded database (CGO_ENABLED=0)")

// OpenStore opens the directory of a store.
func OpenStore(context.Context, string) (Source, func() error, error) {
	return nil, nil, errors.Join(errNoStore, errors.New("read the store through a collector: --endpoint-url"))
}

func (f *Files) readParquet(context.Context, string) error {
	return errors.Join(errNoStore, errors.New("give it CSV"))
}
