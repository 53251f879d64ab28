package media

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h265"
)

// sets writes random reference picture sets, and follows what they become to the letter of equations
// 7-61 and 7-62, as the number of flags of a predicted set depends on it.
type sets struct {
	w      *bitWriter
	r      *rand.Rand
	s0, s1 []int
}

func (s *sets) explicit() {
	before, after := s.r.IntN(4), s.r.IntN(4)
	s.w.ue(uint32(before))
	s.w.ue(uint32(after))
	s.s0, s.s1 = nil, nil
	at := 0
	for range before {
		d := s.r.IntN(3)
		s.w.ue(uint32(d))
		s.w.u(1, 1)
		at -= d + 1
		s.s0 = append(s.s0, at)
	}
	at = 0
	for range after {
		d := s.r.IntN(3)
		s.w.ue(uint32(d))
		s.w.u(1, 0)
		at += d + 1
		s.s1 = append(s.s1, at)
	}
}

func (s *sets) predicted() {
	sign, abs := s.r.IntN(2), s.r.IntN(4)
	s.w.u(1, uint32(sign))
	s.w.ue(uint32(abs))
	delta := (1 - 2*sign) * (abs + 1)
	n := len(s.s0) + len(s.s1)
	use := make([]bool, n+1)
	for j := range use {
		switch s.r.IntN(3) {
		case 0: // used by the current picture
			s.w.u(1, 1)
			use[j] = true
		case 1: // not used, but kept
			s.w.u(2, 1)
			use[j] = true
		default:
			s.w.u(2, 0)
		}
	}
	var s0, s1 []int
	for j := len(s.s1) - 1; j >= 0; j-- {
		if d := s.s1[j] + delta; d < 0 && use[len(s.s0)+j] {
			s0 = append(s0, d)
		}
	}
	if delta < 0 && use[n] {
		s0 = append(s0, delta)
	}
	for j := range s.s0 {
		if d := s.s0[j] + delta; d < 0 && use[j] {
			s0 = append(s0, d)
		}
	}
	for j := len(s.s0) - 1; j >= 0; j-- {
		if d := s.s0[j] + delta; d > 0 && use[j] {
			s1 = append(s1, d)
		}
	}
	if delta > 0 && use[n] {
		s1 = append(s1, delta)
	}
	for j := range s.s1 {
		if d := s.s1[j] + delta; d > 0 && use[len(s.s0)+j] {
			s1 = append(s1, d)
		}
	}
	s.s0, s.s1 = s0, s1
}

// randomSPS265 writes an SPS of 64x64 with random coding tools, and rate frames a second in the VUI
// behind them. simple is without what mediacommon does not know.
func randomSPS265(r *rand.Rand, rate uint32, simple bool) []byte {
	coin := func() bool { return r.IntN(2) == 0 }
	w := &bitWriter{}
	subLayers := r.Uint32N(7)
	w.u(16, hevcSPS<<9|1)
	w.u(4, 0)
	w.u(3, subLayers)
	w.u(1, 1) // they are nested
	randomProfile(r, w, subLayers, simple)
	for _, v := range []uint32{0, 1, 68, 72} {
		w.ue(v) // id, chroma, width, height
	}
	w.u(1, 1)
	for _, v := range []uint32{1, 1, 0, 4} {
		w.ue(v) // cropping
	}
	pocBits := 4 + r.Uint32N(13)
	for _, v := range []uint32{0, 0, pocBits - 4} {
		w.ue(v) // depths, log2_max_pic_order_cnt_lsb
	}
	layers := uint32(1)
	if w.flag(coin()) {
		layers = subLayers + 1
	}
	for range 3*layers + 6 {
		w.ue(1)
	}
	if w.flag(coin()) && w.flag(coin()) {
		randomLists265(r, w)
	}
	w.u(2, 0) // amp, sao
	if w.flag(coin()) {
		w.u(8, 0x77) // PCM
		w.ue(0)
		w.ue(2)
		w.u(1, 1)
	}
	randomSets(r, w)
	if w.flag(!simple && coin()) { // long-term pictures
		n := r.Uint32N(4)
		w.ue(n)
		for range n {
			w.u(int(pocBits)+1, 1)
		}
	}
	w.u(2, 0) // temporal_mvp, strong_intra
	w.u(1, 1) // VUI
	w.u(7, 0) // no aspect, overscan, signal type, chroma location; neutral, field, frame info
	if w.flag(coin()) {
		for range 4 {
			w.ue(0) // default display window
		}
	}
	w.u(1, 1) // timing
	w.u(32, 1)
	w.u(32, rate)
	w.u(32, 0) // what follows is not looked at
	return escape(w.b)
}

func randomProfile(r *rand.Rand, w *bitWriter, subLayers uint32, simple bool) {
	w.u(8, 1)
	w.u(32, 1<<30)
	w.u(32, 0)
	w.u(16, 0)
	w.u(8, 30)
	if subLayers == 0 {
		return
	}
	var profiles, levels [8]bool
	for i := range 8 {
		present := uint32(i) < subLayers && !simple
		profiles[i] = w.flag(present && r.IntN(2) == 0)
		levels[i] = w.flag(present && r.IntN(2) == 0)
	}
	for i := range 8 {
		if profiles[i] {
			w.u(32, 0x01600000)
			w.u(32, 0)
			w.u(24, 0)
		}
		if levels[i] {
			w.u(8, 30)
		}
	}
}

func randomLists265(r *rand.Rand, w *bitWriter) {
	for size := range 4 {
		for matrix := 0; matrix < 6; matrix += 1 + 2*(size/3) {
			if !w.flag(r.IntN(2) == 0) {
				w.ue(r.Uint32N(2))
				continue
			}
			if size > 1 {
				w.se(int32(r.IntN(20)) - 7)
			}
			for range min(64, 1<<(4+2*size)) {
				w.se(int32(r.IntN(9)) - 4)
			}
		}
	}
}

func randomSets(r *rand.Rand, w *bitWriter) {
	n := 1 + r.Uint32N(12)
	w.ue(n)
	s := &sets{w: w, r: r}
	for i := range n {
		if i > 0 && w.flag(r.IntN(3) > 0) {
			s.predicted()
		} else {
			s.explicit()
		}
	}
}

// The VUI is found behind any coding tools.
func TestRandomSPS265(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	agreed := 0
	for i := range 2000 {
		rate, simple := 1+r.Uint32N(120), i%2 == 0
		nal := randomSPS265(r, rate, simple)
		p, err := parseSPS265(nal)
		if err != nil || p.width != 64 || p.height != 64 || p.rate != float64(rate) {
			t.Fatalf("%+v, %v; want 64x64, rate %d, of % x", p, err, rate, nal)
		}
		var sps h265.SPS
		if err := sps.Unmarshal(nal); simple && err == nil && sps.Width() == 64 && math.Abs(sps.FPS()-p.rate) < 0.001 {
			agreed++
		}
	}
	if agreed != 1000 {
		t.Errorf("mediacommon agrees in %d of 1000", agreed)
	}
}

// The high tier has its letter, and a profile space too.
func TestHEVCCodecs(t *testing.T) {
	head := make([]byte, 22)
	head[1] = 2<<6 | 1<<5 | 2
	head[2], head[12] = 0x20, 153
	if got, want := hevcCodecs(head), "hvc1.B2.4.H153"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	head[11] = 0x01
	if got, want := hevcCodecs(head), "hvc1.B2.4.H153.0.0.0.0.0.1"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
