package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// decoder fills structs from a file and remembers where each value came from. It goes on after an error, so
// that one run tells them all.
type decoder struct {
	file string
	root reflect.Type
	set  map[string]position // path of a key, with indices, to its place in the file
	bad  map[string]bool     // paths that an error has been reported for
	errs Errors
	more bool // errors that are not in errs
}

func (d *decoder) fail(p position, format string, args ...any) {
	d.failIn(d.file, p, format, args...)
}

func (d *decoder) failIn(source string, p position, format string, args ...any) {
	if len(d.errs) == maxErrors {
		d.more = true
		return
	}
	d.errs = append(d.errs, &Error{source, p.line, p.column, fmt.Sprintf(format, args...)})
}

// failKey is fail for a key's value, whose room need not be asked about it any more.
func (d *decoder) failKey(path string, p position, format string, args ...any) {
	d.bad[path] = true
	d.fail(p, "%s"+format, append([]any{path}, args...)...)
}

// all returns what was reported, in the order of the file; what has no place in it comes last.
func (d *decoder) all() Errors {
	slices.SortStableFunc(d.errs, func(a, b *Error) int {
		if (a.Line == 0) != (b.Line == 0) {
			return b.Line - a.Line
		}
		return a.Line - b.Line
	})
	if d.more {
		d.errs = append(d.errs, &Error{Source: d.file, Message: "there are more errors: correct these first"})
	}
	return d.errs
}

// group fills the struct v, whose path is prefix, from n. An empty group, all of whose keys are
// commented out, is as good as none.
func (d *decoder) group(v reflect.Value, prefix string, n ast.Node) {
	if n == nil || n.Type() == ast.NullType {
		return
	}
	m, ok := n.(ast.MapNode)
	if !ok {
		d.fail(at(n), "%s holds %s: it must be a group of keys (%s)", orFile(prefix), describe(n), list(names(fields(v.Type())), "and"))
		return
	}
	fs := fields(v.Type())
	for it := m.MapRange(); it.Next(); {
		name, pos := it.Key().GetToken().Value, at(it.Key())
		i := slices.IndexFunc(fs, func(f field) bool { return f.name == name })
		if i < 0 {
			d.bad[prefix] = true
			d.fail(pos, "unknown key %q%s", oneLine(name), d.hint(name, prefix, names(fs)))
			continue
		}
		path := join(prefix, name)
		if first, ok := d.set[path]; ok {
			d.fail(pos, "%s is here a second time: it is set in line %d", path, first.line)
			continue
		}
		d.set[path] = pos
		d.value(v.FieldByIndex(fs[i].index), path, it.Value())
	}
}

// value fills v, which may be of any kind that a configuration is made of.
func (d *decoder) value(v reflect.Value, path string, n ast.Node) {
	_, short := shortForms[v.Type()]
	_, isMap := n.(ast.MapNode)
	switch {
	case isGroup(v.Type()) && (isMap || !short || n.Type() == ast.NullType):
		d.group(v, path, n)
	case v.Kind() == reflect.Slice:
		d.list(v, path, n)
	default:
		d.scalar(v, path, n)
	}
}

func (d *decoder) list(v reflect.Value, path string, n ast.Node) {
	if n.Type() == ast.NullType {
		return
	}
	seq, ok := n.(*ast.SequenceNode)
	if !ok {
		d.failKey(path, at(n), " holds %s: it must be a list; begin each entry with a dash, or write [a, b]", describe(n))
		return
	}
	s := reflect.MakeSlice(v.Type(), len(seq.Values), len(seq.Values))
	for i, item := range seq.Values {
		pos, itemPath := at(item), fmt.Sprintf("%s[%d]", path, i)
		if item.Type() == ast.NullType {
			d.failKey(itemPath, pos, " is an empty entry: fill it in or take its dash away")
			continue
		}
		d.set[itemPath] = pos
		d.value(s.Index(i), itemPath, item)
	}
	v.Set(s)
}

// scalar fills v from one word. The file's own types are kept apart: an unquoted 0123 is a number to
// YAML, and a stream key that was read as one would not be the same any more.
func (d *decoder) scalar(v reflect.Value, path string, n ast.Node) {
	text, isText := "", true
	switch n := n.(type) {
	case *ast.NullNode:
		d.failKey(path, at(n), " has no value: write one, or leave the key out for the default")
		return
	case *ast.StringNode:
		text = n.Value
	case *ast.LiteralNode:
		text = strings.TrimSpace(n.Value.Value)
	case *ast.BoolNode, *ast.IntegerNode, *ast.FloatNode, *ast.NanNode, *ast.InfinityNode:
		text, isText = n.GetToken().Value, false
	default:
		d.failKey(path, at(n), " holds %s: it must be a single value", describe(n))
		return
	}
	switch {
	case v.Kind() == reflect.String && !isText:
		d.failKey(path, at(n), " holds %s to YAML, and must be a text: put it in quotes", describe(n))
		return
	case plain(v) && quoted(n):
		d.failKey(path, at(n), " holds a text: take the quotes away")
		return
	}
	if err := setText(v, text); err != nil {
		d.failKey(path, at(n), ": %v", err)
	}
}

// plain reports whether v is written without quotes only: a number, true or false.
func plain(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Bool, reflect.Int, reflect.Int64, reflect.Float64:
		return v.Type() != durationType && !v.Addr().Type().Implements(textUnmarshaler)
	}
	return false
}

func quoted(n ast.Node) bool {
	o := strings.TrimSpace(n.GetToken().Origin)
	return strings.HasPrefix(o, `"`) || strings.HasPrefix(o, "'")
}

// hint returns the end of the sentence about an unknown key: what was probably meant.
func (d *decoder) hint(name, prefix string, siblings []string) string {
	if n := nearest(name, siblings); n != "" && distance(n, name) <= 2 {
		return fmt.Sprintf("; did you mean %q?", n)
	}
	if elsewhere := d.elsewhere(name); len(elsewhere) > 0 {
		return fmt.Sprintf("; did you mean %s?", list(elsewhere, "or"))
	}
	if n := nearest(name, siblings); n != "" {
		return fmt.Sprintf("; did you mean %q?", n)
	}
	return fmt.Sprintf("; the keys %s are %s", in(prefix), list(siblings, "and"))
}

// elsewhere lists the paths of keys that are called name.
func (d *decoder) elsewhere(name string) []string {
	var paths []string
	for _, k := range keys(reflect.New(d.root).Elem(), "") {
		if k.path == name || strings.HasSuffix(k.path, "."+name) {
			paths = append(paths, k.path)
		}
	}
	return paths
}

func in(prefix string) string {
	if prefix == "" {
		return "of the file"
	}
	return "in " + prefix
}

func orFile(prefix string) string {
	if prefix == "" {
		return "the file"
	}
	return prefix
}
