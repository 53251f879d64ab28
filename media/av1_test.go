package media

import (
	"math/rand/v2"
	"testing"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/av1"
)

// randomSequenceHeader writes a sequence header of 640x360 in BT.2020 PQ with random tools, and rate pictures
// a second, zero if it does not say. simple is without what mediacommon does not know.
func randomSequenceHeader(r *rand.Rand, simple bool) (b []byte, rate float64) {
	coin := func() bool { return r.IntN(2) == 0 }
	w := &bitWriter{}
	w.u(3, 0) // profile
	w.u(1, 0)
	if reduced := w.flag(!simple && r.IntN(5) == 0); reduced {
		w.u(5, 8)
		randomSize(w)
		w.u(3, 5)
		w.u(3, 5)
	} else {
		rate = randomTiming(r, w, simple)
		randomSize(w)
		if w.flag(coin()) { // frame ids
			w.u(7, 0x55)
		}
		w.u(3, 5)
		w.u(4, 9)
		order := w.flag(coin())
		if order {
			w.u(2, 3)
		}
		forced := false
		if !w.flag(coin()) { // seq_choose_screen_content_tools
			forced = !w.flag(coin())
		}
		if !forced && !w.flag(coin()) { // seq_choose_integer_mv
			w.u(1, 1)
		}
		if order {
			w.u(3, 6)
		}
		w.u(3, 5)
	}
	w.u(1, 1) // high bit depth
	w.u(1, 0) // not mono
	w.u(1, 1)
	w.u(24, 9<<16|16<<8|9)
	w.u(1, 1) // full range
	w.u(4, 0)
	w.u(8, 0x80)
	return w.b, rate
}

func randomSize(w *bitWriter) {
	w.u(4, 9)
	w.u(4, 8)
	w.u(10, 640-1)
	w.u(9, 360-1)
}

func randomTiming(r *rand.Rand, w *bitWriter, simple bool) (rate float64) {
	var model, delays bool
	var delayBits int
	if w.flag(r.IntN(2) == 0) {
		num, ticks := 1+r.Uint32N(100), r.Uint32N(3)
		w.u(32, 1001)
		w.u(32, num*1001)
		if w.flag(r.IntN(2) == 0) {
			w.ue(ticks)
			rate = float64(num*1001) / float64(1001*(ticks+1))
		}
		if model = w.flag(!simple && r.IntN(2) == 0); model {
			delayBits = 1 + r.IntN(32)
			w.u(5, uint32(delayBits-1))
			w.u(32, 7)
			w.u(10, 7)
		}
	}
	delays = w.flag(!simple && r.IntN(2) == 0)
	points := r.Uint32N(4)
	w.u(5, points)
	for range points + 1 {
		level := r.Uint32N(16)
		w.u(12, 1)
		w.u(5, level)
		if level > 7 {
			w.u(1, 1)
		}
		if model && w.flag(r.IntN(2) == 0) {
			w.u(delayBits, 1)
			w.u(delayBits, 0)
			w.u(1, 1)
		}
		if delays && w.flag(r.IntN(2) == 0) {
			w.u(4, 3)
		}
	}
	return rate
}

// Size, rate and colours are found in any sequence header.
func TestRandomSequenceHeader(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	agreed := 0
	want := Color{Primaries: 9, Transfer: 16, Matrix: 9, FullRange: true}
	for i := range 2000 {
		simple := i%2 == 0
		b, rate := randomSequenceHeader(r, simple)
		p, err := parseSequenceHeader(b)
		if err != nil || p.width != 640 || p.height != 360 || p.rate != rate || p.color != want {
			t.Fatalf("%+v, %v; want 640x360, rate %v, %+v, of % x", p, err, rate, want, b)
		}
		var h av1.SequenceHeader
		err = h.Unmarshal(append([]byte{obuSequenceHeader << 3}, b...))
		if simple && err == nil && h.Width() == 640 && h.Height() == 360 {
			agreed++
		}
	}
	if agreed != 1000 {
		t.Errorf("mediacommon agrees in %d of 1000", agreed)
	}
}

func TestAV1Codecs(t *testing.T) {
	bt709 := Color{Primaries: 1, Transfer: 1, Matrix: 1}
	for want, c := range map[string]struct {
		config [4]byte
		color  Color
	}{
		"av01.0.08M.08":                  {[4]byte{0x81, 0x08, 0x0C, 0}, Color{}},
		"av01.0.09H.10":                  {[4]byte{0x81, 0x09, 0xCC, 0}, bt709},
		"av01.2.13M.12.0.100.09.16.09.0": {[4]byte{0x81, 0x4D, 0x68, 0}, Color{Primaries: 9, Transfer: 16, Matrix: 9}},
		"av01.0.04M.08.1.110.02.02.02.0": {[4]byte{0x81, 0x04, 0x1C, 0}, Color{}},
		"av01.0.04M.08.0.112.01.01.01.0": {[4]byte{0x81, 0x04, 0x0E, 0}, bt709},
		"av01.1.04M.08.0.000.01.13.00.1": {[4]byte{0x81, 0x24, 0x00, 0}, Color{Primaries: 1, Transfer: 13, FullRange: true}},
	} {
		if got := av1Codecs(c.config[:], c.color); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
