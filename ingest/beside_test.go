package ingest

import (
	"errors"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pushcart/auth"
	"pushcart/media"
	"pushcart/media/mediatest"
	"pushcart/stream"
)

// anyone lets everybody publish under the name that is the key.
type anyone struct{}

func (anyone) Publish(key string, _ netip.Addr) (auth.Grant, error) { return auth.ParseGrant(key) }

// desk lets sessions into a show.
func (s *show) desk() *Desk {
	return &Desk{Hub: s.hub, Auth: anyone{}, Log: slog.New(slog.DiscardHandler)}
}

// open lets one in, and begins to read the show.
func (s *show) open(d *Desk, key, query string) *Session {
	s.t.Helper()
	p, err := d.Open(Request{Protocol: "test", App: "live", Key: key, Query: query})
	if err != nil {
		s.t.Fatal(err)
	}
	ses := p.(*Session)
	if s.reader == nil {
		s.reader = ses.pub.Stream().NewReader()
	}
	return ses
}

// announce tells a session of tracks, as a door does.
func announce(t *testing.T, s *Session, tracks ...media.Track) {
	t.Helper()
	for _, track := range tracks {
		if err := s.SetTrack(track); err != nil {
			t.Fatal(err)
		}
	}
}

// voice is what an interpreter sends.
var voice = mediatest.Audio{ID: 2, Timescale: 1000, Start: 5_000_000}

// contributed returns the IDs of contributed tracks as the newest event about them says, and how many epochs
// there have been.
func (s *show) contributed() (ids []int) {
	s.read()
	for _, ev := range s.events {
		for _, t := range ev.Tracks {
			switch {
			case !t.Contributed:
			case ev.Kind == stream.EventLeft:
				ids = slices.DeleteFunc(ids, func(id int) bool { return id == t.ID })
			case !slices.Contains(ids, t.ID):
				ids = append(ids, t.ID)
			}
		}
	}
	return ids
}

// An interpreter comes and goes while a show is on: the others notice nothing, and what is said at a moment
// stands at the moment.
func TestInterpreter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sh := newShow(t)
		d := sh.desk()
		host := sh.open(d, "a", "")
		var hosts sync.WaitGroup
		began := time.Now()
		hosts.Go(func() { play(t, host, rtmp(t, host, 30)) })

		time.Sleep(10 * time.Second)
		fr := sh.open(d, "a@FR", "clientConfigId=7&offset=200ms")
		announce(t, fr, voice.Track())
		if err := fr.SetTrack(video.Track()); err == nil {
			t.Error("an interpreter's picture is taken")
		}
		joined := time.Since(began)
		play(t, fr, voice.Units(48000*10/1024))
		fr.Close(nil)
		hosts.Wait()

		if n := sh.epochs(); n != 1 {
			t.Errorf("%d epochs", n)
		}
		if ids := sh.contributed(); len(ids) != 0 {
			t.Errorf("tracks %v have not left", ids)
		}
		var track media.Track
		for _, ev := range sh.events {
			if ev.Kind == stream.EventJoined {
				track = ev.Tracks[0]
			}
		}
		if track.Language != "fr" || track.Label != "Français" || track.Kind() != media.KindAudio {
			t.Fatalf("the interpreter's track is %+v", track)
		}
		units := sh.units(track.ID)
		steps(t, "voice", units, 1024, 0)
		// The host's first picture came at 0 and stands at one second.
		want := joined + time.Second + 200*time.Millisecond
		if got := media.Duration(units[0].PTS, 48000); (got - want).Abs() > 25*time.Millisecond {
			t.Errorf("what was said at %v stands at %v, want %v", joined, got, want)
		}
		if len(units) < 460 {
			t.Errorf("%d units of the voice have come through", len(units))
		}
		steps(t, "video", sh.units(1), 3000, 0)
	})
}

// One who comes before the host waits, and is there from the first picture on.
func TestInterpreterComesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sh := newShow(t)
		d := sh.desk()
		es := sh.open(d, "a", "lang=spa&label=Castellano")
		announce(t, es, voice.Track())
		var both sync.WaitGroup
		began := time.Now()
		both.Go(func() { play(t, es, voice.Units(48000*60/1024)) })
		time.Sleep(40 * time.Second)
		host := sh.open(d, "a", "")
		both.Go(func() { play(t, host, rtmp(t, host, 20)) })
		both.Wait()
		ids := sh.contributed()
		if len(ids) != 1 || sh.epochs() != 1 {
			t.Fatalf("tracks %v are beside the host's, in %d epochs", ids, sh.epochs())
		}
		voices, pictures := sh.units(ids[0]), sh.units(1)
		steps(t, "voice", voices, 1024, 0)
		first := media.Duration(voices[0].PTS, 48000) - media.Duration(pictures[0].PTS, videoTimescale)
		if first < -25*time.Millisecond || first > 2*time.Second {
			t.Errorf("the voice begins %v after the picture", first)
		}
		// Unit i was said at i*1024/48000 s; the show's time is the wall clock's.
		start := began.Sub(mustStream(t, sh).Start())
		for _, au := range voices[len(voices)-1:] {
			said := time.Duration(mediatest.Index(au.Data)) * 1024 * time.Second / 48000
			if got := media.Duration(au.PTS, 48000); (got - start - said).Abs() > 25*time.Millisecond {
				t.Errorf("what was said at %v stands at %v, want %v", said, got, start+said)
			}
		}
	})
}

