// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awswire

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"time"
)

// kind is what a value is on the wire.
type kind uint8

const (
	kindString kind = iota
	kindBool
	kindInt32
	kindInt64
	kindFloat32
	kindFloat64
	kindTime
	kindBlob
	kindList
	kindMap
	kindStruct
	kindUnion
)

// kindNames are the types as Smithy calls them, for error messages.
var kindNames = [...]string{
	kindString: "String", kindBool: "Boolean", kindInt32: "Integer", kindInt64: "Long", kindFloat32: "Float",
	kindFloat64: "Double", kindTime: "Timestamp", kindBlob: "Blob", kindList: "List", kindMap: "Map",
	kindStruct: "Structure", kindUnion: "Union",
}

// plan says how a Go type is read and written. Plans are built once per type and shared.
type plan struct {
	kind kind
	typ  reflect.Type // never a pointer
	// elem is the plan of a list's elements or a map's values; elemPtr says that Go holds them by pointer, which is
	// how the SDK writes a sparse collection.
	elem     *plan
	elemPtr  bool
	elemSize uintptr // of a list's elements in memory
	fields   []field // of a structure
	// members are those of a union.
	members []unionMember
	// mapNames are the names of key and value of a map in awsQuery, where they are not key and value.
	mapNames [2]string
}

// field is one member of a structure.
type field struct {
	name   string // on the wire
	json   string // "name":
	cbor   string // the encoded key
	offset uintptr
	ptr    bool
	plan   *plan
}

// unionMember is one alternative of a union: the SDK has a struct with one field, Value, for each.
type unionMember struct {
	field
	wrapper reflect.Type // the struct type whose pointer implements the union's interface
}

var (
	plans     sync.Map // reflect.Type -> *plan
	planMutex sync.Mutex

	typeTime = reflect.TypeFor[time.Time]()
)

// planFor returns the plan of a struct type.
func planFor(t reflect.Type) (*plan, error) {
	if p, ok := plans.Load(t); ok {
		return p.(*plan), nil
	}
	// Types may refer to themselves, so plans are linked before they are filled and must not be seen until complete.
	planMutex.Lock()
	defer planMutex.Unlock()
	b := planBuilder{new: make(map[reflect.Type]*plan)}
	p, err := b.build(t)
	if err != nil {
		return nil, err
	}
	for t, p := range b.new {
		plans.Store(t, p)
	}
	return p, nil
}

type planBuilder struct {
	new map[reflect.Type]*plan
}

func (b *planBuilder) build(t reflect.Type) (*plan, error) {
	if p, ok := plans.Load(t); ok {
		return p.(*plan), nil
	}
	if p, ok := b.new[t]; ok {
		return p, nil
	}
	p := &plan{typ: t}
	b.new[t] = p
	var err error
	switch {
	case t == typeTime:
		p.kind = kindTime
	case t.Kind() == reflect.String:
		p.kind = kindString
	case t.Kind() == reflect.Bool:
		p.kind = kindBool
	case t.Kind() == reflect.Int32:
		p.kind = kindInt32
	case t.Kind() == reflect.Int64:
		p.kind = kindInt64
	case t.Kind() == reflect.Float32:
		p.kind = kindFloat32
	case t.Kind() == reflect.Float64:
		p.kind = kindFloat64
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8:
		p.kind = kindBlob
	case t.Kind() == reflect.Slice:
		p.kind = kindList
		p.elemSize = t.Elem().Size()
		p.elem, p.elemPtr, err = b.element(t.Elem())
	case t.Kind() == reflect.Map && t.Key().Kind() == reflect.String:
		p.kind = kindMap
		p.elem, p.elemPtr, err = b.element(t.Elem())
		if strings.HasSuffix(t.Elem().PkgPath(), "/service/sns/types") && t.Elem().Name() == "MessageAttributeValue" {
			p.mapNames = [2]string{"Name", "Value"}
		}
	case t.Kind() == reflect.Struct:
		p.kind = kindStruct
		err = b.structure(p)
	case t.Kind() == reflect.Interface:
		p.kind = kindUnion
		err = b.union(p)
	default:
		err = fmt.Errorf("type %s has no form on the wire", t)
	}
	if err != nil {
		return nil, err
	}
	return p, nil
}

