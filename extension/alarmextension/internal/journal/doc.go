// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package journal keeps alarms and what happened to them in a storage extension: the rows of alarms and mute rules, the
// entries of their history, and which entries were not delivered yet.
//
// What happened is committed in one batch with the rows that changed, before anything of it leaves. An entry is kept for as
// long as history or a delivery needs it. Storage extensions know keys and values only; everything lies in numbered slots,
// which are used again, so that what is there can be found without a list of it.
package journal
