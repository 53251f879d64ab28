package stream

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pushcart/media"
	"pushcart/media/mediatest"
)

func join(t *testing.T, h *Hub, name string, c Contribution) *Publisher {
	t.Helper()
	p, err := h.Join(name, c, Source{Protocol: "test", Remote: "elsewhere"})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// voice is a contributor's audio track.
func voice() media.Track {
	t := mediatest.Audio{}.Track()
	t.ID = 1
	return t
}

func say(t *testing.T, p *Publisher) {
	t.Helper()
	au := mediatest.Audio{}.Unit(0)
	au.Track = 1
	if err := p.Write(au); err != nil {
		t.Fatal(err)
	}
}

// tell says what a reader hears: the IDs of tracks behind what happens to them, and those of units.
func tell(t *testing.T, r *Reader) (words []string) {
	t.Helper()
	events, err := r.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, ev := range events {
		word := [...]string{"", "tracks", "interrupted", "ended", "joined", "left"}[ev.Kind]
		if ev.Kind == EventUnit {
			word = fmt.Sprint(ev.Unit.Track)
		}
		for _, x := range ev.Tracks {
			word += fmt.Sprintf(" %d", x.ID)
		}
		words = append(words, word)
	}
	return words
}

func expect(t *testing.T, r *Reader, want ...string) {
	t.Helper()
	if got := tell(t, r); !slices.Equal(got, want) {
		t.Fatalf("the reader hears %q, want %q", got, want)
	}
}

func TestContributorsComeAndGo(t *testing.T) {
	h := newTestHub(t, Config{}, nil)
	p := publish(t, h, "a")
	r := p.Stream().NewReader()
	begin(t, p)
	write(t, p, 0, 1)
	expect(t, r, "tracks 1", "1")

	fr := join(t, h, "a", Contribution{Role: "@fr"})
	say(t, fr) // nobody knows its track yet
	fr.Begin([]media.Track{voice()})
	say(t, fr)
	expect(t, r, "joined 2001", "2001")

	es := join(t, h, "a", Contribution{Role: "@es"})
	es.Begin([]media.Track{voice()})
	fr.Close(nil)
	say(t, es)
	expect(t, r, "joined 2033", "left 2001", "2033")
	if err := fr.Write(media.AccessUnit{Track: 1}); !errors.Is(err, ErrClosed) {
		t.Errorf("writing after the end: %v", err)
	}

	again := join(t, h, "a", Contribution{Role: "@fr"})
	again.Begin([]media.Track{voice()})
	expect(t, r, "joined 2001")

	late := p.Stream().NewReader()
	if got := tell(t, late); got[0] != "tracks 1 2001 2033" {
		t.Errorf("a late reader hears %q first", got)
	}
	for _, x := range p.Stream().Tracks() {
		if x.Contributed != (x.ID > 1000) {
			t.Errorf("track %d: contributed is %v", x.ID, x.Contributed)
		}
	}
	st := p.Stream().Status()
	if len(st.Contributors) != 2 || st.Contributors[0].Role != "@fr" || !slices.Equal(st.Contributors[1].Tracks, []int{2033}) {
		t.Errorf("contributors: %+v", st.Contributors)
	}
}

func TestContributionsSurviveEpochs(t *testing.T) {
	h := newTestHub(t, Config{}, nil)
	p := publish(t, h, "a")
	begin(t, p)
	r := p.Stream().NewReader()
	fr := join(t, h, "a", Contribution{Role: "@fr"})
	ladder := join(t, h, "a", Contribution{Role: "ladder", Derived: true})
	fr.Begin([]media.Track{voice()})
	ladder.Begin([]media.Track{voice()})
	expect(t, r, "tracks 1", "joined 2001", "joined 2033")

	p.Close(nil)
	say(t, fr) // there is nothing to stand beside
	say(t, ladder)
	p = publish(t, h, "a")
	begin(t, p)
	say(t, ladder) // its tracks were the last epoch's
	say(t, fr)
	expect(t, r, "interrupted", "tracks 1 2001", "2001")
}

// What is made of an epoch does not get into the next one, if that has begun meanwhile.
func TestDerivedOfThePast(t *testing.T) {
	h := newTestHub(t, Config{}, nil)
	p := publish(t, h, "a")
	begin(t, p)
	r := p.Stream().NewReader()
	events, err := r.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	epoch := events[0].Epoch
	begin(t, p)
	late := join(t, h, "a", Contribution{Role: "ladder", Derived: true, Epoch: epoch})
	if err := late.Begin([]media.Track{voice()}); !errors.Is(err, ErrPast) {
		t.Errorf("the rungs of the last epoch: %v", err)
	}
	if events, err = r.Next(t.Context()); err != nil || len(events) != 1 || events[0].Epoch != epoch+1 {
		t.Fatalf("%+v, %v", events, err)
	}
	again := join(t, h, "a", Contribution{Role: "ladder", Derived: true, Epoch: events[0].Epoch})
	if err := again.Begin([]media.Track{voice()}); err != nil {
		t.Error(err)
	}
	expect(t, r, "joined 2001")
}

func TestRoleTakesOver(t *testing.T) {
	h := newTestHub(t, Config{}, nil)
	p := publish(t, h, "a")
	begin(t, p)
	one := join(t, h, "a", Contribution{Role: "@fr"})
	two := join(t, h, "a", Contribution{Role: "@fr"})
	<-one.Done()
	if !errors.Is(one.Err(), ErrTakenOver) {
		t.Errorf("the first one's end: %v", one.Err())
	}
	select {
	case <-two.Done():
		t.Error("the second one has ended, too")
	case <-p.Done():
		t.Error("the publisher has ended, too")
	default:
	}
	one.Close(nil) // is over already, and takes nothing with it
	if err := two.Begin([]media.Track{voice()}); err != nil {
		t.Error(err)
	}
}

func TestContributorsBeforeTheHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newTestHub(t, Config{}, nil)
		fr := join(t, h, "a", Contribution{Role: "@fr"})
		fr.Begin([]media.Track{voice()})
		say(t, fr)
		s := fr.Stream()
		r := s.NewReader()

		host := publish(t, h, "a")
		host.Close(nil) // came and went without a frame: the interpreter waits on
		host = publish(t, h, "a")
		if host.Stream() != s {
			t.Fatal("the host has begun another show")
		}
		begin(t, host)
		expect(t, r, "tracks 1 2001")
		host.Close(nil)
		time.Sleep(2 * time.Minute)
		<-fr.Done() // the show was over after the reconnect window

		fr = join(t, h, "a", Contribution{Role: "@fr"})
		if fr.Stream() == s {
			t.Fatal("the interpreter has joined a show that is over")
		}
		fr.Close(nil)
		if _, ok := h.Stream("a"); ok {
			t.Error("a show without anybody is still on")
		}
	})
}

