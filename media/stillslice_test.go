package media

import "testing"

// TestSkippedCABAC decodes slice data as ISO/IEC 14496-10 9.3.3.2 says: for every number of macroblocks, all are skipped,
// the slice ends behind the last, and the bits end with rbsp_trailing_bits. That skipLPS is right, decoders say
// (TestStillX264, TestStillFormats).
func TestSkippedCABAC(t *testing.T) {
	sizes := []int{maxStillMacroblocks, 8160, 32400}
	for n := 1; n <= 2000; n++ {
		sizes = append(sizes, n)
	}
	for i, n := range sizes {
		w := &bitWriter{}
		head := i % 11
		w.u(head, 0)
		w.ones()
		w.b = append(w.b, skippedCABAC(uint64(n))...)
		r := &bitReader{b: w.b}
		r.skip(head)
		for r.pos&7 != 0 {
			if !r.flag() {
				t.Fatalf("%d macroblocks: not aligned with ones", n)
			}
		}
		d := cabacReader{r: r, width: 510, offset: r.u(9)}
		for at := range n {
			if !d.skipped() {
				t.Fatalf("macroblock %d of %d is not skipped", at, n)
			}
			if last := d.terminates(); last != (at == n-1) {
				t.Fatalf("after macroblock %d of %d: the slice ends %t", at, n, last)
			}
		}
		// When the slice ends, the last bit that was read is rbsp_stop_one_bit (9.3.1.2), with zeros behind it.
		if r.err != nil || d.offset&1 != 1 || r.left() > 7 || r.u(r.left()) != 0 {
			t.Fatalf("%d macroblocks: wrong trailing bits", n)
		}
	}
}

// cabacReader is the arithmetic decoder, for the one context that skippedCABAC uses.
type cabacReader struct {
	r             *bitReader
	width, offset uint32
	state         int
}

func (d *cabacReader) skipped() bool {
	lps := uint32(skipLPS[d.state][d.width>>6&3])
	d.width -= lps
	if d.offset >= d.width {
		return false
	}
	d.state = min(d.state+1, len(skipLPS)-1)
	d.renormalise()
	return true
}

func (d *cabacReader) terminates() bool {
	d.width -= 2
	if d.offset >= d.width {
		return true
	}
	d.renormalise()
	return false
}

func (d *cabacReader) renormalise() {
	for d.width < 256 {
		d.width *= 2
		d.offset = d.offset<<1 | d.r.u(1)
	}
}

// BenchmarkStillLargest: what the next picture costs, of the largest.
func BenchmarkStillLargest(b *testing.B) {
	set := &stillSet{sps: avcHead{frameNumBits: 4, pocType: 2, references: 1, macroblocks: maxStillMacroblocks}, cabac: true, listed: [2]uint32{1, 1}}
	b.ReportAllocs()
	for b.Loop() {
		if (sliceHead264{set: set}).skipped(4, listing{}) == nil {
			b.Fatal("no picture")
		}
	}
}
