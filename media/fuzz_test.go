package media_test

import (
	"bytes"
	"testing"

	"pushcart/media"
)

// checkFormat checks what ParseConfig promises of any configuration it accepts.
func checkFormat(t *testing.T, track media.Track) {
	before := bytes.Clone(track.Config)
	f, err := media.ParseConfig(track)
	if !bytes.Equal(before, track.Config) {
		t.Fatal("ParseConfig changed the configuration")
	}
	if err != nil {
		if f != (media.Format{}) {
			t.Errorf("an error, and %+v", f)
		}
		return
	}
	if (f.Codecs == "") != track.Codec.ForTranscoding() || bytes.ContainsAny([]byte(f.Codecs), "\", \n") {
		t.Errorf("codecs %q", f.Codecs)
	}
	switch track.Kind() {
	case media.KindVideo:
		for _, n := range []int{f.Width, f.Height, f.CodedWidth, f.CodedHeight} {
			if n < 1 || n > 1<<14 {
				t.Errorf("size %+v", f)
			}
		}
		if f.AspectH < 1 || f.AspectV < 1 || f.FrameRate < 0 || f.FrameRate > 300 {
			t.Errorf("format %+v", f)
		}
	case media.KindAudio:
		if f.SampleRate < 5512 || f.SampleRate > 192000 || f.Channels < 1 || f.Channels > 24 {
			t.Errorf("format %+v", f)
		}
		if track.Codec == media.CodecAAC && (f.FrameSamples < 960 || f.FrameSamples > 2048) {
			t.Errorf("format %+v", f)
		}
	}
	if s := media.Silence(track, f); s != nil {
		if err := media.ValidUnit(track, s); err != nil {
			t.Errorf("silence: %v", err)
		}
	}
}

// fuzzConfig adds the recorded configurations of one codec.
func fuzzConfig(f *testing.F, codec media.Codec) {
	seeds := 0
	for _, s := range samples(f) {
		// The SEI of some encoders, kilobytes of it, only holds the fuzzer up.
		if config := s.track(f).Config; s.Codec == codec && len(config) < 500 {
			f.Add(config)
			seeds++
		}
	}
	if seeds == 0 {
		f.Fatal("no seeds")
	}
	f.Fuzz(func(t *testing.T, config []byte) {
		checkFormat(t, media.Track{Codec: codec, Config: config})
	})
}

func FuzzAVCC(f *testing.F)     { fuzzConfig(f, media.CodecH264) }
func FuzzHVCC(f *testing.F)     { fuzzConfig(f, media.CodecHEVC) }
func FuzzAV1C(f *testing.F)     { fuzzConfig(f, media.CodecAV1) }
func FuzzASC(f *testing.F)      { fuzzConfig(f, media.CodecAAC) }
func FuzzOpusHead(f *testing.F) { fuzzConfig(f, media.CodecOpus) }

// FuzzUnits walks access units of all codecs.
func FuzzUnits(f *testing.F) {
	f.Add(uint8(0), []byte("\x00\x00\x00\x02\x67s\x00\x00\x00\x06\x65slice"))
	f.Add(uint8(1), []byte("\x00\x00\x00\x07\x26\x01slice"))
	f.Add(uint8(2), []byte("\x0a\x01\x00\x32\x02\x10\x00"))
	f.Add(uint8(3), []byte("\xFB\x06"))
	tracks := []media.Track{
		avcTrack(4),
		{Codec: media.CodecHEVC, Config: append(make([]byte, 21), 3, 0)},
		{Codec: media.CodecAV1},
		{Codec: media.CodecOpus},
		avcTrack(1),
		avcTrack(2),
	}
	f.Fuzz(func(t *testing.T, which uint8, data []byte) {
		track := tracks[int(which)%len(tracks)]
		valid, key := media.ValidUnit(track, data) == nil, media.RandomAccess(track, data)
		stripped := media.StripInBand(track, data)
		if len(stripped) > len(data) {
			t.Error("stripping makes it longer")
		}
		if valid && len(stripped) > 0 && (media.ValidUnit(track, stripped) != nil || media.RandomAccess(track, stripped) != key) {
			t.Errorf("stripped to % x", stripped)
		}
		media.OpusDuration(data)
	})
}
