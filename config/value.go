package config

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"pushcart/packager"
)

var (
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
	durationType    = reflect.TypeFor[time.Duration]()
)

// shortForms are the groups that can be written as one word instead.
var shortForms = map[reflect.Type]func(v reflect.Value, word string) error{
	reflect.TypeFor[packager.Latency](): func(v reflect.Value, word string) error {
		l, ok := packager.Preset(word)
		if !ok {
			if hint := nearest(word, packager.PresetNames()); hint != "" {
				return fmt.Errorf("%q is no latency; did you mean %q?", oneLine(word), hint)
			}
			return fmt.Errorf("%q is no latency: use %s, or the keys part, hold_back and segment", oneLine(word), list(packager.PresetNames(), "or"))
		}
		v.Set(reflect.ValueOf(l))
		return nil
	},
}

// setText parses text into v, which is no group without a short form. Errors say what was expected, as the
// rest of a sentence that begins with the key.
func setText(v reflect.Value, text string) error {
	if short, ok := shortForms[v.Type()]; ok {
		return short(v, text)
	}
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		if err := u.UnmarshalText([]byte(text)); err != nil {
			return errors.New(oneLine(err.Error()))
		}
		return nil
	}
	if v.Type() == durationType {
		d, err := parseDuration(text)
		if err == nil {
			v.SetInt(int64(d))
		}
		return err
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		if text != "true" && text != "false" {
			return fmt.Errorf("%q is neither true nor false", oneLine(text))
		}
		v.SetBool(text == "true")
	case reflect.Int, reflect.Int64:
		n, err := strconv.ParseInt(text, 10, v.Type().Bits())
		if err != nil {
			return fmt.Errorf("%q is no whole number", oneLine(text))
		}
		v.SetInt(n)
	case reflect.Float64:
		f, err := strconv.ParseFloat(text, 64)
		if err != nil || f != f || f-f != 0 {
			return fmt.Errorf("%q is no number", oneLine(text))
		}
		v.SetFloat(f)
	default:
		panic(fmt.Sprintf("config: no way to set a %v", v.Type())) // TestEveryKeyCanBeSet keeps this from happening
	}
	return nil
}

// parseDuration wants a unit: a bare number is seconds to some and milliseconds to others.
func parseDuration(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if _, e := strconv.ParseFloat(text, 64); e == nil {
		return 0, fmt.Errorf("%s has no unit: write %ss for seconds, or use ms, m or h", text, text)
	}
	if err != nil {
		return 0, fmt.Errorf("%q is no duration: write a number and its unit, such as 500ms, 60s, 30m or 1h30m", oneLine(text))
	}
	return d, nil
}

// setList parses comma-separated text into the slice v: an environment variable can't hold a list of
// groups, and there is no other kind of list.
func setList(v reflect.Value, text string) error {
	if isGroup(v.Type().Elem()) {
		return errors.New("can only be set in the file")
	}
	var words []string
	if strings.TrimSpace(text) != "" {
		words = strings.Split(text, ",")
	}
	s := reflect.MakeSlice(v.Type(), len(words), len(words))
	for i, w := range words {
		if err := setText(s.Index(i), strings.TrimSpace(w)); err != nil {
			return err
		}
	}
	v.Set(s)
	return nil
}

// show returns v as it would be written in a file, secrets hidden.
func show(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case packager.Latency:
		for _, name := range packager.PresetNames() {
			if p, _ := packager.Preset(name); p == x {
				return name
			}
		}
		return fmt.Sprintf("{part: %v, hold_back: %v, segment: %v}", x.Part, x.HoldBack, x.Segment)
	case fmt.Stringer: // durations, secrets, addresses
		return x.String()
	}
	switch v.Kind() {
	case reflect.String:
		return strconv.Quote(v.String())
	case reflect.Slice:
		if isGroup(v.Type().Elem()) {
			return fmt.Sprintf("(%d entries)", v.Len())
		}
		items := make([]string, v.Len())
		for i := range items {
			items[i] = show(v.Index(i))
		}
		return "[" + strings.Join(items, ", ") + "]"
	}
	return fmt.Sprint(v.Interface())
}
