package media_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"pushcart/media"
)

// soundTrack is a track for transcoding.
func soundTrack(codec media.Codec, rate int64, channels ...byte) media.Track {
	return media.Track{Codec: codec, Timescale: rate, Config: channels}
}

func TestSoundConfig(t *testing.T) {
	for _, c := range []struct {
		track       media.Track
		ok          bool
		unsupported bool
	}{
		{soundTrack(media.CodecPCMA, 8000, 1), true, false},
		{soundTrack(media.CodecPCMU, 16000, 2), true, false},
		{soundTrack(media.CodecL16, 192000, 8), true, false},
		{soundTrack(media.CodecL16, 5512, 1), true, false},
		{soundTrack(media.CodecG722, 16000, 1), true, false},
		{soundTrack(media.CodecMP3, 22050, 2), true, false},

		{soundTrack(media.CodecPCMA, 8000), false, false},
		{soundTrack(media.CodecPCMA, 8000, 1, 1), false, false},
		{soundTrack(media.CodecPCMA, 8000, 0), false, true},
		{soundTrack(media.CodecL16, 48000, 9), false, true},
		{soundTrack(media.CodecL16, 0, 2), false, false},
		{soundTrack(media.CodecL16, -8000, 2), false, false},
		{soundTrack(media.CodecL16, 1<<33+8000, 2), false, false},
		{soundTrack(media.CodecG722, 8000, 1), false, false},
		{soundTrack(media.CodecG722, 16000, 2), false, true},
		{soundTrack(media.CodecMP3, 44000, 2), false, false},
		{soundTrack(media.CodecMP3, 44100, 3), false, true},
	} {
		f, err := media.ParseConfig(c.track)
		if (err == nil) != c.ok || errors.Is(err, media.ErrUnsupported) != c.unsupported {
			t.Errorf("%+v: %+v, %v", c.track, f, err)
		}
		if err == nil && (int64(f.SampleRate) != c.track.Timescale || f.Channels != int(c.track.Config[0]) || f.Codecs != "") {
			t.Errorf("%+v: %+v", c.track, f)
		}
		if !c.track.Codec.ForTranscoding() || c.track.Kind() != media.KindAudio {
			t.Errorf("%s: it is %v, for transcoding: %t", c.track.Codec, c.track.Kind(), c.track.Codec.ForTranscoding())
		}
	}
	if media.CodecAAC.ForTranscoding() || media.CodecOpus.ForTranscoding() || media.CodecH264.ForTranscoding() {
		t.Error("what HLS carries is only for transcoding")
	}
}

func TestSplitSound(t *testing.T) {
	for name, c := range map[string]struct {
		track media.Track
		bytes int
		want  []int // samples of the units
	}{
		"20 ms of G.711":        {soundTrack(media.CodecPCMA, 8000, 1), 160, []int{160}},
		"40 ms":                 {soundTrack(media.CodecPCMU, 8000, 1), 320, []int{320}},
		"a sample more":         {soundTrack(media.CodecPCMU, 8000, 1), 321, []int{160, 161}},
		"a packet of ffmpeg's":  {soundTrack(media.CodecPCMA, 8000, 1), 1400, []int{280, 280, 280, 280, 280}},
		"a single sample":       {soundTrack(media.CodecPCMA, 8000, 1), 1, []int{1}},
		"nothing":               {soundTrack(media.CodecPCMA, 8000, 1), 0, nil},
		"stereo":                {soundTrack(media.CodecPCMA, 8000, 2), 800, []int{200, 200}},
		"half a sample":         {soundTrack(media.CodecL16, 44100, 2), 1 + 4*1764, []int{1764}},
		"less than a sample":    {soundTrack(media.CodecL16, 44100, 2), 3, nil},
		"PCM":                   {soundTrack(media.CodecL16, 48000, 1), 2 * 4096, []int{1365, 1365, 1366}},
		"a packet of G.722":     {soundTrack(media.CodecG722, 16000, 1), 160, []int{320}},
		"a long packet of that": {soundTrack(media.CodecG722, 16000, 1), 800, []int{532, 534, 534}},
	} {
		f, err := media.ParseConfig(c.track)
		if err != nil {
			t.Fatal(err)
		}
		data := make([]byte, c.bytes)
		for i := range data {
			data[i] = byte(i)
		}
		units, err := media.SplitSound(c.track.Codec, f, data)
		if (err == nil) != (c.want != nil) || len(units) != len(c.want) {
			t.Errorf("%s: %d units, %v, want %d", name, len(units), err, len(c.want))
			continue
		}
		for i, u := range units {
			if got := media.UnitSamples(c.track.Codec, f, u); got != int64(c.want[i]) {
				t.Errorf("%s: unit %d has %d samples, want %d", name, i, got, c.want[i])
			}
		}
		if whole := bytes.Join(units, nil); !bytes.HasPrefix(data, whole) {
			t.Errorf("%s: the units are not what there was", name)
		}
	}
	if units, err := media.SplitSound(media.CodecAAC, media.Format{}, []byte("unit")); err != nil || len(units) != 1 || string(units[0]) != "unit" {
		t.Errorf("AAC is cut: %q, %v", units, err)
	}
	aac := media.Format{SampleRate: 48000, Channels: 2, FrameSamples: 1024}
	opus := media.Format{SampleRate: 48000, Channels: 2}
	if media.UnitSamples(media.CodecAAC, aac, []byte{1}) != 1024 || media.UnitSamples(media.CodecOpus, opus, []byte{0xFC, 0xFF, 0xFE}) != 960 || media.UnitSamples(media.CodecOpus, opus, nil) != 0 {
		t.Error("units of AAC or Opus have another length")
	}
}

