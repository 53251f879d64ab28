package fmp4_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"pushcart/media"
	"pushcart/media/mediatest"
	"pushcart/media/mediatest/record"
	"pushcart/packager/fmp4"
)

// silenceTrack is an AAC-LC track with that channel configuration, or an Opus track with as many channels.
func silenceTrack(t *testing.T, codec media.Codec, rate, channels int) media.Track {
	t.Helper()
	track := media.Track{ID: 1, Codec: codec, Timescale: int64(rate)}
	switch codec {
	case media.CodecAAC:
		track = mediatest.Audio{SampleRate: rate}.Track()
		track.Config = binary.BigEndian.AppendUint16(nil, binary.BigEndian.Uint16(track.Config)&^(15<<3)|uint16(channels<<3))
	case media.CodecOpus:
		track.Config = []byte{1, byte(channels), 0, 0, 0x80, 0xBB, 0, 0, 0, 0, 0}
		// The layouts of Vorbis (RFC 7845 5.1.1.2): streams, coupled streams, mapping.
		layout := map[int][]byte{6: {4, 2, 0, 4, 1, 2, 3, 5}, 8: {5, 3, 0, 6, 1, 2, 3, 4, 5, 7}}[channels]
		if layout != nil {
			track.Config[10] = 1
			track.Config = append(track.Config, layout...)
		}
	}
	return track
}

// ffmpeg decodes Silence to as many samples as it should last, all of them zero.
func TestSilenceIsSilent(t *testing.T) {
	record.FFmpeg(t)
	type show struct {
		codec          media.Codec
		rate, channels int
	}
	var shows []show
	for _, rate := range []int{44100, 48000} {
		for channels := 1; channels <= 7; channels++ {
			shows = append(shows, show{media.CodecAAC, rate, channels})
		}
	}
	for _, channels := range []int{1, 2, 6, 8} {
		shows = append(shows, show{media.CodecOpus, 48000, channels})
	}
	for _, s := range shows {
		t.Run(fmt.Sprintf("%s-%d-%d", s.codec, s.rate, s.channels), func(t *testing.T) {
			track := silenceTrack(t, s.codec, s.rate, s.channels)
			f, err := media.ParseConfig(track)
			if err != nil {
				t.Fatal(err)
			}
			frame := f.FrameSamples
			if s.codec == media.CodecOpus {
				frame = 960
			}
			unit := media.Silence(track, f)
			if unit == nil {
				t.Fatal("no silence")
			}
			const units = 20
			part := fmp4.Fragment{TrackID: 1}
			for range units {
				part.Samples = append(part.Samples, fmp4.Sample{Duration: uint32(frame), Data: unit})
			}
			peak, n := decodePCM(t, part.Append(initFor(t, track)))
			if peak != 0 || n != units*frame*f.Channels {
				t.Errorf("%d samples, the loudest %v; want %d, 0", n, peak, units*frame*f.Channels)
			}
		})
	}
}

// Silence between real frames decodes without an error, and the frames behind it are heard.
func TestSilenceInAGap(t *testing.T) {
	record.FFmpeg(t)
	for _, name := range []string{"aac", "opus"} {
		track, units := mediatest.Clip(name)
		f, err := media.ParseConfig(track)
		if err != nil {
			t.Fatal(err)
		}
		for i := 10; i < 30; i++ {
			units[i].Data = media.Silence(track, f)
		}
		file := initFor(t, track)
		for _, part := range fragments(track, units, 5) {
			file = part.Append(file)
		}
		if peak, _ := decodePCM(t, file); peak < 0.05 {
			t.Errorf("%s: the loudest sample is %v", name, peak)
		}
	}
}

// decodePCM decodes a file with ffmpeg, and returns the largest absolute value, and the number of samples.
func decodePCM(t *testing.T, file []byte) (peak float64, n int) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "silence.mp4")
	if err := os.WriteFile(path, file, 0o644); err != nil {
		t.Fatal(err)
	}
	out := run(t, "ffmpeg", "-v", "error", "-xerror", "-i", path, "-f", "f32le", "-")
	for i := 0; i+4 <= len(out); i += 4 {
		x := math.Float32frombits(binary.LittleEndian.Uint32([]byte(out[i : i+4])))
		peak = max(peak, math.Abs(float64(x)))
		n++
	}
	return peak, n
}
