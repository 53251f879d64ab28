package sound

import (
	"testing"

	"pushcart/media"
	"pushcart/media/mediatest/record"
	"pushcart/stream"
)

// joinVoice has somebody stand beside the host with a voice in a language.
func (h *house) joinVoice(t *testing.T, show, language string, in pcm) (*stream.Publisher, pcm) {
	t.Helper()
	p, err := h.hub.Join(show, stream.Contribution{Role: "@" + language}, stream.Source{Protocol: "test"})
	if err != nil {
		t.Fatal(err)
	}
	in.track.Language, in.track.Label = language, "Voice"
	if err := p.Begin([]media.Track{in.track}); err != nil {
		t.Fatal(err)
	}
	return p, in
}

// mixed has the studio mix a host's sound with a voice that is away from 7.5 s to 9 s, and returns what comes of it until
// 11 s.
func mixed(t *testing.T, ducking float64, own, voice signal) *heard {
	t.Helper()
	ours := newPCM(media.CodecPCMA, 8000, own)
	h := newHouse(t, Options{Ducking: ducking})
	host, s := h.host(t, "a", ours.track)
	beside, theirs := h.joinVoice(t, "a", "fr", newPCM(media.CodecL16, 48000, voice))
	for second := 1.0; second < 12; second += 0.5 {
		write(t, host, ours.units(second, second+0.5))
		if second < 7.5 || second >= 9 {
			write(t, beside, theirs.units(second, second+0.5))
		}
	}
	return listen(t, s, until(11, "fr"))["fr"]
}

// TestMixLevels has a voice that speaks for a while, and a host who hums: the hum is lowered while the voice speaks and
// only then, and the voice is as loud as it was.
func TestMixLevels(t *testing.T) {
	t.Parallel()
	record.FFmpeg(t)
	const hum, speech, ducking = 440, 1500, 14
	got := mixed(t, ducking, tone(hum, 0.3, 1.5, 12), tone(speech, 0.25, 4, 6.5))
	if got.track.Label != "Voice" || got.track.Group != "" || got.track.Codec != media.CodecAAC {
		t.Errorf("the track: %+v", got.track)
	}
	near := func(what string, got, want, tolerance float64) {
		t.Helper()
		t.Logf("%s: %.1f dB", what, got)
		if got < want-tolerance || got > want+tolerance {
			t.Errorf("%s is at %.1f dB, want %.1f", what, got, want)
		}
	}
	const humLevel, speechLevel = -10.5, -12.0 // of a full sine
	near("the hum before the voice speaks", got.level(t, hum, 2, 3.9), humLevel, 0.7)
	near("the hum under the voice", got.level(t, hum, 4.5, 6.4), humLevel-ducking, 2)
	near("the hum when it has spoken", got.level(t, hum, 8, 8.9), humLevel, 0.7)
	near("the voice", got.level(t, speech, 4.5, 6.4), speechLevel, 0.7)
}

// TestMixTimes has both click: in the mix all clicks are where they were, behind the hole in the voice too.
func TestMixTimes(t *testing.T) {
	t.Parallel()
	record.FFmpeg(t)
	mixed(t, 6, clicks(1.4, 4.9, 8.2), clicks(1.9, 6.1, 9.25)).clicksAt(t, 1.4, 1.9, 4.9, 6.1, 8.2, 9.25)
}

// TestMixWithoutVoice has the voice leave: who listens to it goes on with the host, who is not lowered, and hears the
// voice again when it comes back.
func TestMixWithoutVoice(t *testing.T) {
	t.Parallel()
	record.FFmpeg(t)
	const hum, speech = 440, 1500
	ours := newPCM(media.CodecPCMA, 8000, tone(hum, 0.3, 1, 20))
	spoken := newPCM(media.CodecL16, 48000, tone(speech, 0.25, 1, 20))
	h := newHouse(t, Options{Ducking: 14})
	host, s := h.host(t, "a", ours.track)
	voice, theirs := h.joinVoice(t, "a", "fr", spoken)
	// What waits for ffmpeg is bounded, and a voice may not be far behind the host: half a second at a time, when what was
	// before it is there.
	goOn := func(from, to float64, beside bool) *heard {
		for at := from; at < to; at += 0.5 {
			write(t, host, ours.units(at, at+0.5))
			if beside {
				write(t, voice, theirs.units(at, at+0.5))
			}
			if at > 3 {
				listen(t, s, until(at-1, "fr"))
			}
		}
		return listen(t, s, until(to-1, "fr"))["fr"]
	}
	goOn(1, 4, true)
	voice.Close(nil)
	got := goOn(4, 9, false)
	if !got.track.Away {
		t.Error("the mix is still offered to newcomers")
	}
	if level := got.level(t, hum, 5, 7.5); level < -11.2 || level > -9.8 {
		t.Errorf("the hum is at %.1f dB, want -10.5", level)
	}
	voice, theirs = h.joinVoice(t, "a", "fr", spoken)
	back := goOn(9, 14, true)
	if back.track.ID != got.track.ID || back.track.Away {
		t.Errorf("the mix is another track, or still away: %+v", back.track)
	}
	if level := back.level(t, speech, 10, 12.5); level < -12.7 || level > -11.3 {
		t.Errorf("the voice is at %.1f dB, want -12", level)
	}
	if st := h.studio.Status("a"); len(st) != 1 || st[0].Failures != 0 {
		t.Errorf("status: %+v", st)
	}
}

// TestVoiceAlone: where nothing can be mixed, the voice is offered as it is, with the bytes that it has.
func TestVoiceAlone(t *testing.T) {
	t.Parallel()
	own, voiced := record.Track(t, record.MP4(t, "-f", "lavfi", "-i", "sine=440:r=48000:d=3", "-ac", "1", "-c:a", "aac", "-b:a", "64k"))
	own.ID = 1
	spoken := own
	spoken.Internal, spoken.Language, spoken.Label = true, "fr", "Voice"
	for i := range voiced {
		voiced[i].DTS += 48000
		voiced[i].PTS += 48000
	}
	h := newHouse(t, Options{Ducking: 12, FFmpeg: "/nonexistent/ffmpeg"})
	host, s := h.host(t, "a", own)
	voice, err := h.hub.Join("a", stream.Contribution{Role: "@fr"}, stream.Source{})
	if err != nil {
		t.Fatal(err)
	}
	if err := voice.Begin([]media.Track{spoken}); err != nil {
		t.Fatal(err)
	}
	h.status(t, "a", "mix@fr", func(st Status) bool { return st.State == Plain })
	if h.studio.Mixes("a") || h.studio.Converts("a") {
		t.Error("it says that it can mix")
	}
	for _, au := range voiced {
		write(t, host, []media.AccessUnit{au})
		write(t, voice, []media.AccessUnit{au})
	}
	got := listen(t, s, until(3, "fr"))["fr"]
	if got.track.Internal || !got.track.SameConfig(own) || got.track.Language != "fr" || got.track.Label != "Voice" {
		t.Errorf("the track: %+v", got.track)
	}
	for i, au := range got.units[1:] {
		if au.DTS != got.units[i].DTS+1024 {
			t.Errorf("a unit at %d behind one at %d", au.DTS, got.units[i].DTS)
		}
	}
	if r := s.Status().Remarks; len(r) == 0 {
		t.Error("nobody is told")
	} else {
		t.Log(r[0].Text)
	}
}
