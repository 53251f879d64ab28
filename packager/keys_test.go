package packager

import (
	"context"
	"testing"
	"time"

	"pushcart/media"
	"pushcart/media/mediatest"
	"pushcart/packager/fmp4"
	"pushcart/packager/m3u8"
	"pushcart/stream"
)

// TestKeys reads the playlist of key pictures as a player does: each range is whole boxes and begins with a
// keyframe, the one that the segment begins with.
func TestKeys(t *testing.T) {
	p := newShow(t, "low")
	in := inspect(t, p)
	h := regular(10)
	feed(t, p, in, h.tracks, h.units())
	d, err := p.Window().Playlist(t.Context(), "v1-iframes", -1, -1, SkipNone)
	if err != nil {
		t.Fatal(err)
	}
	m, err := m3u8.ParseMedia(d.Text())
	if err != nil {
		t.Fatalf("%v\n%s", err, d.Text())
	}
	whole, err := m3u8.ParseMedia([]byte(playlistText(t, p, "v1", SkipNone)))
	if err != nil {
		t.Fatal(err)
	}
	if !m.IFramesOnly || m.TargetDuration != whole.TargetDuration || m.MediaSequence != whole.MediaSequence || len(m.Segments) != len(whole.Segments) {
		t.Fatalf("it begins with\n%.400s", d.Text())
	}
	pictures := 0
	for i, s := range m.Segments {
		if s.URI != whole.Segments[i].URI || s.Gap != whole.Segments[i].Gap || s.Duration != whole.Segments[i].Duration {
			t.Fatalf("segment %d is %+v, in v1 %+v", i, s, whole.Segments[i])
		}
		if s.Gap {
			continue
		}
		pictures++
		o, err := p.Window().Object(t.Context(), s.URI)
		if err != nil {
			t.Fatal(err)
		}
		var b []byte
		for _, c := range o.Chunks {
			b = append(b, c...)
		}
		b = b[s.Range.Offset:][:s.Range.Length]
		f, err := fmp4.ReadFragment(b)
		if err != nil {
			t.Fatal(err)
		}
		if string(b[4:8]) != "moof" || !f.Samples[0].Sync || mediatest.Index(f.Samples[0].Data)%60 != 0 {
			t.Errorf("%s begins with %q and picture %d", s.URI, b[4:8], mediatest.Index(f.Samples[0].Data))
		}
	}
	if pictures != 4 {
		t.Errorf("%d key pictures", pictures)
	}
	for name, want := range map[string]error{"a1-iframes": ErrNotFound, "v2-iframes": ErrNotFound, "-iframes": ErrNotFound} {
		if _, err := p.Window().Playlist(t.Context(), name, -1, -1, SkipNone); err != want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestKeysBlock checks that the playlist of key pictures changes with each segment, not with each part, and that
// it can be waited for.
func TestKeysBlock(t *testing.T) {
	p := newShow(t, "low")
	v := mediatest.Video{Start: 90000}
	apply(t, p, stream.Event{Kind: stream.EventTracks, Tracks: []media.Track{v.Track()}})
	tags := make(map[string]int)
	for i := range 600 {
		apply(t, p, stream.Event{Kind: stream.EventUnit, Unit: v.Unit(i)})
		if i >= 40 { // it is offered when players can begin it
			d, err := p.Window().Playlist(t.Context(), "v1-iframes", -1, -1, SkipDateRanges)
			if err != nil {
				t.Fatal(err)
			}
			tags[d.ETag()]++
		}
	}
	if len(tags) != 10 {
		t.Errorf("%d versions in ten segments", len(tags))
	}
	for _, tt := range []struct {
		msn  int64
		part int
		want error
	}{{114, -1, nil}, {114, 3, nil}, {115, 0, context.DeadlineExceeded}, {115, -1, context.DeadlineExceeded}, {118, -1, ErrTooFar}} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		_, err := p.Window().Playlist(ctx, "v1-iframes", tt.msn, tt.part, SkipNone)
		cancel()
		if err != tt.want {
			t.Errorf("%d.%d: %v, want %v", tt.msn, tt.part, err, tt.want)
		}
	}
}
