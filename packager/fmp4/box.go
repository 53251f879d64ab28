package fmp4

import "encoding/binary"

// appendHeader writes the size and type of a box.
func appendHeader(dst []byte, size int, typ string) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(size))
	return append(dst, typ...)
}

// appendFullHeader writes the header of a FullBox.
func appendFullHeader(dst []byte, size int, typ string, version uint8, flags uint32) []byte {
	dst = appendHeader(dst, size, typ)
	return binary.BigEndian.AppendUint32(dst, uint32(version)<<24|flags&0xFFFFFF)
}

// tree writes nested boxes whose sizes are known when their content is: the shape of an initialization
// segment, which is written once per configuration. Fragments are measured first instead.
type tree struct{ b []byte }

// box writes a box of type typ around what body writes.
func (t *tree) box(typ string, body func()) {
	start := len(t.b)
	t.b = appendHeader(t.b, 0, typ)
	body()
	binary.BigEndian.PutUint32(t.b[start:], uint32(len(t.b)-start))
}

// full writes a FullBox.
func (t *tree) full(typ string, version uint8, flags uint32, body func()) {
	t.box(typ, func() {
		t.u32(uint32(version)<<24 | flags)
		body()
	})
}

func (t *tree) u8(v uint8)     { t.b = append(t.b, v) }
func (t *tree) u16(v uint16)   { t.b = binary.BigEndian.AppendUint16(t.b, v) }
func (t *tree) u32(v uint32)   { t.b = binary.BigEndian.AppendUint32(t.b, v) }
func (t *tree) bytes(b []byte) { t.b = append(t.b, b...) }
func (t *tree) text(s string)  { t.b = append(t.b, s...) }
func (t *tree) zero(n int)     { t.b = append(t.b, make([]byte, n)...) }
