package media_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"
	"time"

	"pushcart/media"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Configurations put together from the tables of ISO/IEC 14496-3 1.6, in each way that there is to say SBR
// and PS.
func TestAudioSpecificConfig(t *testing.T) {
	for name, c := range map[string]struct {
		config string
		want   media.Format
	}{
		"LC":                              {"1190", media.Format{Codecs: "mp4a.40.2", SampleRate: 48000, Channels: 2, FrameSamples: 1024}},
		"LC with padding":                 {"119000000000", media.Format{Codecs: "mp4a.40.2", SampleRate: 48000, Channels: 2, FrameSamples: 1024}},
		"LC, no SBR said":                 {"121056e500", media.Format{Codecs: "mp4a.40.2", SampleRate: 44100, Channels: 2, FrameSamples: 1024}},
		"LC, 960":                         {"1194", media.Format{Codecs: "mp4a.40.2", SampleRate: 48000, Channels: 2, FrameSamples: 960}},
		"LC, 7.1":                         {"11b8", media.Format{Codecs: "mp4a.40.2", SampleRate: 48000, Channels: 8, FrameSamples: 1024}},
		"LC, rate in Hz":                  {"17805dc010", media.Format{Codecs: "mp4a.40.2", SampleRate: 48000, Channels: 2, FrameSamples: 1024}},
		"HE, hierarchical":                {"2b118800", media.Format{Codecs: "mp4a.40.5", SampleRate: 48000, Channels: 2, FrameSamples: 2048}},
		"HE, compatible":                  {"131056e598", media.Format{Codecs: "mp4a.40.5", SampleRate: 48000, Channels: 2, FrameSamples: 2048}},
		"HE, at the rate of its core":     {"119056e598", media.Format{Codecs: "mp4a.40.5", SampleRate: 48000, Channels: 2, FrameSamples: 1024}},
		"HE, 960":                         {"131456e598", media.Format{Codecs: "mp4a.40.5", SampleRate: 48000, Channels: 2, FrameSamples: 1920}},
		"HE version 2, hierarchical":      {"eb8a0800", media.Format{Codecs: "mp4a.40.29", SampleRate: 44100, Channels: 2, FrameSamples: 2048}},
		"HE version 2, compatible":        {"138856e5a54880", media.Format{Codecs: "mp4a.40.29", SampleRate: 44100, Channels: 2, FrameSamples: 2048}},
		"HE version 2, compatible, no PS": {"138856e5a54800", media.Format{Codecs: "mp4a.40.5", SampleRate: 44100, Channels: 1, FrameSamples: 2048}},
	} {
		f, err := media.ParseConfig(media.Track{Codec: media.CodecAAC, Config: unhex(t, c.config)})
		if err != nil || f != c.want {
			t.Errorf("%s: %+v, %v; want %+v", name, f, err, c.want)
		}
	}
	for name, c := range map[string]struct {
		config      string
		unsupported bool
	}{
		"empty":                          {"", false},
		"one byte":                       {"11", false},
		"Main":                           {"0990", true},
		"LTP":                            {"2190", true},
		"xHE-AAC":                        {"f9460000", true},
		"HE on HE":                       {"2b11a800", true},
		"program config element":         {"11800000", true},
		"core coder":                     {"11920000", true},
		"reserved rate":                  {"1690", false},
		"rate of 1 Hz":                   {"1780000090", false},
		"reserved channel configuration": {"11c0", false},
		"SBR to a third of the rate":     {"2b120800", false},
		"PS on stereo":                   {"eb920800", false},
	} {
		f, err := media.ParseConfig(media.Track{Codec: media.CodecAAC, Config: unhex(t, c.config)})
		if err == nil || errors.Is(err, media.ErrUnsupported) != c.unsupported {
			t.Errorf("%s: %+v, %v; want an error, unsupported: %t", name, f, err, c.unsupported)
		}
	}
}

