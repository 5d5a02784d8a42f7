// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package logs serves the API of CloudWatch Logs: groups, streams, events, queries.
//
// What clients put becomes log records and goes through the pipelines. What they ask for comes from the store. The
// settings of groups, streams and saved queries are kept in the collector's storage, by account and region, and are
// there before an operation answers.
//
// A log group need not have been created here: one that other receivers fill (OTLP, EMF) is found in the store and
// served alike.
//
// Deleting hides rather than erases: the group or stream keeps a tombstone, the time up to which its events are not
// seen any more. What is put into a group made anew is always ingested after that time, so nothing old comes back
// and nothing new is lost, however fast one follows the other. The store's own retention erases the events.
package logs
