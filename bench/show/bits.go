package show

import "math/bits"

// bitWriter writes numbers of any width, most significant bit first.
type bitWriter struct {
	buf  []byte
	free uint // unused low bits of the last byte
}

// u writes the n low bits of v (the specification's u(n)).
func (w *bitWriter) u(n uint, v uint64) {
	for n > 0 {
		if w.free == 0 {
			w.buf, w.free = append(w.buf, 0), 8
		}
		k := min(n, w.free)
		w.buf[len(w.buf)-1] |= byte(v >> (n - k) & (1<<k - 1) << (w.free - k))
		n, w.free = n-k, w.free-k
	}
}

// ue writes v as an unsigned Exp-Golomb code (H.264 9.1).
func (w *bitWriter) ue(v uint64) {
	n := uint(bits.Len64(v + 1))
	w.u(n-1, 0)
	w.u(n, v+1)
}

// align fills the last byte with zeros.
func (w *bitWriter) align() { w.free = 0 }

// bytes appends whole bytes; the writer must be aligned.
func (w *bitWriter) bytes(b []byte) { w.buf = append(w.buf, b...) }