func mustStream(t *testing.T, sh *show) *stream.Stream {
	t.Helper()
	st, ok := sh.hub.Stream("a")
	if !ok {
		t.Fatal("the show is over")
	}
	return st
}

// The interpreter stays while the host goes and comes back.
func TestInterpreterStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sh := newShow(t)
		d := sh.desk()
		host := sh.open(d, "a", "")
		fr := sh.open(d, "a@fr", "")
		announce(t, fr, voice.Track())
		began := time.Now()
		var both sync.WaitGroup
		both.Go(func() { play(t, fr, voice.Units(48000*60/1024)) })
		play(t, host, rtmp(t, host, 15))
		host.Close(errors.New("gone"))
		time.Sleep(15 * time.Second)
		host = sh.open(d, "a", "")
		play(t, host, rtmp(t, host, 25))
		both.Wait()
		if ids := sh.contributed(); len(ids) != 1 || sh.epochs() != 2 {
			t.Fatalf("tracks %v are beside the host's, in %d epochs", ids, sh.epochs())
		}
		voices := sh.units(sh.contributed()[0])
		steps(t, "voice", voices, 1024, 1)
		start := began.Sub(mustStream(t, sh).Start())
		for _, au := range voices {
			said := time.Duration(mediatest.Index(au.Data)) * 1024 * time.Second / 48000
			if got := media.Duration(au.PTS, 48000); (got - start - said).Abs() > 45*time.Millisecond {
				t.Fatalf("what was said at %v stands at %v, want %v", said, got, start+said)
			}
		}
	})
}

// Sound cards and cameras do not agree about the length of a second. After 40 minutes at 500 millionths they
// would be 1.2 seconds apart.
func TestInterpreterDrifts(t *testing.T) {
	for _, millionths := range []time.Duration{500, -500} {
		synctest.Test(t, func(t *testing.T) {
			hub := stream.NewHub(stream.Config{}, slog.New(slog.DiscardHandler), nil)
			d := &Desk{Hub: hub, Auth: anyone{}, Log: slog.New(slog.DiscardHandler)}
			open := func(key string, a mediatest.Audio) *Session {
				p, err := d.Open(Request{App: "live", Key: key})
				if err != nil {
					t.Fatal(err)
				}
				announce(t, p.(*Session), a.Track())
				return p.(*Session)
			}
			host, fr := open("a", audio), open("a@fr", voice)
			begin := time.Now()
			worst := time.Duration(0)
			const units = 48000 * 40 * 60 / 1024
			for i := range units {
				said := time.Duration(i) * 1024 * time.Second / 48000
				time.Sleep(time.Until(begin.Add(said)))
				if err := host.Write(audio.Unit(i)); err != nil {
					t.Fatal(err)
				}
				// The interpreter's clock counts more, or less, in the same time.
				au := voice.Unit(i)
				au.DTS += int64(said * millionths / 1_000_000 / time.Millisecond)
				au.PTS = au.DTS
				if err := fr.Write(au); err != nil {
					t.Fatal(err)
				}
				if i%1000 == 999 && i > 3000 {
					tracks := mustStream(t, &show{t: t, hub: hub}).Status().Tracks
					apart := tracks[len(tracks)-1].LastUnits - tracks[0].LastUnits
					worst = max(worst, apart.Abs())
				}
			}
			if worst > 100*time.Millisecond {
				t.Errorf("at %d millionths host and interpreter are %v apart at worst", millionths, worst)
			}
			if n := hub.Streams()[0].Status().Repairs[repairDrift]; n < 10 {
				t.Errorf("the interpreter was moved %d times", n)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	sh := newShow(t)
	d := sh.desk()
	for _, test := range []struct{ key, query, want string }{
		{"a@french_", "", "at sign"},
		{"a@f", "", `"f"`},
		{"a@fr", "lang=es", "lang=es"},
		{"a/720p", "lang=es", "720p"},
		{"a", "lang=xx-", `"xx-"`},
		{"a@fr", "offset=1", "offset=1"},
		{"a@fr", "offset=-3s", "-2s to 10s"},
		{"a/", "", "slash"},
	} {
		_, err := d.Open(Request{App: "live", Key: test.key, Query: test.query})
		if r := (*Refusal)(nil); !errors.As(err, &r) || !strings.Contains(r.Reason, test.want) || !strings.HasSuffix(r.Reason, ".") {
			t.Errorf("%s?%s: %v", test.key, test.query, err)
		}
	}
	if n := len(sh.hub.Streams()); n != 0 {
		t.Errorf("%d shows have come of it", n)
	}
	for i := range 200 {
		p, err := d.Open(Request{App: "live", Key: "a/" + strings.Repeat("r", i%36+1)})
		if err == nil {
			defer p.Close(nil)
			continue
		}
		if i < 16 || !strings.Contains(err.Error(), "as many") {
			t.Errorf("contributor %d: %v", i, err)
		}
		return
	}
	t.Error("there is no end of contributors")
}

func TestLabel(t *testing.T) {
	for in, want := range map[string]string{
		"": "fr", " Français ": "Français", "a\"b\n\x00c": "abc", "\xff": "fr", strings.Repeat("é", 100): strings.Repeat("é", maxLabel),
	} {
		if got := label(in, "fr"); got != want {
			t.Errorf("%q is shown as %q, want %q", in, got, want)
		}
	}
}
