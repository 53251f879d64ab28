package sound

import (
	"fmt"
	"os/exec"
	"slices"
	"testing"

	"pushcart/media"
	"pushcart/media/mediatest/record"
)

// TestClicks has ffmpeg make AAC of sound with clicks in it: they come out when they went in, however the time of
// the first unit lies to those of AAC's, and whatever the rate.
func TestClicks(t *testing.T) {
	t.Parallel()
	record.FFmpeg(t)
	times := []float64{1.5, 2.25, 3.1, 4.4, 6.7}
	for name, c := range map[string]struct {
		codec media.Codec
		rate  int64
		from  float64
		out   int64
	}{
		"A-law at 8 kHz":  {media.CodecPCMA, 8000, 1.0, 48000},
		"at an odd time":  {media.CodecPCMA, 8000, 1.009625, 48000},
		"L16 at 44.1 kHz": {media.CodecL16, 44100, 1.1, 44100},
		"L16 at 32 kHz":   {media.CodecL16, 32000, 1.07, 48000},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := newPCM(c.codec, c.rate, clicks(times...))
			in.track.Language, in.track.Label = "de", "Kamera"
			h := newHouse(t, Options{Convert: true})
			host, s := h.host(t, "a", in.track)
			write(t, host, in.units(c.from, 8))
			got := listen(t, s, until(7, "de"))["de"]
			got.clicksAt(t, times...)
			if got.track.Timescale != c.out || got.track.Label != "Kamera" || got.track.Codec != media.CodecAAC {
				t.Errorf("the track: %+v", got.track)
			}
			if start := float64(got.units[0].DTS) / float64(c.out); start > c.from || c.from-start > 1024/float64(c.out) {
				t.Errorf("it begins at %.4f, its source at %.4f", start, c.from)
			}
			if st := h.studio.Status("a"); len(st) != 1 || st[0].State != Running || st[0].Role != Role || len(st[0].Tracks) != 1 {
				t.Errorf("status: %+v", st)
			}
		})
	}
}

// TestTelephone: an interpreter's voice is converted by itself, where nothing is mixed.
func TestTelephone(t *testing.T) {
	t.Parallel()
	record.FFmpeg(t)
	times := []float64{1.5, 2.25, 3.1, 4.4, 6.7}
	h := newHouse(t, Options{Convert: true})
	_, s := h.host(t, "a")
	fr, voice := h.joinVoice(t, "a", "fr", newPCM(media.CodecPCMA, 8000, clicks(times...)))
	write(t, fr, voice.units(1, 8))
	listen(t, s, until(7, "fr"))["fr"].clicksAt(t, times...)
}

// TestHoles leaves units of the source out, some of which are no multiple of AAC's: silence takes their place, and what
// comes behind them is when it was.
func TestHoles(t *testing.T) {
	t.Parallel()
	record.FFmpeg(t)
	in := newPCM(media.CodecPCMA, 8000, clicks(1.5, 2.25, 3.1, 4.4, 6.7))
	h := newHouse(t, Options{Convert: true})
	host, s := h.host(t, "a", in.track)
	for _, span := range [][2]float64{{1, 2}, {2.02, 2.4}, {3.0, 3.2}, {4.38, 8}} {
		write(t, host, in.units(span[0], span[1]))
	}
	listen(t, s, until(7, ""))[""].clicksAt(t, 1.5, 2.25, 3.1, 4.4, 6.7)
}