// A show remembers what it has had: there may not be ever new roles, one after the other.
func TestRolesAreBounded(t *testing.T) {
	h := newTestHub(t, Config{}, nil)
	publish(t, h, "a")
	for i := range maxRoles {
		join(t, h, "a", Contribution{Role: fmt.Sprint(i)}).Close(nil)
	}
	if _, err := h.Join("a", Contribution{Role: "one more"}, Source{}); !errors.Is(err, ErrRoles) {
		t.Errorf("one role more: %v", err)
	}
	join(t, h, "a", Contribution{Role: "7"})
}

func TestContributorsAreBounded(t *testing.T) {
	h := newTestHub(t, Config{}, nil)
	publish(t, h, "a")
	for i := range maxContributors {
		join(t, h, "a", Contribution{Role: fmt.Sprint(i)})
	}
	if _, err := h.Join("a", Contribution{Role: "one more"}, Source{}); !errors.Is(err, ErrCrowded) {
		t.Errorf("one more: %v", err)
	}
	if _, err := h.Join("a", Contribution{Role: "0"}, Source{}); err != nil {
		t.Errorf("one that takes over: %v", err)
	}
	if _, err := h.Join("b", Contribution{Role: "ladder", Derived: true}, Source{}); !errors.Is(err, ErrClosed) {
		t.Errorf("a ladder of nothing: %v", err)
	}
}

