package packager

import (
	"fmt"
	"testing"

	"pushcart/media"
	"pushcart/media/mediatest"
	"pushcart/stream"
)

// BenchmarkApply packages a show of 2.5 Mb/s; an operation is one access unit, audio and video as they
// come.
func BenchmarkApply(b *testing.B) {
	l, _ := Preset("low")
	video, audio := mediatest.Video{Start: 90000, Bytes: 9600}, mediatest.Audio{Start: 48000, Bytes: 340}
	tracks := []media.Track{video.Track(), audio.Track()}
	units := mediatest.Interleave(tracks, video.Units(240), audio.Units(375)) // 8 s of both, to the sample
	p := New(Config{Latency: l}, Show{Epoch: "e1", Start: epochStart, FirstMSN: 1})
	if err := p.Apply(stream.Event{Kind: stream.EventTracks, Tracks: tracks}); err != nil {
		b.Fatal(err)
	}
	bytes := int64(0)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		au := units[i%len(units)]
		round := int64(i/len(units)) * 8
		scale := tracks[au.Track-1].Timescale
		au.DTS += round * scale
		au.PTS += round * scale
		p.Apply(stream.Event{Kind: stream.EventUnit, Unit: au})
		bytes += int64(len(au.Data))
	}
	b.SetBytes(bytes / int64(b.N))
}

// BenchmarkRender renders and compresses what one part makes new in a window of 30 s and of two hours.
func BenchmarkRender(b *testing.B) {
	for _, bb := range []struct {
		name     string
		segments int
		gzip     bool
	}{{"30s", 15, false}, {"30s-gzip", 15, true}, {"2h", 3600, false}, {"2h-gzip", 3600, true}} {
		b.Run(bb.name, func(b *testing.B) {
			l, _ := Preset("low")
			cfg := Config{Latency: l, Window: maxWindow}
			p := New(cfg, Show{Epoch: "e1", Start: epochStart, FirstMSN: 1})
			v := mediatest.Video{Start: 90000, Bytes: 100}
			p.Apply(stream.Event{Kind: stream.EventTracks, Tracks: []media.Track{v.Track()}})
			for i := range bb.segments * 60 {
				p.Apply(stream.Event{Kind: stream.EventUnit, Unit: v.Unit(i)})
			}
			pl := p.renditions[0].state.Load()
			b.ReportAllocs()
			for b.Loop() {
				d := NewDocument("x", func() []byte { return pl.render(SkipNone) })
				if bb.gzip {
					d.Gzip()
				} else {
					d.Text()
				}
			}
		})
	}
}

// BenchmarkPart packages the same show and counts by part: what a new part costs whoever it concerns.
// Renditions beside the first are rungs of the same pictures.
func BenchmarkPart(b *testing.B) {
	for _, rungs := range []int{1, 2, 4} {
		b.Run(fmt.Sprintf("rungs=%d", rungs), func(b *testing.B) {
			l, _ := Preset("low")
			var tracks []media.Track
			var rows [][]media.AccessUnit
			for i := range rungs {
				v := mediatest.Video{ID: 1 + i, Start: 90000, Bytes: 9600}
				tracks, rows = append(tracks, v.Track()), append(rows, v.Units(240))
			}
			a := mediatest.Audio{ID: rungs + 1, Start: 48000, Bytes: 340}
			tracks, rows = append(tracks, a.Track()), append(rows, a.Units(375))
			units := mediatest.Interleave(tracks, rows...)
			p := New(Config{Latency: l}, Show{Epoch: "e1", Start: epochStart, FirstMSN: 1})
			if err := p.Apply(stream.Event{Kind: stream.EventTracks, Tracks: tracks}); err != nil {
				b.Fatal(err)
			}
			next := 0
			parts := func() (n int64) {
				for _, r := range p.renditions {
					n += r.nextPart
				}
				return n
			}
			b.ReportAllocs()
			for b.Loop() {
				for before := parts(); parts() == before; next++ {
					au := units[next%len(units)]
					round := int64(next/len(units)) * 8
					scale := tracks[au.Track-1].Timescale
					au.DTS += round * scale
					au.PTS += round * scale
					p.Apply(stream.Event{Kind: stream.EventUnit, Unit: au})
				}
			}
		})
	}
}
