package rtmp

import "testing"

func TestUnwrapper(t *testing.T) {
	const wrap = 1 << 32
	var u unwrapper
	if got := u.data(5); got != 5 {
		t.Errorf("data before any frame is at %d", got)
	}
	for _, step := range []struct {
		ts   uint32
		want int64
	}{
		{0xFFFFFF00, 0xFFFFFF00},
		{0xFFFFFFF0, 0xFFFFFFF0},
		{0x10, wrap + 0x10},             // forwards over the wrap
		{0xFFFFFFF8, wrap - 8},          // and back, as audio and video interleave
		{0x20, wrap + 0x20},             //
		{0x10000000, wrap + 0x10000000}, // a jump stays one
		{0, wrap},                       // to zero
	} {
		if got := u.media(step.ts); got != step.want {
			t.Errorf("%#x is at %d, not %d", step.ts, got, step.want)
		}
	}
	if got := u.data(40); got != wrap+40 {
		t.Errorf("data is at %d", got)
	}
	if got := u.data(0xFFFFFF00); got != wrap-0x100 {
		t.Errorf("data before the wrap is at %d", got)
	}
	u.media(7_200_000)
	if got := u.data(0); got != wrap+7_200_000 {
		t.Errorf("data with time 0 late in a show is at %d", got)
	}
	if got := u.media(7_200_040); got != wrap+7_200_040 {
		t.Errorf("data has moved the clock: %d", got)
	}
	u = unwrapper{}
	u.media(3)
	if got := u.media(0xFFFFFFFE); got != -2 {
		t.Errorf("before zero is at %d", got)
	}
}

// ffmpeg has 31 bits.
func TestUnwrapperHalf(t *testing.T) {
	const wrap = 1 << 31
	var u unwrapper
	for _, step := range []struct {
		ts   uint32
		want int64
	}{
		{wrap - 40, wrap - 40},
		{20, wrap + 20},
		{wrap - 10, wrap - 10}, // audio that is a little behind
		{30, wrap + 30},
		{70, wrap + 70},
		{wrap - 20, wrap - 20},
		{100_000, 100_000}, // too far to be told from a jump
	} {
		if got := u.media(step.ts); got != step.want {
			t.Errorf("%d is at %d, not %d", step.ts, got, step.want)
		}
	}
	u = unwrapper{}
	for ts := int64(wrap - 100); ts < wrap+100; ts += 7 { // an encoder with 32 bits
		if got := u.media(uint32(ts)); got != ts {
			t.Errorf("%d is at %d", ts, got)
		}
	}
}