func TestReadMP3(t *testing.T) {
	for name, c := range map[string]struct {
		header      string
		want        media.MP3Header
		unsupported bool
	}{
		"128 kb/s at 44.1 kHz":         {"fffb9044", media.MP3Header{SampleRate: 44100, Channels: 2, FrameSamples: 1152, FrameBytes: 417}, false},
		"with padding":                 {"fffb9244", media.MP3Header{SampleRate: 44100, Channels: 2, FrameSamples: 1152, FrameBytes: 418}, false},
		"320 kb/s at 48 kHz, mono":     {"fffbe4c4", media.MP3Header{SampleRate: 48000, Channels: 1, FrameSamples: 1152, FrameBytes: 960}, false},
		"MPEG-2, 64 kb/s at 22.05 kHz": {"fff38044", media.MP3Header{SampleRate: 22050, Channels: 2, FrameSamples: 576, FrameBytes: 208}, false},
		"MPEG-2.5, 8 kb/s at 8 kHz":    {"ffe318c4", media.MP3Header{SampleRate: 8000, Channels: 1, FrameSamples: 576, FrameBytes: 72}, false},

		"layer II":      {"fffd9044", media.MP3Header{}, true},
		"layer I":       {"ffff9044", media.MP3Header{}, true},
		"free form":     {"fffb0044", media.MP3Header{}, true},
		"reserved rate": {"fffb9c44", media.MP3Header{}, false},
		"reserved bits": {"fffbf044", media.MP3Header{}, false},
		"no version":    {"ffeb9044", media.MP3Header{}, false},
		"AAC":           {"fff19044", media.MP3Header{}, false},
		"no sync":       {"fefb9044", media.MP3Header{}, false},
		"short":         {"fffb90", media.MP3Header{}, false},
	} {
		got, err := media.ReadMP3(unhex(t, c.header))
		if got != c.want || (err == nil) != (c.want.SampleRate > 0) || errors.Is(err, media.ErrUnsupported) != c.unsupported {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestSplitMP3(t *testing.T) {
	track := soundTrack(media.CodecMP3, 44100, 2)
	f, _ := media.ParseConfig(track)
	frame := media.Silence(track, f)
	for name, c := range map[string]struct {
		data   []byte
		frames int
		ok     bool
	}{
		"one":              {frame, 1, true},
		"three":            {bytes.Repeat(frame, 3), 3, true},
		"torn":             {append(bytes.Clone(frame), frame[:9]...), 1, false},
		"something behind": {append(bytes.Clone(frame), "TAG"...), 1, false},
		"another rate":     {append(bytes.Clone(frame), media.Silence(soundTrack(media.CodecMP3, 48000, 2), media.Format{SampleRate: 48000, Channels: 2})...), 1, false},
		"nothing":          {nil, 0, false},
	} {
		frames, err := media.SplitSound(media.CodecMP3, f, c.data)
		if len(frames) != c.frames || (err == nil) != c.ok {
			t.Errorf("%s: %d frames, %v", name, len(frames), err)
		}
		for _, x := range frames {
			if !bytes.Equal(x, frame) || media.UnitSamples(media.CodecMP3, f, x) != 1152 {
				t.Errorf("%s: a frame of %d bytes", name, len(x))
			}
		}
	}
}

// ffmpeg decodes silence to zeros, or what is as good, and to as many samples as it should last: G.722 behind noise,
// from which its decoder has to come to rest.
func TestSoundSilence(t *testing.T) {
	ffmpeg, err := exec.LookPath("ffmpeg")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("ffmpeg is missing: make tools installs it")
		}
		t.Skip("ffmpeg is missing")
	}
	noise := make([]byte, 800)
	for i := range noise {
		noise[i] = byte(i * i * 7)
	}
	for name, c := range map[string]struct {
		track  media.Track
		format []string
		before []byte
		rest   int   // samples after which there has to be silence
		most   int16 // how far off zero that is
	}{
		"A-law":  {soundTrack(media.CodecPCMA, 8000, 1), []string{"-f", "alaw", "-ar", "8000", "-ac", "1"}, nil, 0, 8}, // its smallest value
		"mu-law": {soundTrack(media.CodecPCMU, 16000, 2), []string{"-f", "mulaw", "-ar", "16000", "-ac", "2"}, nil, 0, 0},
		"PCM":    {soundTrack(media.CodecL16, 11025, 2), []string{"-f", "s16be", "-ar", "11025", "-ac", "2"}, nil, 0, 0},
		"G.722":  {soundTrack(media.CodecG722, 16000, 1), []string{"-f", "g722"}, noise, 3200, 64}, // a constant, which nobody hears
		"MP3":    {soundTrack(media.CodecMP3, 44100, 2), []string{"-f", "mp3"}, nil, 0, 0},
		"MP3 22": {soundTrack(media.CodecMP3, 22050, 1), []string{"-f", "mp3"}, nil, 0, 0},
		"MP3 8":  {soundTrack(media.CodecMP3, 8000, 1), []string{"-f", "mp3"}, nil, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := media.ParseConfig(c.track)
			if err != nil {
				t.Fatal(err)
			}
			const units = 50
			unit := media.Silence(c.track, f)
			args := append([]string{"-v", "error"}, c.format...)
			cmd := exec.CommandContext(t.Context(), ffmpeg, append(args, "-i", "-", "-f", "s16le", "-")...)
			cmd.Stdin = bytes.NewReader(append(bytes.Clone(c.before), bytes.Repeat(unit, units)...))
			var says bytes.Buffer
			cmd.Stderr = &says
			pcm, err := cmd.Output()
			if err != nil || says.Len() > 0 {
				t.Fatalf("%v: %s", err, says.String())
			}
			samples := int64(len(pcm) / 2 / f.Channels)
			want := units*media.UnitSamples(c.track.Codec, f, unit) + 2*int64(len(c.before))
			if samples != want {
				t.Errorf("%d samples, want %d", samples, want)
			}
			behind := 2 * (2*len(c.before) + c.rest) * f.Channels
			for i := behind; i < len(pcm); i += 2 {
				if v := int16(binary.LittleEndian.Uint16(pcm[i:])); v < -c.most || v > c.most {
					t.Fatalf("sample %s is %d", strconv.Itoa(i/2), v)
				}
			}
		})
	}
}

