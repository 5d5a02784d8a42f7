// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package service runs an engine of alarms: it gives it the time, commits what it says before anything of it leaves, hands
// actions and events over, and takes changes from files and from the API.
package service
