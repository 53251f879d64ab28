package media

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
)

// randomSPS264 writes an SPS of 64x48 with random coding tools, and rate frames a second in the VUI behind
// them. It says whether it is monochrome, or has its colour planes coded apart.
func randomSPS264(r *rand.Rand, rate uint32) (nal []byte, mono bool) {
	coin := func() bool { return r.IntN(2) == 0 }
	w := &bitWriter{}
	high := coin()
	if high {
		w.u(24, 100<<16|30)
	} else {
		w.u(24, 77<<16|30)
	}
	w.ue(0) // id
	chroma, planes := uint32(1), false
	if high {
		chroma = r.Uint32N(4)
		w.ue(chroma)
		lists := 8
		if chroma == 3 {
			lists = 12
			planes = w.flag(coin())
		}
		randomHigh264(r, w, lists)
	}
	if planes {
		chroma = 0
	}
	w.ue(r.Uint32N(9)) // log2_max_frame_num_minus4
	randomPOC264(r, w)
	w.ue(3)   // references
	w.u(1, 0) // no gaps
	w.ue(5 - 1)
	unitX, unitY := cropUnits(chroma)
	lines := int64(4 * 16)
	if frames := coin(); frames {
		w.ue(4 - 1)
		w.flag(true)
	} else {
		w.ue(3 - 1)
		w.flag(false)
		w.u(1, 0)
		lines, unitY = 3*2*16, 2*unitY
	}
	w.u(2, 3) // direct_8x8, cropping
	w.ue(uint32(16/unitX) - 1)
	w.ue(1)
	w.ue(uint32((lines - 48) / unitY))
	w.ue(0)
	w.u(1, 1) // VUI
	w.u(4, 0) // none of its parts
	w.u(1, 1) // timing
	w.u(32, 1)
	w.u(32, 2*rate)
	w.u(32, 0) // no HRD, no restrictions
	return append([]byte{0x67}, escape(w.b)...), chroma == 0
}

func randomHigh264(r *rand.Rand, w *bitWriter, lists int) {
	w.ue(0) // depths
	w.ue(2)
	w.u(1, 0)
	if !w.flag(r.IntN(2) == 0) {
		return
	}
	for i := range lists {
		if !w.flag(r.IntN(2) == 0) {
			continue
		}
		size := 16
		if i >= 6 {
			size = 64
		}
		// A scale of zero ends the list: the rest is like the last.
		last, next := 8, 8
		for range size {
			if next == 0 {
				break
			}
			delta := r.IntN(7) - 3
			if r.IntN(20) == 0 {
				delta = -last
			}
			w.se(int32(delta))
			if next = (last + delta + 256) % 256; next != 0 {
				last = next
			}
		}
	}
}

func randomPOC264(r *rand.Rand, w *bitWriter) {
	typ := r.Uint32N(3)
	w.ue(typ)
	switch typ {
	case 0:
		w.ue(4)
	case 1:
		w.u(1, 0)
		w.se(-5)
		w.se(3)
		n := r.Uint32N(5)
		w.ue(n)
		for range n {
			w.se(int32(r.IntN(9)) - 4)
		}
	}
}

// Size and VUI are found behind any coding tools.
func TestRandomSPS264(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	asked, agreed := 0, 0
	for range 2000 {
		rate := 1 + r.Uint32N(120)
		nal, mono := randomSPS264(r, rate)
		p, err := parseSPS264(nal)
		if err != nil || p.width != 64 || p.height != 48 || p.rate != float64(rate) {
			t.Fatalf("%+v, %v; want 64x48, rate %d, of % x", p, err, rate, nal)
		}
		if mono {
			continue // mediacommon does not crop those, where 7.4.2.1.1 says by units of one sample
		}
		asked++
		var sps h264.SPS
		if err := sps.Unmarshal(nal); err == nil && sps.Width() == 64 && sps.Height() == 48 && math.Abs(sps.FPS()-p.rate) < 0.001 {
			agreed++
		}
	}
	if agreed != asked {
		t.Errorf("mediacommon agrees in %d of %d", agreed, asked)
	}
}