func TestOpusHead(t *testing.T) {
	const fixed = "380180bb00000000" // pre-skip 312, 48 kHz, no gain
	for name, c := range map[string]struct {
		config   string
		channels int // zero: an error
	}{
		"mono":                  {"0101" + fixed + "00", 1},
		"stereo":                {"0102" + fixed + "00", 2},
		"5.1":                   {"0106" + fixed + "01" + "0402" + "000401020305", 6},
		"a silent channel":      {"0102" + fixed + "01" + "0100" + "00ff", 2},
		"three in family 0":     {"0103" + fixed + "00", 0},
		"none":                  {"0100" + fixed + "00", 0},
		"nine in family 1":      {"0109" + fixed + "01" + "0900" + "000102030405060708", 0},
		"cut off":               {"0102" + fixed, 0},
		"mapping cut off":       {"0106" + fixed + "01" + "0402" + "0004010203", 0},
		"no streams":            {"0101" + fixed + "01" + "0000" + "ff", 0},
		"more coupled than all": {"0102" + fixed + "01" + "0102" + "0001", 0},
		"stream out of range":   {"0102" + fixed + "01" + "0101" + "0002", 0},
		"ambisonics":            {"0104" + fixed + "02" + "0400" + "00010203", 0},
		"version 16":            {"1002" + fixed + "00", 0},
	} {
		track := media.Track{Codec: media.CodecOpus, Config: unhex(t, c.config)}
		f, err := media.ParseConfig(track)
		if (err == nil) != (c.channels > 0) || f.Channels != c.channels {
			t.Errorf("%s: %+v, %v; want %d channels", name, f, err, c.channels)
		}
		if err == nil && (f.SampleRate != 48000 || f.Codecs != "Opus" || media.OpusPreSkip(track.Config) != 312) {
			t.Errorf("%s: %+v, pre-skip %d", name, f, media.OpusPreSkip(track.Config))
		}
	}
}

func TestOpusDuration(t *testing.T) {
	const ms = time.Millisecond
	// Table 2 of RFC 6716: the frame sizes of configurations 0 to 31.
	sizes := []time.Duration{
		10 * ms, 20 * ms, 40 * ms, 60 * ms, 10 * ms, 20 * ms, 40 * ms, 60 * ms, 10 * ms, 20 * ms, 40 * ms, 60 * ms,
		10 * ms, 20 * ms, 10 * ms, 20 * ms,
		2500 * time.Microsecond, 5 * ms, 10 * ms, 20 * ms, 2500 * time.Microsecond, 5 * ms, 10 * ms, 20 * ms,
		2500 * time.Microsecond, 5 * ms, 10 * ms, 20 * ms, 2500 * time.Microsecond, 5 * ms, 10 * ms, 20 * ms,
	}
	for config, size := range sizes {
		toc := byte(config << 3)
		for code, frames := range []int{1, 2, 2} {
			if got := media.OpusDuration([]byte{toc | byte(code), 0, 0}); got != size*time.Duration(frames) {
				t.Errorf("configuration %d, code %d: %v, want %v", config, code, got, size*time.Duration(frames))
			}
		}
		for frames := range 64 {
			want := size * time.Duration(frames)
			if want > 120*ms {
				want = 0
			}
			if got := media.OpusDuration([]byte{toc | 3, 0xC0 | byte(frames)}); got != want {
				t.Errorf("configuration %d, %d frames: %v, want %v", config, frames, got, want)
			}
		}
	}
	for _, packet := range [][]byte{nil, {3}} {
		if got := media.OpusDuration(packet); got != 0 {
			t.Errorf("% x: %v, want 0", packet, got)
		}
	}
}

// packager/fmp4 has the test in which silence is decoded.
func TestSilence(t *testing.T) {
	silence := func(codec media.Codec, config string) []byte {
		track := media.Track{Codec: codec, Config: unhex(t, config)}
		f, _ := media.ParseConfig(track)
		return media.Silence(track, f)
	}
	for name, c := range map[string]struct {
		codec  media.Codec
		config string
		known  bool
	}{
		"mono":           {media.CodecAAC, "1188", true},
		"stereo":         {media.CodecAAC, "1190", true},
		"7.1":            {media.CodecAAC, "11b8", true},
		"6.1":            {media.CodecAAC, "11d8", false},
		"HE":             {media.CodecAAC, "2b118800", false},
		"broken":         {media.CodecAAC, "11", false},
		"Opus":           {media.CodecOpus, "0102380180bb0000000000", true},
		"broken Opus":    {media.CodecOpus, "0102380180bb00000000", false},
		"not audio":      {media.CodecH264, "01", false},
		"unknown":        {"", "", false},
		"data, no codec": {media.CodecAMF0, "", false},
	} {
		if got := silence(c.codec, c.config); (got != nil) != c.known {
			t.Errorf("%s: % x, want some: %t", name, got, c.known)
		}
	}
	if got := silence(media.CodecAAC, "1190"); !bytes.Equal(got, silence(media.CodecAAC, "1210")) {
		t.Error("silence depends on the sampling rate")
	}
	if got := media.OpusDuration(silence(media.CodecOpus, "0106380180bb0000000001"+"0402"+"000401020305")); got != 20*time.Millisecond {
		t.Errorf("Opus silence lasts %v, want 20 ms", got)
	}
}
