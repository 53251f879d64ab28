package media

import (
	"math/bits"
	"time"
)

// Rescale converts ticks of timescale from to ticks of timescale to, rounding to the nearest tick
// (halves away from zero). It is exact for any int64 whose result fits into an int64; both scales
// must be positive.
func Rescale(ticks, from, to int64) int64 {
	if from == to {
		return ticks
	}
	neg := ticks < 0
	u := uint64(ticks)
	if neg {
		u = -u
	}
	hi, lo := bits.Mul64(u, uint64(to))
	lo, carry := bits.Add64(lo, uint64(from)/2, 0)
	q, _ := bits.Div64(hi+carry, lo, uint64(from))
	if neg {
		return -int64(q)
	}
	return int64(q)
}

// Duration converts ticks of timescale into a time.Duration, rounding to the nearest nanosecond.
func Duration(ticks, timescale int64) time.Duration {
	return time.Duration(Rescale(ticks, timescale, int64(time.Second)))
}

// Ticks converts d into ticks of timescale, rounding to the nearest tick.
func Ticks(d time.Duration, timescale int64) int64 {
	return Rescale(int64(d), int64(time.Second), timescale)
}
