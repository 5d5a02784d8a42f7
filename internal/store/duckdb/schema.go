// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package duckdb

import (
	"crypto/rand"
	"strconv"
	"strings"
)

// schemas are the tables of a day file; {db} stands for its name. Messages and documents are kept with zstd, which
// halves the file and costs full scans a quarter. Nothing is indexed: measured, an index slows writing
// more than it helps.
var schemas = [signals]string{
	signalLogs: `
CREATE TABLE {db}.logs (
	ts          TIMESTAMP NOT NULL, -- the event's, in milliseconds
	ingested    TIMESTAMP NOT NULL,
	seq         BIGINT NOT NULL,
	tenant      USMALLINT NOT NULL, -- tenants.id
	grp         VARCHAR NOT NULL,
	stream      VARCHAR NOT NULL,
	message     VARCHAR NOT NULL USING COMPRESSION zstd,
	bytes       INTEGER NOT NULL,   -- of message: counting them there would mean to decompress it
	level       VARCHAR,
	service     VARCHAR,
	trace_id    VARCHAR,
	span_id     VARCHAR,
	duration_ms DOUBLE,
	status      INTEGER
)`,
	signalMetrics: `
CREATE TABLE {db}.series (
	id         INTEGER NOT NULL,
	account    VARCHAR NOT NULL,
	region     VARCHAR NOT NULL,
	namespace  VARCHAR NOT NULL,
	name       VARCHAR NOT NULL,
	dimensions VARCHAR NOT NULL,  -- JSON object, names in order
	unit       VARCHAR NOT NULL,
	resolution SMALLINT NOT NULL, -- 1 or 60 seconds: the length of its points' periods
	hash       UBIGINT NOT NULL,  -- of account, region and key
	key        BLOB NOT NULL      -- namespace, name and dimensions; sorts as metrics are listed
);
CREATE TABLE {db}.points (
	series_id INTEGER NOT NULL,
	ts        TIMESTAMP NOT NULL, -- beginning of the period; a period may have several rows
	count     DOUBLE NOT NULL,
	sum       DOUBLE NOT NULL,
	min       DOUBLE NOT NULL,
	max       DOUBLE NOT NULL,
	dist      BLOB                -- NULL: the other columns imply it, or it is not known
)`,
	signalTraces: `
CREATE TABLE {db}.spans (
	trace_id    UUID NOT NULL,
	id          UBIGINT NOT NULL,
	parent_id   UBIGINT,
	start_time  TIMESTAMP_NS NOT NULL,
	end_time    TIMESTAMP_NS,     -- NULL while in progress
	seq         BIGINT NOT NULL,  -- of rows with the same ids the highest counts
	ingested    TIMESTAMP NOT NULL,
	tenant      USMALLINT NOT NULL, -- tenants.id
	name        VARCHAR NOT NULL,
	origin      VARCHAR,
	flags       UTINYINT NOT NULL,
	status      INTEGER,
	annotations VARCHAR,
	document    VARCHAR NOT NULL USING COMPRESSION zstd
)`,
}

// metaTable tells a file's identity, by which what is kept beside it recognises it.
const metaTable = `
CREATE TABLE {db}.meta (id VARCHAR NOT NULL, signal VARCHAR NOT NULL, day DATE NOT NULL, version INTEGER NOT NULL);
CREATE TABLE {db}.tenants (id USMALLINT NOT NULL, account VARCHAR NOT NULL, region VARCHAR NOT NULL);
INSERT INTO {db}.meta VALUES ('{id}', '{signal}', '{day}', 1);
`

// createStatements makes the tables of a new file.
func createStatements(f *dayFile, db string) string {
	return strings.NewReplacer("{db}", db, "{id}", rand.Text(), "{signal}", f.signal.String(), "{day}", f.day.String()).
		Replace(metaTable + schemas[f.signal])
}

// realRows is the condition that leaves out padding.
var realRows = func() (c [signals]string) {
	c[signalLogs] = " WHERE tenant <> " + strconv.Itoa(padTenant)
	c[signalTraces] = c[signalLogs]
	return c
}()

// mainTables are the tables that have a row for each row written.
var mainTables = [signals]string{signalLogs: "logs", signalMetrics: "points", signalTraces: "spans"}
