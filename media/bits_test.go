package media

import (
	"math/rand/v2"
	"testing"
)

// escape is the opposite of unescape.
func escape(rbsp []byte) []byte { return appendEscaped(nil, rbsp) }

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

func TestExpGolomb(t *testing.T) {
	var w bitWriter
	values := []int32{0, 1, -1, 2, -2, 1000, -1000, 1<<30 - 1, -1<<30 + 1}
	for _, v := range values {
		w.se(v)
		w.ue(uint32(v &^ (-1 << 31)))
	}
	w.ue(1<<32 - 2)
	r := &bitReader{b: w.b}
	for _, want := range values {
		if got := r.se(); got != want {
			t.Errorf("se %d, want %d", got, want)
		}
		if got := r.ue(); got != uint32(want&^(-1<<31)) {
			t.Errorf("ue %d, want %d", got, uint32(want&^(-1<<31)))
		}
	}
	if got := r.ue(); got != 1<<32-2 || r.err != nil {
		t.Errorf("ue %d, %v, want %d", got, r.err, uint32(1<<32-2))
	}
	if r.left() >= 8 {
		t.Errorf("%d bits left", r.left())
	}
	r.skip(8)
	if r.err != errShort || r.u(1) != 0 || r.ue() != 0 {
		t.Errorf("behind the end: %v", r.err)
	}
}
