// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package unittest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/nephoscope/nephoscope/cmd/neph/internal/alarms/notation"
	"github.com/nephoscope/nephoscope/cmd/neph/internal/alarms/simulation"
	"github.com/nephoscope/nephoscope/pkg/alarm"
	"github.com/nephoscope/nephoscope/pkg/alarm/definitions"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// Limits of test files.
const (
	MaxFileBytes = 16 << 20
	maxTests     = 10_000
	maxDuration  = 366 * 24 * time.Hour
)

// DefaultStart is when the virtual clock of a test begins: a Monday.
var DefaultStart = time.Date(2026, time.January, 5, 0, 0, 0, 0, time.UTC)

// DefaultInterval is the distance of points.
const DefaultInterval = time.Minute

// File is a file of tests.
type File struct {
	Path   string
	Set    *definitions.Set
	Tests  []Test
	tenant cloudwatch.Tenant
}

// Test is one test: data on a virtual clock, and what is expected.
type Test struct {
	Name   string
	Line   int
	start  time.Time
	end    time.Time
	phase  time.Duration
	series []series
	steps  []step
	expect []expectation
}

// series is a metric and its points.
type series struct {
	metric     cloudwatch.Metric
	unit       string
	resolution int32
	start      time.Duration
	interval   time.Duration
	delay      time.Duration
	points     []notation.Point
}

// step is something that is done to alarms during a test.
type step struct {
	at     time.Duration
	line   int
	state  *stateStep
	enable []string
	disab  []string
}

type stateStep struct {
	Alarm      string `yaml:"alarm"`
	State      string `yaml:"state"`
	Reason     string `yaml:"reason"`
	ReasonData string `yaml:"reason_data"`
}

// expectation is what an alarm is expected to be at a time.
type expectation struct {
	rawExpectation
	at          time.Duration
	line        int
	transitions []transition
}

type transition struct {
	at      time.Duration
	state   alarm.State
	actions []string // nil: any
}

// The documents as they are written.
type rawFile struct {
	Definitions   []string          `yaml:"definitions"`
	Alarms        yaml.Node         `yaml:"Alarms"`
	MuteRules     yaml.Node         `yaml:"MuteRules"`
	Account       string            `yaml:"account"`
	Region        string            `yaml:"region"`
	StackName     string            `yaml:"stack_name"`
	Parameters    map[string]string `yaml:"parameters"`
	Variables     map[string]string `yaml:"variables"`
	VariableFiles []string          `yaml:"variable_files"`
	Values        map[string]string `yaml:"values"`
	Interval      string            `yaml:"interval"`
	Phase         string            `yaml:"phase"`
	Tests         []rawTest         `yaml:"tests"`
}

type rawTest struct {
	Name     string           `yaml:"name"`
	Start    string           `yaml:"start"`
	Interval string           `yaml:"interval"`
	Series   []rawSeries      `yaml:"series"`
	Steps    []rawStep        `yaml:"steps"`
	Expect   []rawExpectation `yaml:"expect"`
}

type rawSeries struct {
	Metric     string    `yaml:"metric"`
	Values     yaml.Node `yaml:"values"`
	Start      string    `yaml:"start"`
	Interval   string    `yaml:"interval"`
	Delay      string    `yaml:"delay"`
	Resolution int32     `yaml:"resolution"`
}

type rawStep struct {
	At             string     `yaml:"at"`
	SetState       *stateStep `yaml:"set_state"`
	EnableActions  []string   `yaml:"enable_actions"`
	DisableActions []string   `yaml:"disable_actions"`
}

type rawExpectation struct {
	At              string              `yaml:"at"`
	Alarm           string              `yaml:"alarm"`
	State           string              `yaml:"state"`
	Reason          *string             `yaml:"reason"`
	ReasonContains  texts               `yaml:"reason_contains"`
	ReasonData      any                 `yaml:"reason_data"`
	Actions         *[]string           `yaml:"actions"`
	EvaluationState *string             `yaml:"evaluation_state"`
	SuppressedBy    *string             `yaml:"suppressed_by"`
	Contributors    []map[string]string `yaml:"contributors"`
	Transitions     *[]rawTransition    `yaml:"transitions"`
}

