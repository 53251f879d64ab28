package amf

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Reader reads the values of one message in turn. Its first error sticks.
type Reader struct {
	data   []byte
	off    int
	depth  int
	values int
	err    error
}

// NewReader returns a Reader of data, which it does not modify and whose bytes no value refers to.
func NewReader(data []byte) *Reader { return &Reader{data: data} }

// More reports whether there is something left to read: false at the end and after an error.
func (r *Reader) More() bool { return r.err == nil && r.off < len(r.data) }

// Offset returns the number of bytes read so far.
func (r *Reader) Offset() int { return r.off }

// Err returns the first error: a FormatError or an UnsupportedError.
func (r *Reader) Err() error { return r.err }

// String reads one value, which must be a string, and returns it; "" after an error.
func (r *Reader) String() string {
	s, ok := r.Value().(string)
	if !ok {
		r.fail(FormatError("a string is missing"))
	}
	return s
}

// Number reads one value, which must be a number, and returns it; 0 after an error.
func (r *Reader) Number() float64 {
	f, ok := r.Value().(float64)
	if !ok {
		r.fail(FormatError("a number is missing"))
	}
	return f
}

// Value reads one value; nil after an error.
func (r *Reader) Value() any {
	if r.values++; r.values > MaxValues {
		r.fail(errTooMany())
	}
	switch marker := r.uint8(); marker {
	case markerNumber:
		return r.float64()
	case markerBoolean:
		return r.uint8() != 0
	case markerString:
		return r.string(int(r.uint16()))
	case markerLongString, markerXML:
		return r.longString()
	case markerObject:
		return r.object()
	case markerTypedObject:
		r.string(int(r.uint16())) // the class, which tells us nothing
		return r.object()
	case markerECMAArray:
		r.uint32() // a count that encoders get wrong; the end marker counts
		return Array(r.object())
	case markerStrictArray:
		return r.list()
	case markerDate:
		d := Date(r.float64())
		r.uint16()
		return d
	case markerNull, markerUndefined, markerUnsupported:
		return nil
	case markerObjectEnd:
		r.fail(FormatError("an object ends that never began"))
	case markerAVMPlus:
		r.fail(UnsupportedError("an AMF3 value"))
	case markerReference, markerMovieClip, markerRecordSet:
		r.fail(UnsupportedError(fmt.Sprintf("type %#02x", marker)))
	default:
		r.fail(FormatError(fmt.Sprintf("unknown type %#02x", marker)))
	}
	return nil
}

func (r *Reader) object() Object {
	if !r.descend() {
		return nil
	}
	defer r.ascend()
	o := Object{}
	for r.err == nil {
		// Some hardware encoders leave out the end marker of the array that closes onMetaData.
		if r.off == len(r.data) && r.depth == 1 {
			return o
		}
		name := r.string(int(r.uint16()))
		if name == "" && r.off < len(r.data) && r.data[r.off] == markerObjectEnd {
			r.off++
			return o
		}
		v := r.Value()
		if r.err == nil {
			o = append(o, Member{name, v})
		}
	}
	return nil
}

func (r *Reader) list() List {
	if !r.descend() {
		return nil
	}
	defer r.ascend()
	l := List{}
	for n := r.uint32(); n > 0 && r.err == nil; n-- {
		l = append(l, r.Value())
	}
	if r.err != nil {
		return nil
	}
	return l
}

func (r *Reader) longString() string {
	n := r.uint32()
	if n > MaxString {
		r.fail(FormatError(fmt.Sprintf("a string of %d bytes; at most %d are read", n, MaxString)))
		return ""
	}
	return r.string(int(n))
}

func (r *Reader) descend() bool {
	if r.depth++; r.depth > MaxDepth {
		r.fail(errTooDeep())
	}
	return r.err == nil
}

func (r *Reader) ascend() { r.depth-- }

func (r *Reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// take returns the next n bytes, nil after an error.
func (r *Reader) take(n int) []byte {
	if r.err == nil && n > len(r.data)-r.off {
		r.fail(FormatError("it ends in the middle of a value"))
	}
	if r.err != nil {
		return nil
	}
	b := r.data[r.off : r.off+n]
	r.off += n
	return b
}

func (r *Reader) string(n int) string { return string(r.take(n)) }

func (r *Reader) uint8() uint8 {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return markerNull
}

func (r *Reader) uint16() uint16 {
	if b := r.take(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (r *Reader) uint32() uint32 {
	if b := r.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (r *Reader) float64() float64 {
	if b := r.take(8); b != nil {
		return math.Float64frombits(binary.BigEndian.Uint64(b))
	}
	return 0
}
