package media

import "errors"

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
		bits := uint64(r.b[r.pos>>3]) >> (free - take) & (1<<take - 1)
		v = v<<take | bits
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
func unescape(nal []byte) []byte {
	rbsp := make([]byte, 0, len(nal))
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
