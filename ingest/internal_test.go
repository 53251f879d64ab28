package ingest

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pushcart/media"
)

// g711 is the sound of a camera, and camera a session of one with its picture.
var g711 = media.Track{ID: 2, Codec: media.CodecPCMA, Timescale: 8000, Config: []byte{1}}

// telephone returns seconds of it in units of 20 ms, their times off by up to 3 ms, as a door has them that
// knows milliseconds only.
func telephone(seconds int) (units []media.AccessUnit) {
	for i := range seconds * 50 {
		dts := int64(i)*160 + int64(i%4)*8
		units = append(units, media.AccessUnit{Track: 2, DTS: dts, PTS: dts, RandomAccess: true, Data: make([]byte, 160)})
	}
	return units
}

// with merges units in the order of their times; those of b are counted in 8000 ticks a second, of a in 1000.
func with(a, b []media.AccessUnit) (all []media.AccessUnit) {
	for len(a) > 0 || len(b) > 0 {
		if len(b) == 0 || len(a) > 0 && a[0].DTS*8 <= b[0].DTS {
			all, a = append(all, a[0]), a[1:]
		} else {
			all, b = append(all, b[0]), b[1:]
		}
	}
	return all
}

// send plays units of g711 and video as they were merged.
func send(t *testing.T, s *Session, units []media.AccessUnit) {
	t.Helper()
	begin := time.Now()
	for _, au := range units {
		at := time.Duration(au.DTS) * time.Millisecond
		if au.Track == g711.ID {
			at /= 8
		}
		if wait := time.Until(begin.Add(at)); wait > 0 {
			time.Sleep(wait)
		}
		if err := s.Write(au); err != nil {
			t.Fatal(err)
		}
	}
}

// A camera's G.711 is an internal track of the show: to the sample without a hole, in silence where it is missing, and
// in silence when the camera comes back without it.
func TestInternalSound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sh := newShow(t)
		s := sh.session()
		s.Expect(true, true)
		announce(t, s, video.Track(), g711)
		sound := telephone(10)
		sound = append(sound[:200], sound[250:]...) // a second is missing
		send(t, s, with(video.Units(300), sound))
		tracks := audioTracks(sh)
		if len(tracks) != 1 || !tracks[0].Internal || tracks[0].Timescale != 8000 || tracks[0].Codec != media.CodecPCMA {
			t.Fatalf("audio tracks: %+v", tracks)
		}
		units := sh.units(g711.ID)
		if len(units) < 490 {
			t.Errorf("%d units in 10 s", len(units))
		}
		steps(t, "G.711", units, 160, 0)
		if n := sh.repairs()[repairFilled]; n < 45 || n > 50 {
			t.Errorf("%d units filled in for a second", n)
		}
		s.Close(nil)

		time.Sleep(time.Second)
		s = sh.session()
		s.Expect(true, false)
		announce(t, s, video.Track())
		send(t, s, video.Units(300))
		if tracks := audioTracks(sh); len(tracks) != 1 || !tracks[0].Internal || !tracks[0].SameConfig(g711) {
			t.Errorf("back without sound, the audio tracks are %+v", tracks)
		}
		if more := len(sh.units(g711.ID)) - len(units); more < 450 {
			t.Errorf("%d units of silence in 10 s", more)
		}
	})
}

// mixer says what it is told to.
type mixer struct{ converts, mixes bool }

func (m mixer) Converts(string) bool { return m.converts }
func (m mixer) Mixes(string) bool    { return m.mixes }

// TestInternal: which tracks are internal, which are refused and why.
func TestInternal(t *testing.T) {
	aac := audio.Track()
	for name, c := range map[string]struct {
		sound Sound
		mixer Mixer
		key   string
		track media.Track
		want  bool
		wrong string // a part of the refusal
	}{
		"AAC":                          {Sound{}, nil, "a", aac, false, ""},
		"AAC, ducking":                 {Sound{Ducking: 12}, mixer{true, true}, "a", aac, false, ""},
		"G.711":                        {Sound{}, nil, "a", g711, true, ""},
		"G.711 and ffmpeg":             {Sound{}, mixer{converts: true}, "a", g711, true, ""},
		"G.711 without ffmpeg":         {Sound{}, mixer{}, "a", g711, false, "its codec, G.711 A-law, can't be carried, and the server has no ffmpeg"},
		"G.711, which is not wanted":   {Sound{Convert: ConvertOff}, mixer{true, true}, "a", g711, false, "sound.convert"},
		"voice":                        {Sound{}, mixer{true, true}, "a@fr", aac, false, ""},
		"voice, ducking":               {Sound{Ducking: 12}, mixer{true, true}, "a@fr", aac, true, ""},
		"voice, ducking, no mixer":     {Sound{Ducking: 12}, nil, "a@fr", aac, false, ""},
		"voice, ducking, no ffmpeg":    {Sound{Ducking: 12}, mixer{}, "a@fr", aac, false, ""},
		"voice in G.711":               {Sound{}, mixer{true, true}, "a@fr", g711, true, ""},
		"voice in G.711, no ffmpeg":    {Sound{}, mixer{}, "a@fr", g711, false, "its codec, G.711 A-law, can't be carried, and the server has no ffmpeg"},
		"voice in G.711, ducking":      {Sound{Ducking: 12}, mixer{true, true}, "a@fr", g711, true, ""},
		"voice in G.711, no wish":      {Sound{Ducking: 12, Convert: ConvertOff}, mixer{false, true}, "a@fr", g711, true, ""},
		"a configuration that is none": {Sound{}, nil, "a", media.Track{ID: 2, Codec: media.CodecPCMA, Timescale: 8000}, false, "0 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			sh := newShow(t)
			d := sh.desk()
			d.Sound, d.Mixer = c.sound, c.mixer
			s := sh.open(d, c.key, "")
			err := s.SetTrack(c.track)
			switch {
			case c.wrong != "":
				if err == nil || !strings.Contains(err.Error(), c.wrong) {
					t.Errorf("%v, want something with %q", err, c.wrong)
				}
			case err != nil:
				t.Error(err)
			case s.track(c.track.ID).show.Internal != c.want:
				t.Errorf("internal: %t", !c.want)
			}
		})
	}
}

// A show that nobody can play is remarked on.
func TestNothingButInternal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sh := newShow(t)
		s := sh.session()
		announce(t, s, g711)
		send(t, s, telephone(15))
		st, _ := sh.hub.Stream("a")
		if r := fmt.Sprint(st.Status().Remarks); !strings.Contains(r, "sound only, in a codec") {
			t.Errorf("remarks: %v", r)
		}
	})
}
