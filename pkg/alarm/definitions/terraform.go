// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package definitions

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	hcljson "github.com/hashicorp/hcl/v2/json"
	"github.com/zclconf/go-cty/cty"
)

// module is the Terraform files of one directory.
type module struct {
	l         *loader
	dir       string
	variables map[string]*hcl.Block
	locals    map[string]*hcl.Attribute
	resources map[string]*tfResource // by type.name, those of data sources by data.type.name
	alarms    []*tfResource          // in order
	modules   map[string]bool
	providers []*hcl.Block
	given     map[string]cty.Value // values of variables

	values map[string]cty.Value // of variables and locals that were told
	open   map[string]bool      // what is being told
}

// tfResource is a resource or a data source.
type tfResource struct {
	address   string
	typ, name string
	block     *hcl.Block
	data      bool

	told      bool // instances is set
	instances []tfInstance
	keyed     cty.Type // DynamicPseudoType for one instance, Number for count, String for for_each
	broken    cty.Value
}

// tfInstance is one instance of a resource.
type tfInstance struct {
	address string
	vars    map[string]cty.Value // each or count
	key     string
}

// Limits of a module.
const (
	maxTerraformBytes = 2 << 20
	maxInstances      = 10_000
	maxNesting        = 200
	maxConditionals   = 5_000
)

var topLevel = &hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{
	{Type: "terraform"},
	{Type: "provider", LabelNames: []string{"name"}},
	{Type: "variable", LabelNames: []string{"name"}},
	{Type: "locals"},
	{Type: "output", LabelNames: []string{"name"}},
	{Type: "module", LabelNames: []string{"name"}},
	{Type: "resource", LabelNames: []string{"type", "name"}},
	{Type: "data", LabelNames: []string{"type", "name"}},
	{Type: "ephemeral", LabelNames: []string{"type", "name"}},
	{Type: "moved"},
	{Type: "import"},
	{Type: "removed"},
	{Type: "check", LabelNames: []string{"name"}},
	{Type: "action", LabelNames: []string{"type", "name"}},
}}

func (l *loader) module(file string) *module {
	dir := filepath.Dir(file)
	for _, m := range l.modules {
		if m.dir == dir {
			return m
		}
	}
	m := &module{
		l: l, dir: dir, variables: map[string]*hcl.Block{}, locals: map[string]*hcl.Attribute{},
		resources: map[string]*tfResource{}, modules: map[string]bool{},
		given: map[string]cty.Value{}, values: map[string]cty.Value{}, open: map[string]bool{},
	}
	l.modules = append(l.modules, m)
	return m
}

// addTerraform reads a file. Its alarms are told when all files of the module are there.
func (l *loader) addTerraform(file string, data []byte) {
	m := l.module(file)
	body, diags := parseHCL(file, data)
	l.diagnose("", diags)
	if body == nil {
		return
	}
	content, diags := body.Content(topLevel)
	l.diagnose("", diags)
	for _, b := range content.Blocks {
		m.addBlock(file, b)
	}
}

// parseHCL parses the native or the JSON syntax.
func parseHCL(file string, data []byte) (hcl.Body, hcl.Diagnostics) {
	if len(data) > maxTerraformBytes {
		return nil, hcl.Diagnostics{{
			Severity: hcl.DiagError, Summary: fmt.Sprintf("longer than %d bytes", maxTerraformBytes),
			Subject: &hcl.Range{Filename: file},
		}}
	}
	var parsed *hcl.File
	var diags hcl.Diagnostics
	if strings.HasSuffix(file, ".json") {
		// The reader of documents bounds the nesting, which the parser does not.
		if _, err := readJSON(data); err != nil {
			return nil, hcl.Diagnostics{{Severity: hcl.DiagError, Summary: err.Error(), Subject: &hcl.Range{Filename: file}}}
		}
		parsed, diags = hcljson.Parse(data, file)
	} else {
		if diags = checkNesting(file, data); diags.HasErrors() {
			return nil, diags
		}
		parsed, diags = hclsyntax.ParseConfig(data, file, hcl.InitialPos)
	}
	if diags.HasErrors() || parsed == nil {
		return nil, diags
	}
	return parsed.Body, diags
}

// checkNesting refuses what would make the parser recurse too deep.
func checkNesting(file string, data []byte) hcl.Diagnostics {
	tokens, _ := hclsyntax.LexConfig(data, file, hcl.InitialPos) // the parser reports its errors
	depth, signs, conditionals := 0, 0, 0
	for i := range tokens {
		switch t := &tokens[i]; t.Type {
		case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenTemplateInterp,
			hclsyntax.TokenTemplateControl, hclsyntax.TokenOQuote, hclsyntax.TokenOHeredoc:
			depth, signs = depth+1, 0
		case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenTemplateSeqEnd,
			hclsyntax.TokenCQuote, hclsyntax.TokenCHeredoc:
			depth, signs = max(0, depth-1), 0
		case hclsyntax.TokenBang, hclsyntax.TokenMinus:
			signs++
		case hclsyntax.TokenQuestion:
			conditionals++
		default:
			signs = 0
		}
		if depth > maxNesting || signs > maxNesting || conditionals > maxConditionals {
			return hcl.Diagnostics{{
				Severity: hcl.DiagError, Summary: fmt.Sprintf("nested deeper than %d", maxNesting), Subject: &tokens[i].Range,
			}}
		}
	}
	return nil
}

