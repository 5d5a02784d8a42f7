// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package sigv4

import "sync"

// keyCache remembers signing keys, which are derived by four hashes and good for a day. It keeps two generations of
// half its limit each, so that keys in use survive and it never grows beyond the limit.
type keyCache struct {
	limit int

	mu       sync.Mutex
	new, old map[keyID][]byte
}

// keyID has the secret itself, so that a changed secret is another key.
type keyID struct{ secret, date, region, service string }

// maxScope bounds the parts of a scope that is cached; they come from the client.
const maxScope = 64

func (c *keyCache) key(secret string, s CredentialScope) []byte {
	id := keyID{secret, s.Date, s.Region, s.Service}
	if len(s.Region) > maxScope || len(s.Service) > maxScope || len(s.Date) > maxScope {
		return deriveKey(id)
	}
	c.mu.Lock()
	k, ok := c.new[id]
	if !ok {
		if k, ok = c.old[id]; ok {
			c.put(id, k)
		}
	}
	c.mu.Unlock()
	if ok {
		return k
	}
	k = deriveKey(id)
	c.mu.Lock()
	c.put(id, k)
	c.mu.Unlock()
	return k
}

// put is called with mu held.
func (c *keyCache) put(id keyID, k []byte) {
	if c.new == nil || len(c.new) >= max(1, c.limit/2) {
		c.old, c.new = c.new, make(map[keyID][]byte)
	}
	c.new[id] = k
}

func deriveKey(id keyID) []byte {
	k := mac([]byte("AWS4"+id.secret), id.date)
	k = mac(k, id.region)
	k = mac(k, id.service)
	return mac(k, terminator)
}