// What is made from a show can't begin another of the same name in the moment in which the show is over and not yet
// forgotten.
func TestDerivedBeginsNothing(t *testing.T) {
	begun := 0
	h := newTestHub(t, Config{}, func(*Stream) { begun++ })
	s := publish(t, h, "a").Stream()
	s.mu.Lock()
	s.state = Ended
	s.mu.Unlock()
	if _, err := h.Join("a", Contribution{Role: "ladder", Derived: true}, Source{}); !errors.Is(err, ErrClosed) {
		t.Errorf("a ladder of a show that is over: %v", err)
	}
	if again, _ := h.Stream("a"); begun != 1 || again != s {
		t.Errorf("%d shows have begun", begun)
	}
	s.mu.Lock()
	s.state = Waiting
	s.mu.Unlock()
}

// cueTrack stands for one of the house's own data tracks.
const cueTrack = 1001

func cue(n int) media.AccessUnit {
	return media.AccessUnit{Track: cueTrack, DTS: int64(n), PTS: int64(n), RandomAccess: true, Data: []byte{byte(n)}}
}

func TestNotesAreKept(t *testing.T) {
	h := newTestHub(t, Config{}, nil)
	p := publish(t, h, "a")
	s := p.Stream()
	if err := s.Post("x", cue(1)); err != nil { // before the show has begun
		t.Fatal(err)
	}
	r := s.NewReader()
	begin(t, p)
	expect(t, r, "tracks 1", "1001")
	s.Post("x", cue(2))
	s.Post("y", cue(3))
	s.Unpost("y")
	expect(t, r, "1001", "1001")

	write(t, p, 0, 90) // keyframes, behind which the log forgets
	tell(t, r)
	late := s.NewReader()
	events, err := late.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if events[0].Kind != EventTracks || events[1].Unit.Track != cueTrack || events[1].Unit.DTS != 2 || events[2].Unit.Track == cueTrack {
		t.Errorf("a late reader hears %v", events[:3])
	}

	for i := range maxNotes - 1 {
		s.Post(fmt.Sprint(i), cue(4))
	}
	if err := s.Post("one more", cue(5)); !errors.Is(err, ErrTooManyNotes) {
		t.Errorf("one more: %v", err)
	}
	h.Close()
	if err := s.Post("x", cue(6)); !errors.Is(err, ErrClosed) {
		t.Errorf("after the end: %v", err)
	}
}

// A reader that has lost events has lost cues, too: it is told them again.
func TestNotesAfterALag(t *testing.T) {
	h := newTestHub(t, Config{}, nil)
	p := publish(t, h, "a")
	begin(t, p)
	r := p.Stream().NewReader()
	p.Stream().Post("x", cue(1))
	write(t, p, 0, maxLogEvents+100)
	if _, err := r.Next(t.Context()); !errors.Is(err, ErrLagged) {
		t.Fatalf("%v", err)
	}
	if got := tell(t, r); got[0] != "tracks 1" || got[1] != "1001" {
		t.Errorf("the reader hears %q", got[:2])
	}
}

func TestAtKeyframe(t *testing.T) {
	h := newTestHub(t, Config{}, nil)
	p := publish(t, h, "a")
	begin(t, p)
	r := p.Stream().NewReader()
	write(t, p, 0, 1)
	tell(t, r)
	var at int64
	cancel := p.Stream().AtKeyframe(func(pts, _ int64) (string, media.AccessUnit, bool) {
		at = pts
		return "k", cue(7), true
	})
	never := p.Stream().AtKeyframe(func(int64, int64) (string, media.AccessUnit, bool) {
		t.Error("a cancelled hook was called")
		return "", media.AccessUnit{}, false
	})
	if !never() {
		t.Error("the hook says that it has been called")
	}
	i := 1
	for ; !video.Unit(i).RandomAccess; i++ {
		write(t, p, i, i+1)
	}
	tell(t, r)
	write(t, p, i, i+1)
	expect(t, r, "1001", "1")
	if at != video.Unit(i).PTS {
		t.Errorf("called with %d, the keyframe's time is %d", at, video.Unit(i).PTS)
	}
	if cancel() {
		t.Error("the hook can be cancelled after it was called")
	}
}
