// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"fmt"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// playCollector makes the test binary behave as a collector of some kind.
const playCollector = "NEPH_TEST_COLLECTOR"

func TestMain(m *testing.M) {
	switch os.Getenv(playCollector) {
	case "fails":
		for i := range 100 {
			fmt.Println("line", i)
		}
		fmt.Println("invalid configuration: no")
		os.Exit(1)
	case "hangs":
		time.Sleep(time.Hour) // until it is interrupted
	}
	goleak.VerifyTestMain(m)
}