type rawTransition struct {
	At      string   `yaml:"at"`
	State   string   `yaml:"state"`
	Actions []string `yaml:"actions"`
}

// texts are one text or several.
type texts []string

// UnmarshalYAML reads a string or a list of strings.
func (t *texts) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		*t = texts{n.Value}
		return nil
	}
	var list []string
	if err := n.Decode(&list); err != nil {
		return err
	}
	*t = list
	return nil
}

// UnmarshalYAML reads "16m10s ALARM", or a map.
func (t *rawTransition) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		at, state, ok := strings.Cut(n.Value, " ")
		if !ok {
			return fmt.Errorf("line %d: a transition is written as %q", n.Line, "5m10s ALARM")
		}
		t.At, t.State = at, strings.TrimSpace(state)
		return nil
	}
	// Decode of a node forgets that unknown fields are errors.
	for i := 0; i+1 < len(n.Content); i += 2 {
		if key := n.Content[i].Value; !slices.Contains([]string{"at", "state", "actions"}, key) {
			return fmt.Errorf("line %d: field %s not found in a transition", n.Content[i].Line, key)
		}
	}
	type plain rawTransition
	return n.Decode((*plain)(t))
}

// Read reads a file of tests, and the definitions that it names.
func Read(path string) (*File, error) {
	f, err := os.Open(path) //nolint:gosec // a file that the user names
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, MaxFileBytes+1))
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	if len(data) > MaxFileBytes {
		return nil, fmt.Errorf("%s: longer than %d bytes", path, MaxFileBytes)
	}
	file, err := parse(path, data)
	if err != nil {
		return nil, located(path, err)
	}
	return file, nil
}

// lineError is what is wrong in a line of the file.
type lineError struct {
	line int
	err  error
}

func (e *lineError) Error() string { return fmt.Sprintf("line %d: %v", e.line, e.err) }
func (e *lineError) Unwrap() error { return e.err }

// located puts the place before each error.
func located(path string, err error) error {
	if all, ok := err.(interface{ Unwrap() []error }); ok {
		var out []error
		for _, e := range all.Unwrap() {
			out = append(out, located(path, e))
		}
		return errors.Join(out...)
	}
	var at *lineError
	if errors.As(err, &at) {
		return fmt.Errorf("%s:%d: %w", path, at.line, at.err)
	}
	return fmt.Errorf("%s: %w", path, err)
}

