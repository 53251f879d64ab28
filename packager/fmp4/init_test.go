package fmp4_test

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"testing"

	"pushcart/media"
	"pushcart/media/mediatest"
	"pushcart/packager/fmp4"
)

func TestInit(t *testing.T) {
	entries := map[string]string{
		"h264": "avc1", "h264b": "avc1", "hevc": "hvc1", "av1": "av01", "aac": "mp4a", "opus": "Opus",
	}
	forEachClip(t, func(t *testing.T, name string, track media.Track, _ []media.AccessUnit) {
		h, err := fmp4.ReadInit(initFor(t, track))
		if err != nil {
			t.Fatal(err)
		}
		if h.Entry != entries[name] || h.Kind != track.Kind() || int64(h.Timescale) != track.Timescale || h.TrackID != 1 {
			t.Errorf("header %+v", h)
		}
		if h.HasEdits || !slices.Contains(h.Brands, "iso6") {
			t.Errorf("edit list %t, brands %v", h.HasEdits, h.Brands)
		}
	})
}

// What the stream says of its picture goes into the sample entry.
func TestColourAndAspect(t *testing.T) {
	track := mediatest.Video{}.Track()
	f, err := media.ParseConfig(track)
	if err != nil {
		t.Fatal(err)
	}
	f.AspectH, f.AspectV, f.Width = 4, 3, 853
	for name, c := range map[string]struct {
		color media.Color
		nclx  string
	}{
		"unspecified": {media.Color{}, "nclx\x00\x02\x00\x02\x00\x02\x00"},
		"HDR":         {media.Color{Primaries: 9, Transfer: 16, Matrix: 9}, "nclx\x00\x09\x00\x10\x00\x09\x00"},
		"RGB":         {media.Color{Primaries: 1, Transfer: 13, FullRange: true}, "nclx\x00\x01\x00\x0d\x00\x00\x80"},
	} {
		f.Color = c.color
		b, err := fmp4.Init(track, f, 1)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(b, []byte("\x00\x00\x00\x13colr"+c.nclx)) {
			t.Errorf("%s: no colr with %q", name, c.nclx)
		}
		if !bytes.Contains(b, []byte("\x00\x00\x00\x10pasp\x00\x00\x00\x04\x00\x00\x00\x03")) {
			t.Errorf("%s: no pasp 4:3", name)
		}
	}
}

func TestInitRefuses(t *testing.T) {
	video, audio := mediatest.Video{}.Track(), mediatest.Audio{}.Track()
	vf, err := media.ParseConfig(video)
	if err != nil {
		t.Fatal(err)
	}
	af, err := media.ParseConfig(audio)
	if err != nil {
		t.Fatal(err)
	}
	change := func(t media.Track, f func(*media.Track)) media.Track { f(&t); return t }
	for name, c := range map[string]struct {
		track media.Track
		f     media.Format
		id    uint32
	}{
		"no ID":          {video, vf, 0},
		"no size":        {video, media.Format{}, 1},
		"too wide":       {video, media.Format{CodedWidth: 1 << 16, CodedHeight: 2}, 1},
		"no channels":    {audio, media.Format{SampleRate: 48000}, 1},
		"no rate":        {audio, media.Format{Channels: 2}, 1},
		"no config":      {change(audio, func(t *media.Track) { t.Config = nil }), af, 1},
		"config":         {change(audio, func(t *media.Track) { t.Config = make([]byte, 1<<16+1) }), af, 1},
		"short OpusHead": {change(audio, func(t *media.Track) { t.Codec = media.CodecOpus }), af, 1},
		"no timescale":   {change(video, func(t *media.Track) { t.Timescale = 0 }), vf, 1},
		"timescale":      {change(video, func(t *media.Track) { t.Timescale = math.MaxUint32 + 1 }), vf, 1},
		"data":           {media.Track{Codec: media.CodecAMF0, Timescale: 1000, Config: []byte{1}}, vf, 1},
	} {
		b, err := fmp4.Init(c.track, c.f, c.id)
		if err == nil || b != nil {
			t.Errorf("%s: %d bytes, error %v; want none, and an error", name, len(b), err)
		}
		if name == "data" && !errors.Is(err, media.ErrUnsupported) {
			t.Errorf("%s: %v, want ErrUnsupported", name, err)
		}
	}
}
