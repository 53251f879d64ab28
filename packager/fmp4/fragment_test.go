package fmp4_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"pushcart/media/mediatest"
	"pushcart/packager/fmp4"
)

// check writes f, reads it back and compares.
func check(t *testing.T, f *fmp4.Fragment) *fmp4.Parsed {
	t.Helper()
	b := f.Append([]byte("before"))
	if len(b) != 6+f.Size() || string(b[:6]) != "before" {
		t.Fatalf("Append adds %d bytes, Size says %d", len(b)-6, f.Size())
	}
	p, err := fmp4.ReadFragment(b[6:])
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Sequence) != 1 || p.Sequence[0] != f.Sequence || p.TrackID != f.TrackID || p.BaseTime != f.BaseTime {
		t.Errorf("sequence %v, track %d, time %d", p.Sequence, p.TrackID, p.BaseTime)
	}
	if len(p.Samples) != len(f.Samples) || len(p.Events) != len(f.Events) {
		t.Fatalf("%d samples, %d events; want %d, %d", len(p.Samples), len(p.Events), len(f.Samples), len(f.Events))
	}
	at := f.BaseTime
	for i, want := range f.Samples {
		got := p.Samples[i]
		if got.DTS != at || got.Duration != want.Duration || got.CompositionOffset != want.CompositionOffset ||
			got.Sync != (want.Sync || !f.Video) || !bytes.Equal(got.Data, want.Data) {
			t.Errorf("sample %d: %+v, want %+v at %d", i, got, want, at)
		}
		at += uint64(want.Duration)
	}
	for i, want := range f.Events {
		got := p.Events[i]
		if !bytes.Equal(got.Data, want.Data) {
			t.Errorf("event %d: data %q, want %q", i, got.Data, want.Data)
		}
		got.Data, want.Data = nil, nil
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("event %d: %+v, want %+v", i, got, want)
		}
	}
	return p
}

// The run says no more than it has to.
func TestRunFlags(t *testing.T) {
	s := func(duration uint32, offset int32, sync bool) fmp4.Sample {
		return fmp4.Sample{Duration: duration, CompositionOffset: offset, Sync: sync, Data: []byte{1, 2, 3}}
	}
	for name, c := range map[string]struct {
		video      bool
		samples    []fmp4.Sample
		tfhd, trun uint32
	}{
		"audio":              {false, []fmp4.Sample{s(1024, 0, true), s(1024, 0, true)}, 0x020028, 0x201},
		"audio, not sync":    {false, []fmp4.Sample{s(1024, 0, false), s(1024, 0, false)}, 0x020028, 0x201},
		"audio, last longer": {false, []fmp4.Sample{s(1024, 0, true), s(1030, 0, true)}, 0x020020, 0x301},
		"constant rate":      {true, []fmp4.Sample{s(3000, 0, true), s(3000, 0, false)}, 0x020028, 0x205},
		"no keyframe":        {true, []fmp4.Sample{s(3000, 0, false), s(3000, 0, false)}, 0x020028, 0x201},
		"only keyframes":     {true, []fmp4.Sample{s(3000, 0, true), s(3000, 0, true)}, 0x020028, 0x201},
		"keyframe later":     {true, []fmp4.Sample{s(1, 0, false), s(1, 0, true), s(1, 0, false)}, 0x020028, 0x601},
		"keyframe last":      {true, []fmp4.Sample{s(3000, 0, false), s(3000, 0, true)}, 0x020028, 0x205},
		"B-frames":           {true, []fmp4.Sample{s(3000, 3000, true), s(3001, -1, false)}, 0x020020, 0xB05},
		"one":                {true, []fmp4.Sample{s(3000, 0, true)}, 0x020028, 0x201},
		"none":               {true, nil, 0x020020, 0x301},
	} {
		t.Run(name, func(t *testing.T) {
			p := check(t, &fmp4.Fragment{Video: c.video, TrackID: 3, Sequence: 9, BaseTime: 1 << 40, Samples: c.samples})
			if p.TfhdFlags != c.tfhd || p.TrunFlags != c.trun {
				t.Errorf("tfhd 0x%06x, trun 0x%06x; want 0x%06x, 0x%06x", p.TfhdFlags, p.TrunFlags, c.tfhd, c.trun)
			}
		})
	}
}

// Whatever is written is read back.
func TestRandomFragments(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		f := fmp4.Fragment{
			Styp: r.IntN(2) == 0, Sequence: r.Uint32(), TrackID: r.Uint32(), BaseTime: r.Uint64() >> 2, Video: r.IntN(2) == 0,
		}
		if r.IntN(2) == 0 {
			f.PRFT = &fmp4.ProducerTime{NTP: r.Uint64(), MediaTime: r.Uint64(), Flags: 24}
		}
		for range r.IntN(3) {
			f.Events = append(f.Events, fmp4.Event{
				Timescale: r.Uint32(), PresentationTime: r.Uint64(), Duration: r.Uint32(), ID: r.Uint32(),
				Scheme: "urn:a", Value: "", Data: make([]byte, r.IntN(9)),
			})
		}
		for range r.IntN(9) {
			f.Samples = append(f.Samples, fmp4.Sample{
				Duration: r.Uint32N(3), CompositionOffset: int32(r.Uint32N(5)) - 2, Sync: r.IntN(3) == 0,
				Data: bytes.Repeat([]byte{byte(r.Uint32())}, r.IntN(20)),
			})
		}
		p := check(t, &f)
		if f.PRFT != nil && (len(p.PRFT) != 1 || p.PRFT[0] != *f.PRFT) {
			t.Errorf("prft %+v, want %+v", p.PRFT, *f.PRFT)
		}
		if f.Styp != (p.Styp != nil) {
			t.Errorf("styp %v, want one: %t", p.Styp, f.Styp)
		}
	}
}

// A segment is its parts, one behind the other.
func TestConcatenation(t *testing.T) {
	v := mediatest.Video{BFrames: 2}
	var segment []byte
	for _, f := range fragments(v.Track(), v.Units(60), 10) {
		f.Styp = f.Sequence == 1
		segment = f.Append(segment)
	}
	p, err := fmp4.ReadFragment(segment)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Samples) != 60 || len(p.Sequence) != 6 || p.End() != 60*3000 {
		t.Errorf("%d samples in %d fragments up to %d", len(p.Samples), len(p.Sequence), p.End())
	}
	for i, s := range p.Samples {
		if mediatest.Index(s.Data) != i || s.DTS != uint64(i)*3000 {
			t.Errorf("sample %d is unit %d at %d", i, mediatest.Index(s.Data), s.DTS)
		}
	}
}

func TestAppendDoesNotAllocate(t *testing.T) {
	f := benchFragment()
	buf := make([]byte, 0, f.Size())
	if n := testing.AllocsPerRun(100, func() { f.Append(buf) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// benchFragment is a part of 0.3414 s of 2.5 Mb/s at 30 frames a second.
func benchFragment() *fmp4.Fragment {
	v := mediatest.Video{Bytes: 10_000}
	all := fragments(v.Track(), v.Units(11), 10)
	f := &all[0]
	f.PRFT = &fmp4.ProducerTime{}
	return f
}

func BenchmarkFragment(b *testing.B) {
	f := benchFragment()
	buf := make([]byte, 0, f.Size())
	b.SetBytes(int64(f.Size()))
	b.ReportAllocs()
	for b.Loop() {
		buf = f.Append(buf[:0])
	}
}

func BenchmarkReadFragment(b *testing.B) {
	data := benchFragment().Append(nil)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := fmp4.ReadFragment(data); err != nil {
			b.Fatal(err)
		}
	}
}