func (b *planBuilder) element(t reflect.Type) (*plan, bool, error) {
	ptr := t.Kind() == reflect.Pointer
	if ptr {
		t = t.Elem()
	}
	p, err := b.build(t)
	return p, ptr, err
}

func (b *planBuilder) structure(p *plan) error {
	names := namesOf(p.typ.PkgPath())
	for sf := range p.typ.Fields() {
		if !sf.IsExported() || sf.Name == "ResultMetadata" || sf.Name == "ErrorCodeOverride" {
			continue // the SDK's own
		}
		f, err := b.member(sf, names.wire(p.typ.Name(), sf.Name))
		if err != nil {
			return fmt.Errorf("%s.%s: %w", p.typ.Name(), sf.Name, err)
		}
		p.fields = append(p.fields, f)
	}
	return nil
}

func (b *planBuilder) member(sf reflect.StructField, name string) (field, error) {
	pl, ptr, err := b.element(sf.Type)
	if err != nil {
		return field{}, err
	}
	quoted, err := json.Marshal(name)
	if err != nil {
		return field{}, err
	}
	return field{
		name: name, json: string(quoted) + ":", cbor: string(appendCBORString(nil, name)),
		offset: sf.Offset, ptr: ptr, plan: pl,
	}, nil
}

func (b *planBuilder) union(p *plan) error {
	table, ok := unions[p.typ]
	if !ok {
		return fmt.Errorf("%s is not a known union: documents and unlisted unions cannot be read or written", p.typ)
	}
	names := namesOf(p.typ.PkgPath())
	for _, wrapper := range table {
		sf, ok := wrapper.FieldByName("Value")
		if !ok {
			return fmt.Errorf("%s has no Value", wrapper)
		}
		// The SDK names the wrapper <Union>Member<Member>.
		member := strings.TrimPrefix(wrapper.Name(), p.typ.Name()+"Member")
		f, err := b.member(sf, names.wire(p.typ.Name(), member))
		if err != nil {
			return fmt.Errorf("%s: %w", wrapper.Name(), err)
		}
		p.members = append(p.members, unionMember{field: f, wrapper: wrapper})
	}
	return nil
}

// memberNames knows the names of one service's members.
type memberNames struct {
	lower      bool
	exceptions map[string]string
}

func (n memberNames) wire(typ, goField string) string {
	if w, ok := n.exceptions[typ+"."+goField]; ok {
		return w
	}
	if n.lower {
		return lowerFirst(goField)
	}
	return goField
}

func lowerFirst(s string) string {
	if s == "" || s[0] < 'A' || s[0] > 'Z' {
		return s
	}
	return string(s[0]+'a'-'A') + s[1:]
}

// namesOf finds the service that a package of the SDK belongs to.
func namesOf(pkgPath string) memberNames {
	const root = "github.com/aws/aws-sdk-go-v2/service/"
	rest, ok := strings.CutPrefix(pkgPath, root)
	if !ok {
		return memberNames{}
	}
	pkg, _, _ := strings.Cut(rest, "/")
	d, ok := descriptionOfPackage(pkg)
	if !ok {
		return memberNames{}
	}
	return memberNames{lower: d.lower, exceptions: models[d.signingName].names}
}

// find returns the index of the field called name, or -1. Members mostly arrive in one order, element after element,
// so the search begins where the previous one ended.
func (p *plan) find(name []byte, from int) int {
	n := len(p.fields)
	for i := from; i < n; i++ {
		if p.fields[i].name == string(name) {
			return i
		}
	}
	if from > n {
		from = n
	}
	for i := range from {
		if p.fields[i].name == string(name) {
			return i
		}
	}
	return -1
}
