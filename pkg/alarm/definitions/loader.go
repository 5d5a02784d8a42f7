// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package definitions

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/nephoscope/nephoscope/pkg/alarm"
)

// Set is what files define.
type Set struct {
	// Alarms are in order of the files, and within a file as they stand. No two have the same name.
	Alarms    []Definition
	MuteRules []MuteRule
	Notes     []Note
}

// Load reads files of any format; a directory stands for the definition files in it. Terraform files of one directory are
// one module. The error is an [Error] when the files are wrong.
func Load(s Settings, files ...string) (*Set, error) {
	paths, err := expand(files)
	if err != nil {
		return nil, err
	}
	l := newLoader(s)
	for _, path := range paths {
		data, err := readFile(path)
		if err != nil {
			return nil, err
		}
		l.add(path, data)
	}
	return l.finish()
}

// Parse reads one file from memory. The format is told by the ending of its name, and by its content.
func Parse(s Settings, name string, data []byte) (*Set, error) {
	l := newLoader(s)
	l.inMemory = true
	if len(data) > MaxFileBytes {
		return nil, fmt.Errorf("%s: longer than %d bytes", name, MaxFileBytes)
	}
	l.add(name, data)
	return l.finish()
}

// endings of the files that a directory is searched for.
var endings = []string{".tf", ".tf.json", ".yaml", ".yml", ".json", ".template"}

