// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package udpsocket is what receivers need to know of their UDP sockets beyond what package net tells: how many datagrams the kernel
// dropped, and how large a buffer it gave.
package udpsocket
