// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"fmt"

	"go.opentelemetry.io/collector/component"
)

// Provider is what an extension that holds a store implements.
type Provider interface {
	// Store returns the open store. It is valid between the extension's Start and Shutdown.
	Store() Store
}

// Find returns the store of the extension id on host. The error tells the user what to configure.
func Find(host component.Host, id component.ID) (Store, error) {
	ext, ok := host.GetExtensions()[id]
	if !ok {
		return nil, fmt.Errorf("extension %q not found: list it under service::extensions", id)
	}
	p, ok := ext.(Provider)
	if !ok {
		return nil, fmt.Errorf("extension %q is %T, not a store", id, ext)
	}
	return p.Store(), nil
}
