package config

import (
	"reflect"
	"slices"
	"strings"
)

// environment is what was found in the variables.
type environment struct {
	overrides []Override
	unknown   []string
}

// variable returns the variable that has set the key path, "" if none has.
func (e environment) variable(path string) string {
	for _, o := range e.overrides {
		if o.Key == path {
			return o.Env
		}
	}
	return ""
}

// environment sets the keys in root that variables are named after.
func (d *decoder) environment(root reflect.Value, environ []string) environment {
	var env environment
	values := make(map[string]string)
	for _, kv := range environ {
		if name, value, ok := strings.Cut(kv, "="); ok && strings.HasPrefix(name, Prefix) {
			values[name] = value
		}
	}
	for _, k := range keys(root, "") {
		value, ok := values[k.env()]
		if !ok {
			continue
		}
		delete(values, k.env())
		set := setText
		if k.value.Kind() == reflect.Slice {
			set = setList
		}
		if err := set(k.value, value); err != nil {
			d.failIn(k.env(), position{}, "%s: %v", k.path, err)
			continue
		}
		env.overrides = append(env.overrides, Override{k.path, k.env(), show(k.value)})
	}
	for name := range values {
		env.unknown = append(env.unknown, name)
	}
	slices.Sort(env.unknown)
	return env
}

// Keys lists every key with its variable and its value in c, secrets hidden, in the order of the fields.
func (c Config) Keys() []Override {
	var ks []Override
	for _, k := range keys(reflect.ValueOf(&c).Elem(), "") {
		ks = append(ks, Override{k.path, k.env(), show(k.value)})
	}
	return ks
}
