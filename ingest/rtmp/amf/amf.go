// Package amf reads and writes AMF0, the value format of RTMP's commands and data messages (Adobe's
// amf0-file-format-specification, December 2007).
//
// A value is one of: nil (null, undefined and unsupported), bool, float64, string, Object, Array,
// List, Date. The reader is made for strangers: nesting, the number of values and the length of
// strings have named maxima, and nothing is allocated before the bytes that fill it are there.
package amf

import "fmt"

// Limits of one Reader. What an encoder sends stays far below them; a message that does not is
// refused as a whole.
const (
	// MaxDepth is how deeply objects and arrays may nest. Enhanced RTMP's per-track metadata needs 4.
	MaxDepth = 16
	// MaxValues is the number of values in one message, members and elements included.
	MaxValues = 4096
	// MaxString is the length of a string, or of a member's name, in bytes.
	MaxString = 64 << 10
)

// Type markers, section 2.1.
const (
	markerNumber      = 0x00
	markerBoolean     = 0x01
	markerString      = 0x02
	markerObject      = 0x03
	markerMovieClip   = 0x04
	markerNull        = 0x05
	markerUndefined   = 0x06
	markerReference   = 0x07
	markerECMAArray   = 0x08
	markerObjectEnd   = 0x09
	markerStrictArray = 0x0A
	markerDate        = 0x0B
	markerLongString  = 0x0C
	markerUnsupported = 0x0D
	markerRecordSet   = 0x0E
	markerXML         = 0x0F
	markerTypedObject = 0x10
	markerAVMPlus     = 0x11
)

// FormatError says how bytes are no AMF0, or pass a limit.
type FormatError string

// Error returns the sentence.
func (e FormatError) Error() string { return "amf0: " + string(e) }

// UnsupportedError names a type that is legal but not read here, such as a value in AMF3.
type UnsupportedError string

// Error returns the sentence.
func (e UnsupportedError) Error() string { return "amf0: " + string(e) + " is not supported" }

// Member is one named value.
type Member struct {
	Name  string
	Value any
}

// Object is an anonymous object; its members keep the order they came in. Typed objects are read as
// Objects, without their class name.
type Object []Member

// Array is an ECMA array: members by name, as in an Object.
type Array []Member

// List is a strict array: values by position.
type List []any

// Date is milliseconds since 1970 in UTC; the time zone on the wire is reserved and ignored.
type Date float64

// Members returns what v holds by name if v is an Object or an Array, nil for anything else.
func Members(v any) Object {
	switch v := v.(type) {
	case Object:
		return v
	case Array:
		return Object(v)
	}
	return nil
}

// Get returns the first member called name, nil if there is none.
func (o Object) Get(name string) any {
	for _, m := range o {
		if m.Name == name {
			return m.Value
		}
	}
	return nil
}

// Has reports whether there is a member called name.
func (o Object) Has(name string) bool {
	for _, m := range o {
		if m.Name == name {
			return true
		}
	}
	return false
}

// String returns the member called name if it is a string, else "".
func (o Object) String(name string) string {
	s, _ := o.Get(name).(string)
	return s
}

// Number returns the member called name if it is a number, else 0.
func (o Object) Number(name string) float64 {
	f, _ := o.Get(name).(float64)
	return f
}

func errTooDeep() error { return FormatError(fmt.Sprintf("nested more than %d deep", MaxDepth)) }
func errTooMany() error { return FormatError(fmt.Sprintf("more than %d values", MaxValues)) }
