package cue

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// JSON as it was sent: members in order, numbers with their digits, so that what the house does not know is
// passed on as it came. A value is nil, bool, json.Number, string, list or object.
type (
	object []member
	list   []any
	member struct {
		name  string
		value any
	}
)

const (
	// maxDepth is how deeply values may nest.
	maxDepth = 32
	// maxNumber is how many characters a number may have: readers differ in what they make of longer ones.
	maxNumber = 64
)

// get returns the member called name.
func (o object) get(name string) (any, bool) {
	for _, m := range o {
		if m.name == name {
			return m.value, true
		}
	}
	return nil, false
}

// text returns the member called name if it is a string, else "".
func (o object) text(name string) string {
	v, _ := o.get(name)
	s, _ := v.(string)
	return s
}

// with returns o with the member set. o may not be used any more.
func (o object) with(name string, value any) object {
	for i := range o {
		if o[i].name == name {
			o[i].value = value
			return o
		}
	}
	return append(o, member{name, value})
}

// without returns a copy of o that lacks the members.
func (o object) without(names ...string) object {
	return slices.DeleteFunc(slices.Clone(o), func(m member) bool { return slices.Contains(names, m.name) })
}

// readJSON parses exactly one value. It refuses what readers of JSON would disagree about: text that is not
// UTF-8, names that occur twice, halves of surrogate pairs. The error is an *Error.
func readJSON(data []byte) (any, error) {
	if !utf8.Valid(data) {
		return nil, refuse(Invalid, "the text is not UTF-8: send JSON in UTF-8")
	}
	if loneSurrogate(data) {
		return nil, refuse(Invalid, `a \u escape is half of a surrogate pair: send the character itself`)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	v, err := readValue(dec, 0)
	if err != nil {
		var ours *Error
		if errors.As(err, &ours) {
			return nil, err
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, refuse(Invalid, "this is no complete JSON: it ends too early")
		}
		return nil, refuse(Invalid, "this is no JSON: at byte %d, %v", dec.InputOffset(), err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, refuse(Invalid, "there is something behind the JSON value, at byte %d: send one value", dec.InputOffset())
	}
	return v, nil
}

func readValue(dec *json.Decoder, depth int) (any, error) {
	tok, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch tok := tok.(type) {
	case json.Delim:
		if depth == maxDepth {
			return nil, refuse(Invalid, "values are nested more than %d deep: make it flatter", maxDepth)
		}
		if tok == '[' {
			return readList(dec, depth+1)
		}
		return readObject(dec, depth+1)
	case json.Number:
		if len(tok) > maxNumber {
			return nil, refuse(Invalid, "a number has more than %d digits: write it as text", maxNumber)
		}
	}
	return tok, nil
}

func readList(dec *json.Decoder, depth int) (any, error) {
	l := list{}
	for dec.More() {
		v, err := readValue(dec, depth)
		if err != nil {
			return nil, err
		}
		l = append(l, v)
	}
	_, err := dec.Token()
	return l, err
}

func readObject(dec *json.Decoder, depth int) (any, error) {
	o := object{}
	seen := make(map[string]bool)
	for dec.More() {
		tok, err := dec.Token()
		if err != nil {
			return nil, err
		}
		name := tok.(string) // the decoder sees to it
		if seen[name] {
			return nil, refuse(Invalid, "%s is there twice: say it once", quote(name))
		}
		seen[name] = true
		v, err := readValue(dec, depth)
		if err != nil {
			return nil, err
		}
		o = append(o, member{name, v})
	}
	_, err := dec.Token()
	return o, err
}

// loneSurrogate reports whether a \u escape stands for half of a character.
func loneSurrogate(data []byte) bool {
	for i := 0; i+1 < len(data); i++ {
		if data[i] != '\\' {
			continue
		}
		if data[i+1] != 'u' {
			i++ // whatever is escaped
			continue
		}
		switch c := escaped(data[i:]); {
		case c >= 0xdc00 && c < 0xe000:
			return true
		case c >= 0xd800 && c < 0xdc00:
			if low := escaped(data[i+6:]); low < 0xdc00 || low >= 0xe000 {
				return true
			}
			i += 6
		}
		i += 5
	}
	return false
}

// escaped returns the code of the \uXXXX that data begins with, -1 if there is none.
func escaped(data []byte) int {
	if len(data) < 6 || data[0] != '\\' || data[1] != 'u' {
		return -1
	}
	n, err := strconv.ParseUint(string(data[2:6]), 16, 16)
	if err != nil {
		return -1
	}
	return int(n)
}

// appendJSON appends v without white space.
func appendJSON(dst []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...)
	case bool:
		return strconv.AppendBool(dst, v)
	case json.Number:
		return append(dst, v...)
	case string:
		return appendString(dst, v)
	case list:
		dst = append(dst, '[')
		for i, e := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendJSON(dst, e)
		}
		return append(dst, ']')
	case object:
		dst = append(dst, '{')
		for i, m := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendString(dst, m.name)
			dst = append(dst, ':')
			dst = appendJSON(dst, m.value)
		}
		return append(dst, '}')
	}
	panic("cue: a value that no JSON makes")
}

// appendString appends s in quotes. U+2028 and U+2029 are escaped for readers that paste JSON into scripts,
// and control characters because they have to be.
func appendString(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r == '\n':
			dst = append(dst, '\\', 'n')
		case r < ' ' || r == 0x7f:
			dst = append(dst, '\\', 'u', '0', '0', hex[r>>4], hex[r&15])
		case r == '\u2028' || r == '\u2029':
			dst = append(dst, '\\', 'u', '2', '0', '2', hex[r&15])
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return append(dst, '"')
}

// merge applies a JSON merge patch (RFC 7386) to base, which is not modified.
func merge(base any, patch any) any {
	p, ok := patch.(object)
	if !ok {
		return patch
	}
	b, _ := base.(object)
	out := slices.Clone(b)
	for _, m := range p {
		old, there := out.get(m.name)
		switch {
		case m.value == nil:
			out = out.without(m.name)
		case there:
			out = out.with(m.name, merge(old, m.value))
		default:
			out = append(out, member{m.name, merge(nil, m.value)})
		}
	}
	return out
}

// describe says what v is, for a message about what it should have been.
func describe(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return strconv.FormatBool(v)
	case json.Number:
		return v.String()
	case string:
		return quote(v)
	case list:
		return "a list"
	}
	return "an object"
}

// quote puts s in quotes, in one line and not too long.
func quote(s string) string {
	const most = 60
	if len(s) > most {
		cut := most
		for !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut] + "…"
	}
	return strconv.Quote(strings.ToValidUTF8(s, "?"))
}
