package media

import (
	"math"
	"math/bits"
	"time"
)

// Rescale converts ticks of timescale from to ticks of timescale to, rounding to the nearest tick
// (halves away from zero). It is exact wherever the result fits into an int64, and as far away from
// zero as an int64 can be where not; both scales must be positive.
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
	hi += carry
	if hi >= uint64(from) {
		hi, lo = uint64(from)-1, math.MaxUint64
	}
	q, _ := bits.Div64(hi, lo, uint64(from))
	q = min(q, math.MaxInt64)
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
