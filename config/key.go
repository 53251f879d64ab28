package config

import (
	"reflect"
	"strings"
	"unicode"
)

// Prefix is what the environment variables that override keys begin with.
const Prefix = "PUSHCART_"

// field is one key of a struct: a room's Config, or a group in one.
type field struct {
	name  string
	index []int // for reflect.Value.FieldByIndex
	typ   reflect.Type
}

// fields lists the keys of struct type t, those of inlined structs among them. A key's name is that in the
// field's yaml tag, else the field's name in snake case.
func fields(t reflect.Type) []field {
	var fs []field
	for i := range t.NumField() {
		sf := t.Field(i)
		name, option, _ := strings.Cut(sf.Tag.Get("yaml"), ",")
		if !sf.IsExported() || name == "-" {
			continue
		}
		if option == "inline" {
			for _, f := range fields(sf.Type) {
				f.index = append([]int{i}, f.index...)
				fs = append(fs, f)
			}
			continue
		}
		if name == "" {
			name = snake(sf.Name)
		}
		fs = append(fs, field{name, []int{i}, sf.Type})
	}
	return fs
}

func snake(s string) string {
	var b strings.Builder
	for i, r := range s {
		if unicode.IsUpper(r) && i > 0 {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

func names(fs []field) []string {
	ns := make([]string, len(fs))
	for i, f := range fs {
		ns[i] = f.name
	}
	return ns
}

// A key is a value that can be set by itself, in the file and in the environment.
type key struct {
	path  string        // rtmp.listen
	value reflect.Value // addressable
}

// env returns the variable that overrides the key.
func (k key) env() string { return Variable(k.path) }

// Variable returns the environment variable that overrides the key of that path: PUSHCART_RTMP_LISTEN for
// rtmp.listen.
func Variable(path string) string {
	return Prefix + strings.ToUpper(strings.ReplaceAll(path, ".", "_"))
}

// keys lists every key of the struct v that holds a value, groups left out, in the order of the fields.
// v must be addressable. A group with a short form (latency) comes before the keys in it.
func keys(v reflect.Value, prefix string) []key {
	var ks []key
	for _, f := range fields(v.Type()) {
		fv, path := v.FieldByIndex(f.index), join(prefix, f.name)
		if !isGroup(f.typ) {
			ks = append(ks, key{path, fv})
			continue
		}
		if _, ok := shortForms[f.typ]; ok {
			ks = append(ks, key{path, fv})
		}
		ks = append(ks, keys(fv, path)...)
	}
	return ks
}

// isGroup reports whether t is a struct with keys, and not a value that parses itself.
func isGroup(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && !reflect.PointerTo(t).Implements(textUnmarshaler)
}

func join(prefix, name string) string {
	if prefix == "" {
		return name
	}
	return prefix + "." + name
}
