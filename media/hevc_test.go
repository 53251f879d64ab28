package media

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h265"
)

// ue writes an unsigned Exp-Golomb code.
func (w *bitWriter) ue(v uint32) {
	bits := 0
	for (v+1)>>(bits+1) > 0 {
		bits++
	}
	w.u(bits, 0)
	w.u(bits+1, v+1)
}

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

// spsWithSets writes an SPS of 64x64 with random reference picture sets, and rate frames a second in
// the VUI behind them.
func spsWithSets(r *rand.Rand, rate uint32) []byte {
	w := &bitWriter{}
	w.u(16, hevcSPS<<9|1)
	w.u(8, 1)      // no sub-layers; they would be nested
	w.u(8, 1)      // profile
	w.u(32, 1<<30) // compatibility
	w.u(32, 0)     // constraints
	w.u(16, 0)
	w.u(8, 30) // level
	for _, v := range []uint32{0, 1, 64, 64} {
		w.ue(v) // id, chroma, width, height
	}
	w.u(1, 0) // no cropping
	for _, v := range []uint32{0, 0, 4} {
		w.ue(v) // depths, log2_max_pic_order_cnt_lsb_minus4
	}
	w.u(1, 1)
	for range 3 + 6 {
		w.ue(1)
	}
	w.u(4, 0) // scaling lists, amp, sao, PCM
	n := 1 + r.Uint32N(12)
	w.ue(n)
	s := &sets{w: w, r: r}
	for i := range n {
		predict := i > 0 && r.IntN(3) > 0
		if i > 0 {
			w.u(1, uint32(b2i(predict)))
		}
		if predict {
			s.predicted()
		} else {
			s.explicit()
		}
	}
	w.u(3, 0) // long-term pictures, temporal_mvp, strong_intra
	w.u(1, 1) // VUI
	w.u(8, 0) // none of its parts
	w.u(1, 1) // timing
	w.u(32, 1)
	w.u(32, rate)
	w.u(32, 0) // what follows is not looked at
	return escape(w.b)
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// escape is the opposite of unescape.
func escape(rbsp []byte) []byte {
	var nal []byte
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

// What is behind the reference picture sets is found, whatever is in them.
func TestReferenceSets(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	agreed, tooMany := 0, 0
	for range 2000 {
		rate := 1 + r.Uint32N(120)
		nal := spsWithSets(r, rate)
		p, err := parseSPS265(nal)
		if err != nil {
			t.Fatal(err)
		}
		if p.rate == 0 {
			tooMany++ // sets that grew beyond maxReferencePictures: the VUI is given up
			continue
		}
		if p.width != 64 || p.rate != float64(rate) {
			t.Fatalf("%+v, want rate %d, of % x", p, rate, nal)
		}
		var sps h265.SPS
		if err := sps.Unmarshal(nal); err == nil && math.Abs(sps.FPS()-p.rate) < 0.001 {
			agreed++
		}
	}
	if agreed < 1000 || tooMany > 500 {
		t.Errorf("mediacommon agrees in %d of 2000, %d were too large", agreed, tooMany)
	}
	t.Logf("mediacommon agrees in %d of 2000, %d were too large", agreed, tooMany)
}

func TestUnescape(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 500 {
		rbsp := make([]byte, r.IntN(40))
		for i := range rbsp {
			rbsp[i] = byte(r.IntN(4))
		}
		if got := unescape(escape(rbsp)); string(got) != string(rbsp) {
			t.Fatalf("% x becomes % x", rbsp, got)
		}
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
