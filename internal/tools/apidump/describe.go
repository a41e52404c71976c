// SPDX-License-Identifier: AGPL-3.0-only

package main

import (
	"fmt"
	"go/types"
	"path"
	"strings"
)

// describer writes the lines of one package. In them a type of the package itself has no prefix, one of another package of
// the module its path inside the module, and any other its import path.
type describer struct {
	pkg    *types.Package
	prefix string // of every line: the package's path inside the module
	module string
	lines  []string
}

// describe returns the package's exported declarations, one a line, unsorted.
func describe(pkg *types.Package, module string) []string {
	d := &describer{pkg: pkg, module: module}
	d.prefix = d.inModule(pkg)
	scope := pkg.Scope()
	for _, name := range scope.Names() {
		if obj := scope.Lookup(name); obj.Exported() {
			d.object(obj)
		}
	}
	return d.lines
}

// inModule is the package's path inside the module, or the module's last element for its root.
func (d *describer) inModule(p *types.Package) string {
	if p.Path() == d.module {
		return path.Base(d.module)
	}
	return strings.TrimPrefix(p.Path(), d.module+"/")
}

func (d *describer) qualify(p *types.Package) string {
	if p == d.pkg {
		return ""
	}
	return d.inModule(p)
}

func (d *describer) add(format string, args ...any) {
	d.lines = append(d.lines, "pkg "+d.prefix+", "+fmt.Sprintf(format, args...))
}

func (d *describer) text(t types.Type) string { return types.TypeString(t, d.qualify) }

func (d *describer) object(obj types.Object) {
	switch obj := obj.(type) {
	case *types.Const:
		d.add("const %s %s = %s", obj.Name(), d.text(obj.Type()), obj.Val().ExactString())
	case *types.Var:
		d.add("var %s %s", obj.Name(), d.text(obj.Type()))
	case *types.Func:
		d.add("func %s%s", obj.Name(), d.signature(obj))
	case *types.TypeName:
		d.typeName(obj)
	}
}

// signature is a function's parameters and results, without the word func.
func (d *describer) signature(f *types.Func) string {
	return strings.TrimPrefix(d.text(f.Type()), "func")
}

func (d *describer) typeName(obj *types.TypeName) {
	if obj.IsAlias() {
		target := obj.Type()
		if a, ok := target.(*types.Alias); ok {
			target = a.Rhs()
		}
		d.add("type %s = %s", obj.Name(), d.text(target))
		return
	}
	named := obj.Type().(*types.Named)
	head := "type " + obj.Name() + d.typeParams(named)
	switch u := named.Underlying().(type) {
	case *types.Struct:
		d.add("%s struct", head)
		d.fields(head, u)
	case *types.Interface:
		d.interfaceType(head, u)
		return
	default:
		d.add("%s %s", head, d.text(u))
	}
	d.methods(named)
}

func (d *describer) typeParams(named *types.Named) string {
	list := named.TypeParams()
	if list.Len() == 0 {
		return ""
	}
	parts := make([]string, list.Len())
	for i := range parts {
		p := list.At(i)
		parts[i] = p.Obj().Name() + " " + d.text(p.Constraint())
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

func (d *describer) fields(head string, s *types.Struct) {
	for i := range s.NumFields() {
		f := s.Field(i)
		switch {
		case !f.Exported():
		case f.Embedded():
			d.add("%s struct, embedded %s", head, d.text(f.Type()))
		default:
			d.add("%s struct, %s %s", head, f.Name(), d.text(f.Type()))
		}
	}
}

// interfaceType has a line for each method, also those of embedded interfaces, and says when others cannot implement it.
func (d *describer) interfaceType(head string, it *types.Interface) {
	if !it.IsMethodSet() { // a constraint: its union is the whole of it
		d.add("%s %s", head, d.text(it))
		return
	}
	sealed := ""
	for i := range it.NumMethods() {
		m := it.Method(i)
		if !m.Exported() {
			sealed = " (sealed)"
			continue
		}
		d.add("%s interface, %s%s", head, m.Name(), d.signature(m))
	}
	d.add("%s interface%s", head, sealed)
}

// methods has a line for each exported method. One promoted from an embedded type that is exported is found there.
func (d *describer) methods(named *types.Named) {
	onValue := types.NewMethodSet(named)
	onPointer := types.NewMethodSet(types.NewPointer(named))
	for i := range onPointer.Len() {
		sel := onPointer.At(i)
		f := sel.Obj().(*types.Func)
		if !f.Exported() || fromExportedField(named, sel.Index()) {
			continue
		}
		receiver := "*" + named.Obj().Name()
		if onValue.Lookup(f.Pkg(), f.Name()) != nil {
			receiver = named.Obj().Name()
		}
		d.add("method (%s) %s%s", receiver, f.Name(), d.signature(f))
	}
}

// fromExportedField reports whether the path to a method leads through an embedded field that is exported.
func fromExportedField(named *types.Named, index []int) bool {
	s, ok := named.Underlying().(*types.Struct)
	return ok && len(index) > 1 && s.Field(index[0]).Exported()
}
