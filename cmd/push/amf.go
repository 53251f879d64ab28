package main

import (
	"encoding/binary"
	"errors"
	"math"
)

// AMF0 type markers (Adobe AMF0 specification, section 2.1).
const (
	amfNumber = 0
	amfBool   = 1
	amfString = 2
	amfObject = 3
	amfNull   = 5
	amfArray  = 8
	amfEnd    = 9
)

// field is one property; objects are written in the order given.
type field struct {
	name  string
	value any
}

type (
	object []field // AMF0 object
	array  []field // AMF0 ECMA array, as onMetaData is
)

// appendAMF appends values: string, float64, int, bool, nil, object, array.
func appendAMF(b []byte, values ...any) []byte {
	for _, v := range values {
		switch v := v.(type) {
		case string:
			b = appendName(append(b, amfString), v)
		case float64:
			b = binary.BigEndian.AppendUint64(append(b, amfNumber), math.Float64bits(v))
		case int:
			b = appendAMF(b, float64(v))
		case bool:
			b = append(b, amfBool, 0)
			if v {
				b[len(b)-1] = 1
			}
		case nil:
			b = append(b, amfNull)
		case object:
			b = appendFields(append(b, amfObject), v)
		case array:
			b = binary.BigEndian.AppendUint32(append(b, amfArray), uint32(len(v)))
			b = appendFields(b, v)
		default:
			panic("push: no AMF0 form for this type")
		}
	}
	return b
}

func appendName(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
}

func appendFields(b []byte, fields []field) []byte {
	for _, f := range fields {
		b = appendAMF(appendName(b, f.name), f.value)
	}
	return append(b, 0, 0, amfEnd)
}

var errAMF = errors.New("the server sent AMF0 that can't be read")

// maxAMFDepth is how deep a server's answer may nest; real ones have one or two levels.
const maxAMFDepth = 8

// parseAMF reads all values of a command. Objects and arrays become map[string]any.
func parseAMF(b []byte) (values []any, err error) {
	for len(b) > 0 {
		var v any
		if v, b, err = amfValue(b, 0); err != nil {
			return values, err
		}
		values = append(values, v)
	}
	return values, nil
}

// amfValue reads the value at the front of b and returns the rest.
func amfValue(b []byte, depth int) (any, []byte, error) {
	if len(b) == 0 || depth > maxAMFDepth {
		return nil, nil, errAMF
	}
	kind, b := b[0], b[1:]
	switch {
	case kind == amfNumber && len(b) >= 8:
		return math.Float64frombits(binary.BigEndian.Uint64(b)), b[8:], nil
	case kind == amfBool && len(b) >= 1:
		return b[0] != 0, b[1:], nil
	case kind == amfString:
		return amfName(b)
	case kind == amfNull || kind == 6:
		return nil, b, nil
	case kind == amfArray && len(b) >= 4:
		return amfFields(b[4:], depth)
	case kind == amfObject:
		return amfFields(b, depth)
	}
	return nil, nil, errAMF
}

func amfName(b []byte) (string, []byte, error) {
	if len(b) < 2 || len(b)-2 < int(binary.BigEndian.Uint16(b)) {
		return "", nil, errAMF
	}
	end := 2 + int(binary.BigEndian.Uint16(b))
	return string(b[2:end]), b[end:], nil
}

func amfFields(b []byte, depth int) (any, []byte, error) {
	fields := map[string]any{}
	for {
		name, rest, err := amfName(b)
		if err != nil || len(rest) == 0 {
			return nil, nil, errAMF
		}
		if name == "" && rest[0] == amfEnd {
			return fields, rest[1:], nil
		}
		if fields[name], b, err = amfValue(rest, depth+1); err != nil {
			return nil, nil, err
		}
	}
}
