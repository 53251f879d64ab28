package media_test

import (
	"bytes"
	"slices"
	"testing"

	"pushcart/media"
	"pushcart/media/mediatest"
)

// prefixed makes an access unit of NAL units.
func prefixed(lengthSize int, nals ...string) []byte {
	var b []byte
	for _, n := range nals {
		for i := lengthSize - 1; i >= 0; i-- {
			b = append(b, byte(len(n)>>(8*i)))
		}
		b = append(b, n...)
	}
	return b
}

// avcTrack is a track whose lengths have that many bytes.
func avcTrack(lengthSize int) media.Track {
	track := mediatest.Video{}.Track()
	track.Config = slices.Clone(track.Config)
	track.Config[4] = 0xFC | byte(lengthSize-1)
	return track
}

func TestNALUnits(t *testing.T) {
	for _, size := range []int{1, 2, 4} {
		track := avcTrack(size)
		if got := media.NALLengthSize(track); got != size {
			t.Fatalf("length size %d, want %d", got, size)
		}
		want := []string{"\x09\xF0", "", "\x65abc", "\x65d"}
		data := prefixed(size, want...)
		var got []string
		for nal := range media.NALUnits(size, data) {
			got = append(got, string(nal))
		}
		if !slices.Equal(got, want) {
			t.Errorf("size %d: %q, want %q", size, got, want)
		}
		if err := media.ValidUnit(track, data); err != nil {
			t.Error(err)
		}
		for cut := 1; cut < len(data); cut++ {
			whole := slices.Contains([]int{size + 2, 2*size + 2, 3*size + 6}, cut)
			if err := media.ValidUnit(track, data[:cut]); (err == nil) != whole {
				t.Errorf("size %d, cut at %d: %v, want an error: %t", size, cut, err, !whole)
			}
		}
	}
	if got := media.NALLengthSize(avcTrack(3)); got != 0 {
		t.Errorf("lengths of three bytes: %d, want 0", got)
	}
	for range media.NALUnits(0, []byte{1, 2, 3}) {
		t.Error("a NAL unit without lengths")
	}
	unit := mediatest.Video{}.Unit(0).Data
	if n := testing.AllocsPerRun(10, func() { media.RandomAccess(avcTrackShared, unit) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

var avcTrackShared = mediatest.Video{}.Track()

func TestRandomAccess(t *testing.T) {
	avc := avcTrack(4)
	hevc := media.Track{Codec: media.CodecHEVC, Config: append(make([]byte, 21), 3, 0)}
	av1 := media.Track{Codec: media.CodecAV1}
	for name, c := range map[string]struct {
		track media.Track
		data  []byte
		want  bool
	}{
		"IDR":                  {avc, prefixed(4, "\x67sps", "\x68pps", "\x06sei", "\x65slice"), true},
		"P":                    {avc, prefixed(4, "\x09\xF0", "\x41slice"), false},
		"sets without picture": {avc, prefixed(4, "\x67sps", "\x68pps"), false},
		"nothing":              {avc, nil, false},
		"HEVC IDR_W_RADL":      {hevc, prefixed(4, "\x26\x01slice"), true},
		"HEVC IDR_N_LP":        {hevc, prefixed(4, "\x28\x01slice"), true},
		"HEVC CRA":             {hevc, prefixed(4, "\x2a\x01slice"), true},
		"HEVC TRAIL_R":         {hevc, prefixed(4, "\x02\x01slice"), false},
		"AV1 key frame":        {av1, []byte("\x0a\x01\x00\x32\x02\x10\x00"), true},
		"AV1 inter frame":      {av1, []byte("\x32\x02\x30\x00"), false},
		"AV1 hidden key frame": {av1, []byte("\x32\x02\x00\x00"), false},
		"AV1 shown again":      {av1, []byte("\x1a\x01\x80"), false},
		"AAC":                  {media.Track{Codec: media.CodecAAC}, nil, true},
		"data":                 {media.Track{Codec: media.CodecAMF0}, nil, true},
	} {
		if got := media.RandomAccess(c.track, c.data); got != c.want {
			t.Errorf("%s: %t, want %t", name, got, c.want)
		}
	}
}

func TestValidUnit(t *testing.T) {
	av1, opus := media.Track{Codec: media.CodecAV1}, media.Track{Codec: media.CodecOpus}
	for name, c := range map[string]struct {
		track media.Track
		data  string
		valid bool
	}{
		"AV1":                    {av1, "\x0a\x01\x00\x32\x02\x10\x00", true},
		"AV1, the last unsized":  {av1, "\x0a\x01\x00\x30\x10\x00", true},
		"AV1, extension":         {av1, "\x36\x08\x02\x10\x00", true},
		"AV1, cut off":           {av1, "\x0a\x01\x00\x32\x03\x10\x00", false},
		"AV1, size without end":  {av1, "\x0a\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", false},
		"AV1, extension cut off": {av1, "\x36", false},
		"Opus":                   {opus, "\xF8\xFF\xFE", true},
		"Opus, too long":         {opus, "\xFB\x07", false},
		"AAC, whatever":          {media.Track{Codec: media.CodecAAC}, "x", true},
		"AAC, empty":             {media.Track{Codec: media.CodecAAC}, "", false},
		"H.264 without a config": {media.Track{Codec: media.CodecH264}, "\x00\x00\x00\x01\x65", false},
		"H.264, length of 4 GiB": {avcTrack(4), "\xFF\xFF\xFF\xFF\x65", false},
		"H.264, start codes":     {avcTrack(4), "\x00\x00\x00\x01\x65\x88\x84\x00", false},
		"H.264, empty NAL units": {avcTrack(4), "\x00\x00\x00\x00", true},
	} {
		if err := media.ValidUnit(c.track, []byte(c.data)); (err == nil) != c.valid {
			t.Errorf("%s: %v, want valid: %t", name, err, c.valid)
		}
	}
}

func TestStripInBand(t *testing.T) {
	track := avcTrack(2)
	data := prefixed(2, "\x09\xF0", "\x67sps", "\x68pps", "", "\x06sei", "\x65slice", "\x65slice")
	if got, want := media.StripInBand(track, data), prefixed(2, "\x06sei", "\x65slice", "\x65slice"); !bytes.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	hevc := media.Track{Codec: media.CodecHEVC, Config: append(make([]byte, 21), 3, 0)}
	data = prefixed(4, "\x46\x01\x50", "\x40\x01vps", "\x42\x01sps", "\x44\x01pps", "\x26\x01slice")
	if got, want := media.StripInBand(hevc, data), prefixed(4, "\x26\x01slice"); !bytes.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	av1 := media.Track{Codec: media.CodecAV1}
	if got, want := media.StripInBand(av1, []byte("\x12\x00\x0a\x01\x00\x7a\x01\x80\x32\x02\x10\x00")), []byte("\x0a\x01\x00\x32\x02\x10\x00"); !bytes.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	for name, same := range map[string][]byte{
		"nothing in band": prefixed(2, "\x06sei", "\x65slice"),
		"broken":          append(prefixed(2, "\x67sps"), 9, 9, 9),
	} {
		if got := media.StripInBand(track, same); &got[0] != &same[0] || len(got) != len(same) {
			t.Errorf("%s: %q, want what was given", name, got)
		}
	}
	aac := []byte("\x00\x02\x67s")
	if got := media.StripInBand(media.Track{Codec: media.CodecAAC}, aac); &got[0] != &aac[0] || len(got) != len(aac) {
		t.Errorf("AAC: %q", got)
	}
}
