package fmp4_test

import (
	"bytes"
	"testing"

	"pushcart/media"
	"pushcart/media/mediatest"
	"pushcart/packager/fmp4"
)

// What ReadFragment accepts has its samples inside of the file, in order.
func FuzzReadFragment(f *testing.F) {
	// Small seeds: the fuzzer spends its time on making them smaller otherwise.
	v := mediatest.Video{BFrames: 1, Bytes: 1}
	parts := fragments(v.Track(), v.Units(4), 2)
	parts[0].Events = []fmp4.Event{{Scheme: "a", Value: "b"}}
	parts[0].PRFT = &fmp4.ProducerTime{}
	f.Add(parts[1].Append(parts[0].Append(nil)))
	a := mediatest.Audio{Bytes: 1}
	sound := fragments(a.Track(), a.Units(2), 2)
	f.Add(sound[0].Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := fmp4.ReadFragment(b)
		if err != nil {
			return
		}
		total := 0
		for _, s := range p.Samples {
			total += len(s.Data)
		}
		if total > len(b) {
			t.Errorf("samples of %d bytes in a file of %d", total, len(b))
		}
	})
}

func FuzzReadInit(f *testing.F) {
	for _, name := range mediatest.Clips() {
		track, _ := mediatest.Clip(name)
		f.Add(initFor(f, track))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if h, err := fmp4.ReadInit(b); err == nil && h.TrackID == 0 {
			t.Error("a track without an ID")
		}
	})
}

// Whatever ParseConfig accepts, Init writes in a form that ReadInit accepts, and the configuration is in it.
func FuzzInit(f *testing.F) {
	codecs := []media.Codec{media.CodecH264, media.CodecHEVC, media.CodecAV1, media.CodecAAC, media.CodecOpus}
	for _, name := range mediatest.Clips() {
		track, _ := mediatest.Clip(name)
		for i, c := range codecs {
			if c == track.Codec {
				f.Add(uint8(i), track.Config, "de")
			}
		}
	}
	f.Fuzz(func(t *testing.T, codec uint8, config []byte, language string) {
		track := media.Track{Codec: codecs[int(codec)%len(codecs)], Timescale: 90000, Config: config, Language: language}
		format, err := media.ParseConfig(track)
		if err != nil {
			return
		}
		b, err := fmp4.Init(track, format, 1)
		if err != nil {
			t.Fatalf("ParseConfig accepts it, Init does not: %v", err)
		}
		if _, err := fmp4.ReadInit(b); err != nil {
			t.Fatal(err)
		}
		if track.Codec != media.CodecOpus && !bytes.Contains(b, config) {
			t.Error("the configuration is not in the initialization segment")
		}
	})
}

func FuzzReadID3TXXX(f *testing.F) {
	f.Add(fmp4.AppendID3TXXX(nil, "com.example.overlay", cueText))
	f.Fuzz(func(t *testing.T, b []byte) {
		description, value, err := fmp4.ReadID3TXXX(b)
		if err != nil {
			return
		}
		again := fmp4.AppendID3TXXX(nil, description, value)
		d, v, err := fmp4.ReadID3TXXX(again)
		if err != nil || d != description || v != value {
			t.Errorf("%q, %q is read back as %q, %q, %v", description, value, d, v, err)
		}
	})
}
