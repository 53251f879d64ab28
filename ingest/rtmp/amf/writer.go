package amf

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Append appends values to b in AMF0 and returns it. Besides what a Reader returns it takes int. It
// panics for any other type, and for a member's name of 64 KiB or more: those are bugs of the caller.
func Append(b []byte, values ...any) []byte {
	for _, v := range values {
		b = appendValue(b, v)
	}
	return b
}

func appendValue(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, markerNull)
	case bool:
		if v {
			return append(b, markerBoolean, 1)
		}
		return append(b, markerBoolean, 0)
	case int:
		return appendFloat(append(b, markerNumber), float64(v))
	case float64:
		return appendFloat(append(b, markerNumber), v)
	case string:
		if len(v) > math.MaxUint16 {
			b = binary.BigEndian.AppendUint32(append(b, markerLongString), uint32(len(v)))
			return append(b, v...)
		}
		return appendName(append(b, markerString), v)
	case Date:
		return append(appendFloat(append(b, markerDate), float64(v)), 0, 0)
	case Object:
		return appendMembers(append(b, markerObject), v)
	case Array:
		b = binary.BigEndian.AppendUint32(append(b, markerECMAArray), uint32(len(v)))
		return appendMembers(b, Object(v))
	case List:
		b = binary.BigEndian.AppendUint32(append(b, markerStrictArray), uint32(len(v)))
		return Append(b, v...)
	}
	panic(fmt.Sprintf("amf: no AMF0 for a %T", v))
}

func appendMembers(b []byte, o Object) []byte {
	for _, m := range o {
		b = appendValue(appendName(b, m.Name), m.Value)
	}
	return append(b, 0, 0, markerObjectEnd)
}

func appendName(b []byte, s string) []byte {
	if len(s) > math.MaxUint16 {
		panic("amf: a name is longer than 65,535 bytes")
	}
	return append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
}

func appendFloat(b []byte, f float64) []byte {
	return binary.BigEndian.AppendUint64(b, math.Float64bits(f))
}
