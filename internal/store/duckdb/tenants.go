// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package duckdb

import (
	"context"
	"database/sql"
	"fmt"
	"math"

	driver "github.com/duckdb/duckdb-go/v2"

	"github.com/nephoscope/nephoscope/internal/store"
)

// tenantIDs numbers the tenants of a file. Rows hold the number: a column of equal numbers is not even read, while one of equal strings costs
// as much as a search for the group.
type tenantIDs struct {
	alias string
	ids   map[store.Tenant]uint16
	fresh []store.Tenant // of the commit that is on its way
}

const maxTenants = math.MaxUint16

func (t *tenantIDs) open(ctx context.Context, conn *sql.Conn, alias string) (err error) {
	t.alias, t.ids = alias, map[store.Tenant]uint16{}
	rows, err := conn.QueryContext(ctx, tenantsQuery(alias))
	if err != nil {
		return err
	}
	defer func() {
		if cerr := rows.Close(); err == nil {
			err = cerr
		}
	}()
	for rows.Next() {
		var id uint16
		var tenant store.Tenant
		if err := rows.Scan(&id, &tenant.Account, &tenant.Region); err != nil {
			return err
		}
		t.ids[tenant] = id
	}
	return rows.Err()
}

func tenantsQuery(alias string) string {
	return "SELECT id, account, region FROM " + alias + ".tenants"
}

// number makes sure, within a transaction, that the tenant has a number.
func (t *tenantIDs) number(conn *driver.Conn, tenant store.Tenant) error {
	if _, ok := t.ids[tenant]; ok {
		return nil
	}
	if len(t.ids) >= maxTenants {
		return fmt.Errorf("%s has %d pairs of account and region already, the limit of a day", t.alias, len(t.ids))
	}
	id := uint16(len(t.ids))
	err := execute(conn, fmt.Sprintf("INSERT INTO %s.tenants VALUES (%d, %s, %s)", t.alias, id,
		quote(validUTF8(tenant.Account)), quote(validUTF8(tenant.Region))))
	if err != nil {
		return err
	}
	t.ids[tenant] = id
	t.fresh = append(t.fresh, tenant)
	return nil
}

func (t *tenantIDs) committed() { t.fresh = t.fresh[:0] }

// aborted forgets the numbers that the rolled back transaction gave.
func (t *tenantIDs) aborted() {
	for _, tenant := range t.fresh {
		delete(t.ids, tenant)
	}
	t.fresh = t.fresh[:0]
}

// tenantID is the tenant's number in the file, if it has one.
func (s *snapshot) tenantID(ctx context.Context, f *dayFile, tenant store.Tenant) (id uint16, ok bool, err error) {
	tenants, err := s.tenants(ctx, f, &tenant)
	if err != nil {
		return 0, false, err
	}
	id, ok = tenants[tenant]
	return id, ok, nil
}

// tenants are the numbers of all tenants of the file, at least as new as is needed to know wanted, which may be nil.
func (s *snapshot) tenants(ctx context.Context, f *dayFile, wanted *store.Tenant) (map[store.Tenant]uint16, error) {
	f.cache.mu.Lock()
	tenants := f.cache.tenants
	f.cache.mu.Unlock()
	if wanted != nil {
		if _, ok := tenants[*wanted]; ok {
			return tenants, nil
		}
	}
	tenants = map[store.Tenant]uint16{}
	err := s.query(ctx, tenantsQuery(f.alias), nil, func(rows *sql.Rows) (bool, error) {
		var id uint16
		var t store.Tenant
		err := rows.Scan(&id, &t.Account, &t.Region)
		tenants[t] = id
		return true, err
	})
	if err != nil {
		return nil, err
	}
	f.cache.mu.Lock()
	f.cache.tenants = tenants
	f.cache.mu.Unlock()
	return tenants, nil
}
