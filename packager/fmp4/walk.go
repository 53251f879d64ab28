package fmp4

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// maxDepth is how deep boxes may be nested.
const maxDepth = 8

// Box is one box of a file.
type Box struct {
	Type   string
	Offset int    // of its header, from the beginning of what was walked
	Header int    // bytes before Data: 8, or 16 with a 64-bit size
	Data   []byte // points into what was walked
	Depth  int    // 0 for a box of the file itself
}

// containers are the boxes that hold nothing but boxes.
var containers = map[string]bool{
	"moov": true, "trak": true, "mdia": true, "minf": true, "dinf": true, "stbl": true, "mvex": true,
	"moof": true, "traf": true,
}

// Walk calls visit for each box in b, parents before children. The boxes inside a sample description are
// not walked. It ends with visit's first error, or one that says which box does not fit.
func Walk(b []byte, visit func(Box) error) error { return walk(b, 0, 0, visit) }

func walk(b []byte, offset, depth int, visit func(Box) error) error {
	if depth > maxDepth {
		return fmt.Errorf("fmp4: boxes nested deeper than %d", maxDepth)
	}
	for len(b) > 0 {
		x, rest, err := cutBox(b)
		if err != nil {
			return fmt.Errorf("fmp4: at byte %d: %w", offset, err)
		}
		x.Offset, x.Depth = offset, depth
		if err := visit(x); err != nil {
			return err
		}
		if containers[x.Type] {
			if err := walk(x.Data, offset+x.Header, depth+1, visit); err != nil {
				return err
			}
		}
		offset += len(b) - len(rest)
		b = rest
	}
	return nil
}

// cutBox splits the first box off b.
func cutBox(b []byte) (x Box, rest []byte, err error) {
	if len(b) < boxHeaderSize {
		return Box{}, nil, errors.New("a box header is cut off")
	}
	x.Type, x.Header = string(b[4:8]), boxHeaderSize
	size := uint64(binary.BigEndian.Uint32(b))
	if size == 1 {
		if len(b) < boxHeaderSize+8 {
			return Box{}, nil, errors.New("a box header is cut off")
		}
		size, x.Header = binary.BigEndian.Uint64(b[boxHeaderSize:]), boxHeaderSize+8
	}
	if size < uint64(x.Header) || size > uint64(len(b)) {
		return Box{}, nil, fmt.Errorf("%q says it has %d bytes, there are %d", x.Type, size, len(b))
	}
	x.Data = b[x.Header:size]
	return x, b[size:], nil
}

// fields reads what a box holds, with a sticky error.
type fields struct {
	b   []byte
	err error
}

func (f *fields) take(n int) []byte {
	if f.err == nil && (n < 0 || n > len(f.b)) {
		f.err = errors.New("is cut off")
	}
	if f.err != nil {
		return nil
	}
	t := f.b[:n]
	f.b = f.b[n:]
	return t
}

func (f *fields) u32() uint32 {
	if t := f.take(4); t != nil {
		return binary.BigEndian.Uint32(t)
	}
	return 0
}

func (f *fields) u64() uint64 { return uint64(f.u32())<<32 | uint64(f.u32()) }

// full reads version and flags.
func (f *fields) full() (version uint8, flags uint32) {
	v := f.u32()
	return uint8(v >> 24), v & 0xFFFFFF
}

// wide reads a number that has 64 bits in version 1 and 32 in version 0.
func (f *fields) wide(version uint8) uint64 {
	if version == 1 {
		return f.u64()
	}
	return uint64(f.u32())
}

func (f *fields) cString() string {
	i := bytes.IndexByte(f.b, 0)
	if t := f.take(i + 1); t != nil && i >= 0 {
		return string(t[:i])
	}
	if f.err == nil {
		f.err = errors.New("has a string without an end")
	}
	return ""
}