// diagnose makes problems of errors.
func (l *loader) diagnose(name string, diags hcl.Diagnostics) {
	for _, d := range diags {
		if d.Severity != hcl.DiagError {
			continue
		}
		p := Problem{Name: name, Message: diagnosis(d)}
		if d.Subject != nil {
			p.File, p.Line = d.Subject.Filename, d.Subject.Start.Line
		}
		l.problems.add(p)
	}
}

func diagnosis(d *hcl.Diagnostic) string {
	if d.Detail == "" {
		return d.Summary
	}
	return d.Summary + ": " + strings.TrimSuffix(strings.ReplaceAll(d.Detail, "\n", " "), ".")
}

func (m *module) addBlock(file string, b *hcl.Block) {
	l := m.l
	twice := func(what string) {
		l.fail(file, b.DefRange.Start.Line, "%s is declared twice", what)
	}
	switch b.Type {
	case "variable":
		if m.variables[b.Labels[0]] != nil {
			twice("var." + b.Labels[0])
			return
		}
		m.variables[b.Labels[0]] = b
	case "locals":
		attributes, diags := b.Body.JustAttributes()
		l.diagnose("", diags)
		for name, a := range attributes {
			if m.locals[name] != nil {
				l.fail(file, a.NameRange.Start.Line, "local.%s is declared twice", name)
			}
			m.locals[name] = a
		}
	case "resource", "data":
		r := &tfResource{typ: b.Labels[0], name: b.Labels[1], block: b, data: b.Type == "data"}
		r.address = r.typ + "." + r.name
		if r.data {
			r.address = "data." + r.address
		}
		if m.resources[r.address] != nil {
			twice(r.address)
			return
		}
		m.resources[r.address] = r
		if b.Type == "resource" && strings.HasPrefix(r.typ, "aws_cloudwatch_") && strings.Contains(r.typ, "alarm") {
			m.alarms = append(m.alarms, r)
		}
	case "module":
		m.modules[b.Labels[0]] = true
		l.note(file, b.DefRange.Start.Line, "module.%s is not followed: alarms in it are not read", b.Labels[0])
	case "provider":
		if b.Labels[0] == "aws" {
			m.providers = append(m.providers, b)
		}
	}
}

// addModules tells the alarms of all modules.
func (l *loader) addModules() {
	given := l.readVariableFiles()
	declared := map[string]bool{}
	for _, m := range l.modules {
		m.readVariables(given)
		for name := range m.variables {
			declared[name] = true
		}
		for _, r := range m.alarms {
			m.addAlarmResource(r)
		}
	}
	for _, name := range sortedKeys(l.Variables) {
		if !declared[name] {
			l.fail("", 0, "the variable %q is not declared by any module", name)
		}
	}
}

func sortedKeys[T any](m map[string]T) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func (l *loader) readVariableFiles() map[string]cty.Value {
	given := map[string]cty.Value{}
	for _, file := range l.VariableFiles {
		data, err := readFile(file)
		if err != nil {
			l.problems.add(Problem{File: file, Message: err.Error(), Err: err})
			continue
		}
		l.readVariableFile(file, data, given)
	}
	return given
}

func (l *loader) readVariableFile(file string, data []byte, into map[string]cty.Value) {
	body, diags := parseHCL(file, data)
	l.diagnose("", diags)
	if body == nil {
		return
	}
	attributes, diags := body.JustAttributes()
	l.diagnose("", diags)
	for name, a := range attributes {
		v, diags := a.Expr.Value(nil)
		l.diagnose("", diags)
		if !diags.HasErrors() {
			into[name] = v
		}
	}
}

// readVariables collects the values of variables, in Terraform's order: terraform.tfvars, *.auto.tfvars, those that were
// named, and those that were set one by one.
func (m *module) readVariables(named map[string]cty.Value) {
	if !m.l.inMemory {
		files := []string{"terraform.tfvars", "terraform.tfvars.json"}
		entries, _ := os.ReadDir(m.dir) // its files were read already
		for _, e := range entries {
			if n := e.Name(); strings.HasSuffix(n, ".auto.tfvars") || strings.HasSuffix(n, ".auto.tfvars.json") {
				files = append(files, n)
			}
		}
		for _, name := range files {
			file := filepath.Join(m.dir, name)
			data, err := readFile(file)
			switch {
			case os.IsNotExist(err):
			case err != nil:
				m.l.problems.add(Problem{File: file, Message: err.Error(), Err: err})
			default:
				m.l.readVariableFile(file, data, m.given)
			}
		}
	}
	maps.Copy(m.given, named)
	for name, text := range m.l.Variables {
		if m.variables[name] == nil {
			continue
		}
		v, diags := m.variableFromText(name, text)
		m.l.diagnose("var."+name, diags)
		m.given[name] = v
	}
}
