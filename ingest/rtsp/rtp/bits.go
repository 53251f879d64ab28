package rtp

// bitReader reads big-endian bit fields. Behind the end there are zeros, and over says so.
type bitReader struct {
	b    []byte
	pos  int // in bits
	over bool
}

// u reads n bits, at most 32.
func (r *bitReader) u(n int) uint32 {
	var v uint32
	for range n {
		v <<= 1
		if at := r.pos >> 3; at < len(r.b) {
			v |= uint32(r.b[at]>>(7-r.pos&7)) & 1
		} else {
			r.over = true
		}
		r.pos++
	}
	return v
}

func (r *bitReader) flag() bool { return r.u(1) == 1 }

// left returns the number of bits that have not been read.
func (r *bitReader) left() int { return max(0, len(r.b)*8-r.pos) }

// bytes reads n bytes, which need not begin at a byte, nil if there are not as many. It copies only if it
// has to.
func (r *bitReader) bytes(n int) []byte {
	if n*8 > r.left() {
		r.over = true
		return nil
	}
	if r.pos&7 == 0 {
		b := r.b[r.pos>>3:][:n]
		r.pos += n * 8
		return b
	}
	b := make([]byte, n)
	at, shift := r.pos>>3, r.pos&7
	for i := range b {
		b[i] = r.b[at+i]<<shift | r.b[at+i+1]>>(8-shift)
	}
	r.pos += n * 8
	return b
}

// field returns the bits from..to, padded with zeros to whole bytes.
func (r *bitReader) field(from, to int) []byte {
	sub := bitReader{b: r.b, pos: from}
	out := make([]byte, 0, (to-from+7)/8)
	for sub.pos < to {
		n := min(8, to-sub.pos)
		out = append(out, byte(sub.u(n)<<(8-n)))
	}
	return out
}
