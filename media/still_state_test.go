package media_test

import (
	"bytes"
	"testing"

	"pushcart/media"
	"pushcart/media/mediatest"
)

// clipStill returns a Still that knows a clip's configuration.
func clipStill(name string) (*media.Still, []media.AccessUnit) {
	track, units := mediatest.Clip(name)
	s := new(media.Still)
	s.Config(track.Config)
	return s, units
}

// Nothing is made where too little is known, and all is known again from the next keyframe on.
func TestStillKnows(t *testing.T) {
	var zero media.Still
	if zero.See([]byte{0, 0, 0, 1, 0x65}, true); zero.Next(true) != nil {
		t.Error("a picture without a configuration")
	}
	s, units := clipStill("h264") // with a keyframe every 15 pictures
	see := func(i int) { s.See(units[i].Data, units[i].RandomAccess) }
	for _, step := range []struct {
		name string
		do   func()
		want bool
	}{
		{"before anything", func() {}, false},
		{"amid a GOP", func() { see(3) }, false},
		{"a keyframe", func() { see(0) }, true},
		{"the next picture", func() { see(1) }, true},
		{"a picture that nobody said was lost", func() { see(3) }, false},
		{"the one after", func() { see(4) }, false},
		{"the next keyframe", func() { see(15) }, true},
		{"a unit without a picture", func() { s.See([]byte{0, 0, 0, 2, 6, 0x80}, false) }, true},
		{"a unit cut off", func() { s.See(units[16].Data[:10], false) }, false},
		{"a keyframe again", func() { see(0) }, true},
		{"a slice without an end to its header", func() { s.See([]byte{0, 0, 0, 2, 0x41, 0x9A}, false) }, false},
		{"and another", func() { see(0) }, true},
		{"new parameter sets", func() { track, _ := mediatest.Clip("h264b"); s.Config(track.Config) }, false},
	} {
		step.do()
		ahead := *s
		if got := ahead.Next(true) != nil; got != step.want {
			t.Errorf("after %s: a picture %t, want %t", step.name, got, step.want)
		}
	}
}

// What Next returns is noted like a picture that is seen: another Still that sees it goes on alike.
func TestStillSeesItself(t *testing.T) {
	for _, name := range []string{"h264", "h264b"} {
		s, units := clipStill(name)
		for i, u := range units {
			s.See(u.Data, u.RandomAccess)
			made, saw := *s, *s
			for n := range 40 {
				unit := made.Next(true)
				saw.See(unit, false)
				// Each goes on from what it knows, so a difference shows in the next.
				a, b := made, saw
				next := a.Next(true)
				if next == nil || !bytes.Equal(next, b.Next(true)) {
					t.Fatalf("%s: after unit %d and %d more", name, i, n+1)
				}
				if a = made; !bytes.Equal(next, a.Next(false)) {
					t.Fatalf("%s: after one that only a keyframe can follow, one that others can", name)
				}
			}
		}
	}
}

func TestStillSeeAllocates(t *testing.T) {
	s, units := clipStill("h264b")
	if n := testing.AllocsPerRun(10, func() {
		for _, u := range units {
			s.See(u.Data, u.RandomAccess)
		}
	}); n > 0 {
		t.Errorf("%v allocations for %d units", n, len(units))
	}
}

// headsOf makes a fuzzer's input of the slices' beginnings: each has a byte with its length in front.
func headsOf(track media.Track, units []media.AccessUnit) []byte {
	const enough = 40
	var heads []byte
	for _, u := range units {
		for nal := range media.NALUnits(media.NALLengthSize(track), u.Data) {
			if typ := nal[0] & 31; typ == 1 || typ == 5 {
				nal = nal[:min(len(nal), enough)]
				heads = append(append(heads, byte(len(nal))), nal...)
			}
		}
	}
	return heads
}

// FuzzStill: no stream, however broken, makes Still panic; what it makes is an access unit that it understands itself.
func FuzzStill(f *testing.F) {
	for _, name := range []string{"h264", "h264b"} {
		track, units := mediatest.Clip(name)
		f.Add(track.Config, headsOf(track, units[10:20]))
	}
	for seed := range uint64(4) {
		e := newRandomEncoder(seed)
		e.gop(10)
		f.Add(e.clip.track.Config, headsOf(e.clip.track, e.clip.units))
	}
	f.Fuzz(func(t *testing.T, config, heads []byte) {
		track := media.Track{Codec: media.CodecH264, Config: config}
		var s media.Still
		s.Config(config)
		for len(heads) > 0 {
			n := min(int(heads[0]), len(heads)-1)
			unit := append(make([]byte, media.NALLengthSize(track)), heads[1:1+n]...)
			if at := media.NALLengthSize(track) - 1; at >= 0 {
				unit[at] = byte(n)
			}
			heads = heads[1+n:]
			s.See(unit, media.RandomAccess(track, unit))
			checkStill(t, track, s, false)
			checkStill(t, track, s, true)
		}
	})
}

// checkStill checks what comes of s.
func checkStill(t *testing.T, track media.Track, s media.Still, lost bool) {
	before := s
	unit := s.Next(lost)
	if unit == nil {
		return
	}
	if err := media.ValidUnit(track, unit); err != nil || media.RandomAccess(track, unit) {
		t.Fatalf("% x: %v", unit, err)
	}
	if !lost && s.Next(false) != nil {
		t.Fatal("two of them between others")
	}
	before.See(unit, false)
	if next := before.Next(true); lost && !bytes.Equal(next, s.Next(true)) || next == nil && lost {
		t.Fatalf("what % x is followed by depends on who saw it", unit)
	}
}