func expand(files []string) ([]string, error) {
	var paths []string
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			paths = append(paths, file)
			continue
		}
		entries, err := os.ReadDir(file)
		if err != nil {
			return nil, err
		}
		found := false
		for _, e := range entries {
			name := e.Name()
			if e.IsDir() || strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".tfvars.json") ||
				!slices.ContainsFunc(endings, func(s string) bool { return strings.HasSuffix(name, s) }) {
				continue
			}
			found = true
			paths = append(paths, filepath.Join(file, name))
		}
		if !found {
			return nil, fmt.Errorf("%s: no definition files (%s)", file, strings.Join(endings, ", "))
		}
	}
	if len(paths) > MaxFiles {
		return nil, fmt.Errorf("%d files are more than %d", len(paths), MaxFiles)
	}
	return paths, nil
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path) //nolint:gosec // a file that the user names
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	data, err := io.ReadAll(io.LimitReader(f, MaxFileBytes+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(data) > MaxFileBytes {
		return nil, fmt.Errorf("%s: longer than %d bytes", path, MaxFileBytes)
	}
	return data, nil
}

// loader puts a set together.
type loader struct {
	Settings
	set      Set
	problems problems
	names    map[string]Source // of alarms
	rules    map[string]Source // of mute rules
	modules  []*module         // of Terraform, by directory
	declared map[string]bool   // parameters of templates
	// inMemory is set when there are no files beside the one that is read.
	inMemory bool
}

func newLoader(s Settings) *loader {
	return &loader{
		Settings: s.withDefaults(), names: map[string]Source{}, rules: map[string]Source{}, declared: map[string]bool{},
	}
}

func (l *loader) fail(file string, line int, format string, args ...any) {
	l.problems.add(Problem{File: file, Line: line, Message: fmt.Sprintf(format, args...)})
}

func (l *loader) note(file string, line int, format string, args ...any) {
	n := Note{File: file, Line: line, Text: fmt.Sprintf(format, args...)}
	if len(l.set.Notes) < maxProblems && !slices.Contains(l.set.Notes, n) {
		l.set.Notes = append(l.set.Notes, n)
	}
}

func (l *loader) add(file string, data []byte) {
	if strings.HasSuffix(file, ".tf") || strings.HasSuffix(file, ".tf.json") {
		l.addTerraform(file, data)
		return
	}
	read := readYAML
	if looksLikeJSON(file, data) {
		read = readJSON
	}
	doc, err := read(data)
	if err != nil {
		l.failSyntax(file, err)
		return
	}
	l.addDocument(file, doc)
}

func (l *loader) failSyntax(file string, err error) {
	p := Problem{File: file, Message: err.Error(), Err: err}
	var syntax *syntaxError
	if errors.As(err, &syntax) {
		p.Line, p.Message = syntax.line, syntax.message
	}
	l.problems.add(p)
}

func looksLikeJSON(file string, data []byte) bool {
	switch strings.ToLower(filepath.Ext(file)) {
	case ".json":
		return true
	case ".yaml", ".yml":
		return false
	}
	for _, c := range data {
		switch c {
		case ' ', '\t', '\r', '\n':
			continue
		}
		return c == '{' || c == '['
	}
	return false
}

// addDocument tells the format of a document by its keys.
func (l *loader) addDocument(file string, doc *value) {
	switch {
	case doc.kind == kindNull:
		l.fail(file, 0, "the file is empty")
	case doc.kind == kindMap && doc.get("Resources") != nil:
		l.addTemplate(file, doc)
	case doc.kind == kindMap && (doc.get("MetricAlarms") != nil || doc.get("CompositeAlarms") != nil || doc.get("LogAlarms") != nil):
		l.addDescription(file, doc)
	case doc.kind == kindMap && (doc.get("Alarms") != nil || doc.get("MuteRules") != nil):
		l.addNative(file, doc)
	default:
		l.fail(file, doc.line, "no alarm definitions: there is neither Alarms or MuteRules, nor Resources (of a CloudFormation "+
			"template), nor MetricAlarms or CompositeAlarms (of `aws cloudwatch describe-alarms`)")
	}
}

// addAlarm takes a definition over, unless something is wrong with it. The decoder has read everything that it knows.
func (l *loader) addAlarm(d *decoder, a *alarm.Definition, known []string) {
	before := len(l.problems.list) + l.problems.more
	d.done(known...)
	if l.failedFrom(d, before) {
		return
	}
	if err := alarm.Validate(a); err != nil {
		l.invalid(d, err)
		return
	}
	if first, twice := l.names[a.Name]; twice {
		d.fail(d.line("AlarmName"), d.shown("AlarmName"), "the alarm %q is defined in %s:%d already", a.Name, first.File, first.Line)
		return
	}
	if len(l.set.Alarms)+len(l.set.MuteRules) >= MaxAlarms {
		d.fail(d.v.line, "", "more than %d alarms", MaxAlarms)
		return
	}
	l.names[a.Name] = d.source
	l.set.Alarms = append(l.set.Alarms, Definition{Alarm: a, Source: d.source})
}

// failedFrom is whether the alarm of the decoder has problems, of which the caller has counted those before its last step.
func (l *loader) failedFrom(d *decoder, before int) bool {
	if len(l.problems.list)+l.problems.more > before || l.problems.more > 0 {
		return true
	}
	// Problems of an alarm are next to each other.
	for _, p := range slices.Backward(l.problems.list) {
		if p.File == d.source.File && p.Name == d.source.Name {
			return true
		}
	}
	return false
}

var wordInMessage = regexp.MustCompile(`[A-Za-z]+`)

// invalid reports what CloudWatch would say of a definition, at the property that it names.
func (l *loader) invalid(d *decoder, err error) {
	p := Problem{File: d.source.File, Line: d.v.line, Name: d.source.Name, Message: err.Error(), Err: err}
	for _, word := range wordInMessage.FindAllString(err.Error(), -1) {
		for i := range d.v.fields {
			f := &d.v.fields[i]
			if strings.EqualFold(f.key, word) {
				p.Line, p.Property = f.line, d.pathOf(f)
				l.problems.add(p)
				return
			}
		}
	}
	l.problems.add(p)
}

func (l *loader) finish() (*Set, error) {
	l.addModules()
	for name := range l.Parameters {
		if !l.declared[name] {
			l.fail("", 0, "the parameter %q is not declared by any template", name)
		}
	}
	if err := l.problems.err(); err != nil {
		return nil, err
	}
	return &l.set, nil
}