// TestQualities has a host's AAC made at two lower rates, with units where the host's are; one that is higher than the
// host's is not made.
func TestQualities(t *testing.T) {
	t.Parallel()
	noise := "aevalsrc=random(0)/5+if(lt(mod(t\\,0.7)\\,0.002)\\,0.6):s=44100:d=6"
	own, units := record.Track(t, record.MP4(t, "-f", "lavfi", "-i", noise, "-ac", "2", "-c:a", "aac", "-b:a", "160k"))
	own.ID, own.BitRate = 1, 160_000
	const odd = 44100 + 77
	for i := range units {
		units[i].DTS += odd
		units[i].PTS += odd
	}
	h := newHouse(t, Options{Qualities: func(name string, encoders map[string]bool) []Quality {
		if name != "a" || !encoders[aacEncoder] {
			return nil
		}
		return []Quality{{"48k", 48_000}, {"96k", 96_000}, {"256k", 256_000}}
	}})
	host, s := h.host(t, "a", own)
	write(t, host, units)
	got := listen(t, s, until(6, "48k", "96k"))
	for key, rate := range map[string]float64{"48k": 48_000, "96k": 96_000} {
		x := got[key]
		if x.track.Group != key || x.track.Timescale != 44100 || x.units[0].DTS != units[0].DTS {
			t.Errorf("%s begins at %d, the host's sound at %d: %+v", key, x.units[0].DTS, units[0].DTS, x.track)
		}
		bytes := 0
		for _, au := range x.units {
			bytes += len(au.Data)
		}
		if r := float64(8*bytes) / (float64(len(x.units)*frameSamples) / 44100); r < 0.7*rate || r > 1.3*rate {
			t.Errorf("%s has %.0f bits a second", key, r)
		}
	}
	if len(got) != 2 {
		t.Errorf("%d qualities", len(got))
	}
	h.host(t, "b", own)
	if st := h.studio.Status("b"); len(st) != 0 {
		t.Errorf("a show without rungs: %+v", st)
	}
}

// TestCodecs has ffmpeg read what it has written itself in each codec that there is a name for, as our doors would hand
// it on.
func TestCodecs(t *testing.T) {
	t.Parallel()
	record.FFmpeg(t)
	for codec, c := range map[media.Codec]struct {
		encoder string
		rate    int64
	}{
		media.CodecPCMA: {"pcm_alaw", 8000},
		media.CodecPCMU: {"pcm_mulaw", 8000},
		media.CodecG722: {"g722", 16000},
		media.CodecL16:  {"pcm_s16be", 16000},
		media.CodecMP3:  {"libmp3lame", 44100},
	} {
		t.Run(string(codec), func(t *testing.T) {
			t.Parallel()
			format := map[string]string{"pcm_alaw": "alaw", "pcm_mulaw": "mulaw", "pcm_s16be": "s16be", "g722": "g722", "libmp3lame": "mp3"}[c.encoder]
			cmd := exec.Command("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=440:d=4", "-ac", "1", "-ar", fmt.Sprint(c.rate),
				"-c:a", c.encoder, "-write_xing", "0", "-id3v2_version", "0", "-f", format, "-")
			if c.encoder != "libmp3lame" {
				cmd.Args = slices.DeleteFunc(cmd.Args, func(a string) bool { return a == "-write_xing" || a == "-id3v2_version" || a == "0" })
			}
			cmd.Stderr = t.Output()
			raw, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			track := media.Track{ID: 1, Codec: codec, Timescale: c.rate, Config: []byte{1}, Internal: true}
			f, err := media.ParseConfig(track)
			if err != nil {
				t.Fatal(err)
			}
			pieces, err := media.SplitSound(codec, f, raw)
			if err != nil {
				t.Fatal(err)
			}
			h := newHouse(t, Options{Convert: true})
			host, s := h.host(t, "a", track)
			at := c.rate
			for _, p := range pieces {
				write(t, host, []media.AccessUnit{{Track: 1, DTS: at, PTS: at, RandomAccess: true, Data: p}})
				at += media.UnitSamples(codec, f, p)
			}
			got := listen(t, s, until(4.5, ""))[""]
			// ffmpeg's sine has an amplitude of 1/8.
			if level := got.level(t, 440, 2, 4); level < -19.1 || level > -17.1 {
				t.Errorf("the tone is at %.1f dB", level)
			}
		})
	}
}
