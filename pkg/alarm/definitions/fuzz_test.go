// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package definitions

import (
	"os"
	"testing"

	"github.com/nephoscope/nephoscope/pkg/alarm"
)

func fuzz(f *testing.F, name string, seeds ...string) {
	f.Helper()
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	for _, file := range []string{
		"testdata/bad/" + name, examples + "native/shop.yaml", examples + "terraform/alarms.tf", examples + "cloudformation/shop.template.yaml",
	} {
		if data, err := os.ReadFile(file); err == nil {
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		set, err := Parse(Settings{}, name, data)
		if err != nil {
			return
		}
		for _, d := range set.Alarms {
			if err := alarm.Validate(d.Alarm); err != nil || d.Source.Line < 1 {
				t.Fatalf("%+v: %v", d.Source, err)
			}
		}
		text, err := Marshal(set)
		if err != nil {
			t.Fatal(err)
		}
		if len(set.Alarms)+len(set.MuteRules) == 0 {
			return
		}
		again, err := Parse(Settings{}, "again.yaml", text)
		if err != nil || len(again.Alarms) != len(set.Alarms) {
			t.Fatalf("%v\n%s", err, text)
		}
	})
}

func FuzzYAML(f *testing.F) { fuzz(f, "native.yaml", nativeOfMany) }

func FuzzJSON(f *testing.F) { fuzz(f, "describe.json", templateOfMany) }

func FuzzTerraform(f *testing.F) { fuzz(f, "module.tf", terraformOfMany) }
