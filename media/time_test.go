package media

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

func TestRescale(t *testing.T) {
	check := func(ticks, from, to int64) {
		t.Helper()
		x := new(big.Int).Mul(big.NewInt(ticks), big.NewInt(to))
		half := big.NewInt(from / 2)
		if ticks < 0 {
			half.Neg(half)
		}
		x.Quo(x.Add(x, half), big.NewInt(from))
		want := int64(math.MaxInt64)
		switch {
		case x.IsInt64():
			want = max(x.Int64(), -math.MaxInt64)
		case x.Sign() < 0:
			want = -math.MaxInt64
		}
		if got := Rescale(ticks, from, to); got != want && from != to {
			t.Fatalf("Rescale(%d, %d, %d) = %d, want %d", ticks, from, to, got, want)
		}
	}
	for _, ticks := range []int64{0, 1, -1, 3, 1024, math.MaxInt64, -math.MaxInt64, math.MinInt64, 1 << 60} {
		for _, from := range []int64{1, 1000, 44100, 48000, 90000, 1e9} {
			for _, to := range []int64{1, 1000, 44100, 48000, 90000, 1e9} {
				check(ticks, from, to)
			}
		}
	}
	random := rand.New(rand.NewPCG(3, 4))
	for range 10_000 {
		check(random.Int64()>>random.IntN(63), 1+random.Int64N(1e9), 1+random.Int64N(1e9))
		check(-(random.Int64() >> random.IntN(63)), 1+random.Int64N(1e9), 1+random.Int64N(1e9))
	}
}
