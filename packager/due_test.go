package packager

import (
	"sync"
	"testing"

	"pushcart/media"
	"pushcart/media/mediatest"
	"pushcart/stream"
)

// sleepers are the packagers that run beside those of all tests here: they are only given what Due names.
var sleepers struct {
	sync.Mutex
	of map[*Packager]*sleeper
}

// sleeper gathers events until one is due, as stream.Reader.Await does.
type sleeper struct {
	p        *Packager
	due      []stream.Due
	gathered []stream.Event
	woken    int
}

// sleeperOf returns the sleeper beside p, which has had no event yet if it is new.
func sleeperOf(t testing.TB, p *Packager) *sleeper {
	sleepers.Lock()
	defer sleepers.Unlock()
	s := sleepers.of[p]
	if s == nil {
		s = &sleeper{p: New(p.cfg, p.show)}
		if sleepers.of == nil {
			sleepers.of = make(map[*Packager]*sleeper)
		}
		sleepers.of[p] = s
		t.Cleanup(func() {
			sleepers.Lock()
			defer sleepers.Unlock()
			delete(sleepers.of, p)
		})
	}
	return s
}

// take is Apply for a sleeper.
func (s *sleeper) take(ev stream.Event) {
	s.gathered = append(s.gathered, ev)
	if ev.Kind == stream.EventUnit {
		for i := range s.due {
			if d := &s.due[i]; d.Track == ev.Unit.Track && !d.Wants(ev.Unit) {
				return
			}
		}
	}
	s.woken++
	for _, ev := range s.gathered {
		s.p.Apply(ev)
	}
	s.gathered = s.gathered[:0]
	s.due = s.p.Due(s.due[:0])
}

// sees checks that viewers of s see what those of p see, which has been given ev just now.
func (s *sleeper) sees(t testing.TB, p *Packager, ev stream.Event) {
	t.Helper()
	for i, r := range p.renditions {
		want, got := int64(-1), int64(-1)
		if pl := r.state.Load(); pl != nil {
			want = pl.version
		}
		if i < len(s.p.renditions) {
			if pl := s.p.renditions[i].state.Load(); pl != nil {
				got = pl.version
			}
		}
		if got != want {
			t.Fatalf("%s: who sleeps has version %d instead of %d: the unit of track %d at %d was not due", r.name, got, want, ev.Unit.Track, ev.Unit.DTS)
		}
	}
	if got, want := s.p.window.state.Load().text, p.window.state.Load().text; got != want {
		t.Fatalf("who sleeps has another multivariant playlist: the unit of track %d at %d was not due\n%s\n%s", ev.Unit.Track, ev.Unit.DTS, got, want)
	}
}

// TestSleeps counts how often a packager is woken: three parts of pictures and three of sound begin each second.
func TestSleeps(t *testing.T) {
	const seconds, most = 60, 10 // a second
	video, audio := mediatest.Video{Start: 90000}, mediatest.Audio{Start: 48000}
	tracks := []media.Track{video.Track(), audio.Track()}
	p := newShow(t, "low")
	feed(t, p, nil, tracks, mediatest.Interleave(tracks, video.Units(seconds*30), audio.Units(seconds*48000/1024)))
	if n := sleeperOf(t, p).woken; n > most*seconds {
		t.Errorf("woken %d times in %d s", n, seconds)
	} else {
		t.Logf("woken %d times in %d s", n, seconds)
	}
}

// TestSleepsWithoutPictures has the host's pictures stop while sound and a voice go on: the sound moves the lead, and so
// the voice has units that wait for nothing any more.
func TestSleepsWithoutPictures(t *testing.T) {
	video, audio := mediatest.Video{Start: 90000}, mediatest.Audio{Start: 48000}
	voice := mediatest.Audio{ID: 2001, Start: 48000, SampleRate: 44100}
	voice.Start = media.Rescale(voice.Start, 48000, 44100)
	spoken := voice.Track()
	spoken.Contributed, spoken.Language = true, "fr"
	tracks := []media.Track{video.Track(), audio.Track(), spoken}
	p := newShow(t, "low")
	feed(t, p, inspect(t, p), tracks, mediatest.Interleave(tracks, video.Units(5*30), audio.Units(20*48000/1024), voice.Units(20*44100/1024)))
}