// FuzzSound: whatever is cut are parts of what there was, in order, with a length; silence can be cut, too.
func FuzzSound(f *testing.F) {
	codecs := []media.Codec{media.CodecPCMA, media.CodecPCMU, media.CodecL16, media.CodecG722, media.CodecMP3}
	for i := range codecs {
		f.Add(uint8(i), uint32(8000), []byte{1}, make([]byte, 1400))
		f.Add(uint8(i), uint32(16000), []byte{1}, make([]byte, 7))
		f.Add(uint8(i), uint32(44100), []byte{2}, append(media.Silence(soundTrack(media.CodecMP3, 44100, 2), media.Format{SampleRate: 44100, Channels: 2}), 0xFF, 0xFB, 0x90))
	}
	f.Fuzz(func(t *testing.T, which uint8, rate uint32, config, data []byte) {
		track := soundTrack(codecs[int(which)%len(codecs)], int64(rate), config...)
		checkFormat(t, track)
		media.ReadMP3(data)
		format, err := media.ParseConfig(track)
		if err != nil {
			return
		}
		units, err := media.SplitSound(track.Codec, format, data)
		if err == nil && len(units) == 0 {
			t.Error("neither units nor an error")
		}
		if whole := bytes.Join(units, nil); !bytes.HasPrefix(data, whole) {
			t.Error("the units are not what there was")
		}
		for _, u := range units {
			n := media.UnitSamples(track.Codec, format, u)
			if n <= 0 || track.Codec != media.CodecMP3 && n > int64(format.SampleRate)/25+1 {
				t.Errorf("a unit of %d samples at %d Hz", n, format.SampleRate)
			}
		}
		silence := media.Silence(track, format)
		if silence == nil {
			t.Fatal("no silence")
		}
		if again, err := media.SplitSound(track.Codec, format, silence); err != nil || len(again) != 1 {
			t.Errorf("silence is %d units, %v", len(again), err)
		}
	})
}
