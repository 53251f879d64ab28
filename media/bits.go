package media

import (
	"errors"
	"math/bits"
)

// errShort is the sticky error of a bitReader that was asked for more than there is.
var errShort = errors.New("ends too early")

// errGolomb is that of an Exp-Golomb code longer than any that the specs allow.
var errGolomb = errors.New("has an Exp-Golomb code of more than 32 bits")

// bitReader reads big-endian bit fields. After the first error every read returns zero, so that parsers
// read like the tables in the specs and ask for err at the end. Loops whose count was read must be bounded
// by a named maximum, and stop on err.
type bitReader struct {
	b   []byte
	pos int // in bits
	err error
}

// left returns the number of bits that have not been read.
func (r *bitReader) left() int { return len(r.b)*8 - r.pos }

// u reads n bits, at most 32.
func (r *bitReader) u(n int) uint32 {
	if r.err != nil {
		return 0
	}
	if n > r.left() {
		r.err = errShort
		return 0
	}
	var v uint64
	for n > 0 {
		free := 8 - r.pos&7
		take := min(free, n)
		v = v<<take | uint64(r.b[r.pos>>3])>>(free-take)&(1<<take-1)
		r.pos += take
		n -= take
	}
	return uint32(v)
}

func (r *bitReader) flag() bool { return r.u(1) == 1 }

// skip passes over n bits.
func (r *bitReader) skip(n int) {
	if r.err != nil {
		return
	}
	if n < 0 || n > r.left() {
		r.err = errShort
		return
	}
	r.pos += n
}

// ue reads an unsigned Exp-Golomb code (ISO/IEC 14496-10 9.1), uvlc in AV1.
func (r *bitReader) ue() uint32 {
	zeros := 0
	for !r.flag() {
		if r.err != nil {
			return 0
		}
		if zeros++; zeros > 31 {
			r.err = errGolomb
			return 0
		}
	}
	return uint32(uint64(1)<<zeros - 1 + uint64(r.u(zeros)))
}

// se reads a signed Exp-Golomb code.
func (r *bitReader) se() int32 {
	k := int64(r.ue())
	if k&1 == 1 {
		return int32((k + 1) / 2)
	}
	return int32(-k / 2)
}

// bitWriter is the counterpart of bitReader. The bits behind the last are zero.
type bitWriter struct {
	b    []byte
	free int // bits in the last byte
}

func (w *bitWriter) u(n int, v uint32) {
	for i := n - 1; i >= 0; i-- {
		if w.free == 0 {
			w.b = append(w.b, 0)
			w.free = 8
		}
		w.free--
		w.b[len(w.b)-1] |= byte(v>>i&1) << w.free
	}
}

// ue writes an unsigned Exp-Golomb code of less than 1<<32 - 1.
func (w *bitWriter) ue(v uint32) {
	n := bits.Len32(v + 1)
	w.u(n-1, 0)
	w.u(n, v+1)
}

// se writes a signed Exp-Golomb code.
func (w *bitWriter) se(v int32) {
	if v > 0 {
		w.ue(uint32(2*v - 1))
	} else {
		w.ue(uint32(-2 * v))
	}
}

// ones writes bits 1 up to the next byte.
func (w *bitWriter) ones() {
	for w.free > 0 {
		w.u(1, 1)
	}
}

func (w *bitWriter) flag(b bool) bool {
	if b {
		w.u(1, 1)
	} else {
		w.u(1, 0)
	}
	return b
}

// byteReader reads the byte-aligned records around parameter sets, with the same sticky error.
type byteReader struct {
	b   []byte
	err error
}

// take returns the next n bytes of the record itself, nil after an error.
func (r *byteReader) take(n int) []byte {
	if r.err == nil && n > len(r.b) {
		r.err = errShort
	}
	if r.err != nil {
		return nil
	}
	t := r.b[:n]
	r.b = r.b[n:]
	return t
}

func (r *byteReader) u8() uint8 {
	if t := r.take(1); t != nil {
		return t[0]
	}
	return 0
}

func (r *byteReader) u16() int {
	if t := r.take(2); t != nil {
		return int(t[0])<<8 | int(t[1])
	}
	return 0
}

// unescape returns the RBSP of a NAL unit: without its emulation prevention bytes (ISO/IEC 14496-10
// 7.4.1). It copies.
func unescape(nal []byte) []byte { return appendUnescaped(make([]byte, 0, len(nal)), nal) }

// appendUnescaped appends the RBSP of a NAL unit to rbsp.
func appendUnescaped(rbsp, nal []byte) []byte {
	zeros := 0
	for _, c := range nal {
		if zeros >= 2 && c == 3 {
			zeros = 0
			continue
		}
		if c == 0 {
			zeros++
		} else {
			zeros = 0
		}
		rbsp = append(rbsp, c)
	}
	return rbsp
}

// appendEscaped is the opposite: it appends rbsp to nal, with emulation prevention bytes.
func appendEscaped(nal, rbsp []byte) []byte {
	zeros := 0
	for _, c := range rbsp {
		if zeros >= 2 && c <= 3 {
			nal, zeros = append(nal, 3), 0
		}
		if zeros++; c != 0 {
			zeros = 0
		}
		nal = append(nal, c)
	}
	return nal
}