func parse(path string, data []byte) (*File, error) {
	var raw rawFile
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	if err := dec.Decode(&raw); err != nil {
		return nil, err
	}
	var document yaml.Node
	if err := yaml.Unmarshal(data, &document); err != nil {
		return nil, err
	}
	file := &File{Path: path}
	set, err := raw.load(path, data, &document)
	if err != nil {
		return nil, err
	}
	file.Set = set
	file.tenant = cloudwatch.Tenant{Account: raw.settings("").Account, Region: raw.settings("").Region}
	if len(raw.Tests) == 0 || len(raw.Tests) > maxTests {
		return nil, fmt.Errorf("there must be from 1 to %d tests", maxTests)
	}
	tests := child(document.Content[0], "tests")
	var errs []error
	phase, err := duration("phase", raw.Phase, simulation.DefaultPhase)
	if err == nil && (phase < 0 || phase >= time.Minute) {
		err = errors.New("phase must be from 0s to 59s")
	}
	if err != nil {
		errs = append(errs, &lineError{child(document.Content[0], "phase").Line, err})
	}
	names := map[string]bool{}
	for i := range raw.Tests {
		node := tests.Content[i]
		test, err := raw.test(&raw.Tests[i], node, file)
		if err == nil && names[test.Name] {
			err = &lineError{node.Line, fmt.Errorf("another test has the name %q", test.Name)}
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		names[test.Name] = true
		test.phase = phase
		file.Tests = append(file.Tests, *test)
	}
	return file, errors.Join(errs...)
}

// settings are those of the definitions; relative files are beside the test file.
func (r *rawFile) settings(dir string) definitions.Settings {
	s := definitions.Settings{
		Account: r.Account, Region: r.Region, StackName: r.StackName, Parameters: r.Parameters, Variables: r.Variables, Values: r.Values,
	}
	if s.Account == "" {
		s.Account = "123456789012"
	}
	if s.Region == "" {
		s.Region = "us-east-1"
	}
	for _, file := range r.VariableFiles {
		s.VariableFiles = append(s.VariableFiles, beside(dir, file))
	}
	return s
}

func beside(dir, file string) string {
	if filepath.IsAbs(file) {
		return file
	}
	return filepath.Join(dir, file)
}

// load loads the definitions that the file names, and those in it.
func (r *rawFile) load(path string, data []byte, document *yaml.Node) (*definitions.Set, error) {
	dir := filepath.Dir(path)
	files := make([]string, len(r.Definitions))
	for i, file := range r.Definitions {
		files[i] = beside(dir, file)
	}
	inline := document.Content[0]
	own := make([]byte, 0, len(data))
	for _, key := range []string{"Alarms", "MuteRules"} {
		own = append(own, section(data, inline, key, bytes.Count(own, []byte("\n")))...)
	}
	s := r.settings(dir)
	set := &definitions.Set{}
	if len(files) > 0 {
		var err error
		if set, err = definitions.Load(s, files...); err != nil {
			return nil, fmt.Errorf("the definitions:\n%w", err)
		}
	}
	if len(own) > 0 {
		more, err := definitions.Parse(definitions.Settings{Account: s.Account, Region: s.Region}, path+".yaml", own)
		if err != nil {
			return nil, placed(err)
		}
		for i := range more.Alarms {
			more.Alarms[i].Source.File = path
		}
		set.Alarms = append(set.Alarms, more.Alarms...)
		set.MuteRules = append(set.MuteRules, more.MuteRules...)
	}
	if len(set.Alarms) == 0 {
		return nil, errors.New("there are no alarms: name files in definitions, or write Alarms")
	}
	seen := map[string]bool{}
	for _, d := range set.Alarms {
		if seen[d.Alarm.Name] {
			return nil, fmt.Errorf("the alarm %q is defined twice", d.Alarm.Name)
		}
		seen[d.Alarm.Name] = true
	}
	return set, nil
}

// placed has what is wrong with the alarms of a file of tests say where it stands there.
func placed(err error) error {
	var all *definitions.Error
	if !errors.As(err, &all) {
		return err
	}
	errs := make([]error, 0, len(all.Problems)+1)
	for _, p := range all.Problems {
		line := p.Line
		p.File = ""
		if line == 0 {
			errs = append(errs, p)
			continue
		}
		errs = append(errs, &lineError{line, p})
	}
	if all.More > 0 {
		errs = append(errs, fmt.Errorf("and %d more problems", all.More))
	}
	return errors.Join(errs...)
}

// section is a key of the document with what belongs to it, on the lines on which it stands. Lines that were written already
// are before it.
func section(data []byte, root *yaml.Node, key string, written int) []byte {
	lines := bytes.SplitAfter(data, []byte("\n"))
	for i := 0; i+1 < len(root.Content); i += 2 {
		if root.Content[i].Value != key {
			continue
		}
		first, end := root.Content[i].Line, len(lines)+1
		if root.Style&yaml.FlowStyle != 0 {
			// One line may hold all of it: write it anew.
			text, err := yaml.Marshal(map[string]*yaml.Node{key: root.Content[i+1]})
			if err != nil {
				return nil
			}
			return text
		}
		for j := 0; j+1 < len(root.Content); j += 2 {
			if next := root.Content[j].Line; next > first {
				end = min(end, next)
			}
		}
		out := bytes.Repeat([]byte("\n"), max(0, first-1-written))
		for _, line := range lines[first-1 : end-1] {
			out = append(out, line...)
		}
		return out
	}
	return nil
}

func child(n *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			if v := n.Content[i+1]; v.Kind == yaml.AliasNode {
				return v.Alias
			}
			return n.Content[i+1]
		}
	}
	return &yaml.Node{Line: n.Line}
}

func item(n *yaml.Node, i int) *yaml.Node {
	if i < len(n.Content) {
		return n.Content[i]
	}
	return n
}
