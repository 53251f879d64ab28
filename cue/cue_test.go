package cue

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pushcart/media"
	"pushcart/media/mediatest"
	"pushcart/stream"
)

const holdBack = time.Second

var video = mediatest.Video{}

// stage is a show with cues, for tests in a bubble.
type stage struct {
	*testing.T
	dir   string
	hub   *stream.Hub
	book  *Book
	pub   *stream.Publisher
	next  int // frame to come
	base  time.Duration
	marks *marks
}

// newStage opens a book and a hub. The show begins with live.
func newStage(t *testing.T, cfg Config) *stage {
	t.Helper()
	if cfg.Dir == "" {
		cfg.Dir = t.TempDir()
	}
	s := &stage{T: t, dir: cfg.Dir}
	s.open(cfg)
	return s
}

func (s *stage) open(cfg Config) {
	s.Helper()
	if err := cfg.Validate(); err != nil {
		s.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	s.book = NewBook(cfg, holdBack, log)
	s.book.Open()
	s.hub = stream.NewHub(stream.Config{ReconnectWindow: 10 * time.Second}, log, s.book.Begin)
}

// crash ends the server as kill -9 would: nothing is written any more.
func (s *stage) crash() {
	s.Helper()
	for _, t := range s.book.timelines {
		t.mu.Lock()
		if t.journal != nil {
			t.journal.close()
		}
		t.journal = nil
		t.mu.Unlock()
	}
	s.book.Close()
	s.hub.Close()
	s.book.running.Wait()
}

// stop ends the server in order.
func (s *stage) stop() {
	s.book.Close()
	s.hub.Close()
	s.book.running.Wait()
}

// live lets the host publish and send its first frame.
func (s *stage) live() {
	s.Helper()
	p, err := s.hub.Publish("shop", stream.Source{})
	if err != nil {
		s.Fatal(err)
	}
	if s.pub == nil || s.pub.Stream() != p.Stream() {
		s.base = -1
		s.marks = hear(s.T, p.Stream())
	}
	s.pub = p
	if err := p.Begin([]media.Track{video.Track(), Track}); err != nil {
		s.Fatal(err)
	}
	if s.base < 0 {
		s.base, s.next = time.Second, 0
	} else {
		s.next = int((time.Since(p.Stream().Start())-s.base)*30/time.Second) + 1
		s.next += 60 - s.next%60
		time.Sleep(time.Until(p.Stream().Start().Add(s.base + time.Duration(s.next)*time.Second/30)))
	}
	s.frame()
}

// play sends frames as time goes by, at 30 a second with a keyframe every two seconds.
func (s *stage) play(d time.Duration) {
	s.Helper()
	for range d * 30 / time.Second {
		time.Sleep(time.Until(s.pub.Stream().Start().Add(s.base + time.Duration(s.next)*time.Second/30)))
		s.frame()
	}
}

func (s *stage) frame() {
	s.Helper()
	au := video.Unit(s.next)
	at := media.Ticks(s.base, Timescale)
	au.DTS += at
	au.PTS += at
	s.next++
	if err := s.pub.Write(au); err != nil {
		s.Fatal(err)
	}
	synctest.Wait()
}

func (s *stage) timeline() *Timeline {
	s.Helper()
	t, err := s.book.Timeline("shop")
	if err != nil {
		s.Fatal(err)
	}
	return t
}

// create makes a cue that has to be taken.
func (s *stage) create(body string) Reply {
	s.Helper()
	r, err := s.timeline().Create(s.Context(), []byte(body), "")
	if err != nil {
		s.Fatalf("%s: %v", body, err)
	}
	synctest.Wait()
	return r
}

func (s *stage) revise(id, patch string) Reply {
	s.Helper()
	r, err := s.timeline().Revise(s.Context(), id, []byte(patch), "")
	if err != nil {
		s.Fatalf("%s %s: %v", id, patch, err)
	}
	synctest.Wait()
	return r
}

func (s *stage) undo(id string) Reply {
	s.Helper()
	r, err := s.timeline().Undo(s.Context(), id, "")
	if err != nil {
		s.Fatalf("%s: %v", id, err)
	}
	synctest.Wait()
	return r
}

// states says in words how all cues are.
func (s *stage) states() string {
	var out []string
	for _, c := range s.timeline().List().Cues {
		out = append(out, Mark{ID: c.ID, Rev: c.Rev}.Key()+" "+string(c.State))
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

func (s *stage) wantStates(want string) {
	s.Helper()
	if got := s.states(); got != want {
		s.Errorf("the cues are %q, want %q", got, want)
	}
}

// marks are what a reader of the stream hears.
type marks struct {
	all    []Mark
	latest map[string]Mark
}

func hear(t *testing.T, s *stream.Stream) *marks {
	m := &marks{latest: make(map[string]Mark)}
	r := s.NewReader()
	go func() {
		defer r.Close()
		for {
			events, err := r.Next(context.Background())
			if errors.Is(err, stream.ErrClosed) {
				return
			}
			for _, ev := range events {
				if ev.Kind != stream.EventUnit || ev.Unit.Track != Track.ID {
					continue
				}
				mark, err := ParseMark(ev.Unit.Data)
				if err != nil {
					t.Error(err)
				}
				if old, ok := m.latest[mark.Key()]; ok && (old.Start != mark.Start || old.Hash != mark.Hash) {
					t.Errorf("%s was told as %+v and as %+v", mark.Key(), old, mark)
				}
				m.all = append(m.all, mark)
				m.latest[mark.Key()] = mark
			}
		}
	}()
	return m
}

// shown says which revisions viewers see, and from when to when, in seconds.
func (m *marks) shown() string {
	synctest.Wait()
	list := slices.SortedFunc(maps.Values(m.latest), func(a, b Mark) int { return int(a.Start - b.Start) })
	var out []string
	for _, mk := range list {
		if mk.Withdrawn() {
			continue
		}
		end := "…"
		if mk.End != Open {
			end = seconds(mk.End)
		}
		out = append(out, mk.Key()+" "+seconds(mk.Start)+"-"+end)
	}
	return strings.Join(out, ", ")
}

func seconds(ticks int64) string {
	return media.Duration(ticks, Timescale).Round(10 * time.Millisecond).String()
}

func (s *stage) wantShown(want string) {
	s.Helper()
	if got := s.marks.shown(); got != want {
		s.Errorf("viewers see %q, want %q", got, want)
	}
}

func product(id string) string {
	return `"id":"` + id + `","products":[{"id":"sku-` + id + `","title":{"en":"Wig"},"prices":{"USD":{"amount":3999}}}]`
}

func TestShow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Config{})
		s.live()
		s.play(3 * time.Second)
		a := s.create(`{` + product("a") + `}`)
		if a.State != Active || !a.Created || !a.Durable || !a.Announced || a.Start == nil || a.End != nil {
			t.Errorf("%+v", a)
		}
		s.create(`{` + product("b") + `,"at":"+2s"}`)
		s.create(`{` + product("c") + `,"at":"+20s","slot":"side","duration":"5s"}`)
		s.wantStates("a.1 active, b.1 pending, c.1 pending")
		s.wantShown("a.1 4s-6s, b.1 6s-…")
		if _, ok := s.timeline().Content("c", 1, ""); ok {
			t.Error("what comes in 20 s can be read already")
		}
		s.play(13 * time.Second)
		s.wantShown("a.1 4s-6s, b.1 6s-…, c.1 24s-29s")
		if doc, ok := s.timeline().Content("c", 1, "fr-FR"); !ok || !strings.Contains(string(doc), `"title":"Wig"`) || !strings.Contains(string(doc), `"locale":"fr-FR"`) {
			t.Errorf("%s", doc)
		}
		s.play(20 * time.Second)
		s.wantStates("a.1 over, b.1 active, c.1 over")
		s.stop()
	})
}

func TestUndo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Config{})
		s.live()
		s.play(3 * time.Second)
		s.create(`{` + product("a") + `}`)
		s.play(time.Second)
		s.create(`{` + product("b") + `}`)
		s.play(time.Second)
		s.create(`{"kind":"hide","id":"h"}`)
		s.play(time.Second)
		s.wantShown("a.1 4s-5s, b.1 5s-6s, h.1 6s-…")
		r := s.undo("h")
		if r.Back == nil || r.Back.ID != "b" || r.Back.Rev != 2 || r.Back.State != Active {
			t.Errorf("%+v", r.Back)
		}
		s.wantShown("a.1 4s-5s, b.1 5s-6s, h.1 6s-7s, b.2 7s-…")
		s.play(time.Second)
		s.undo("b")
		s.wantShown("a.1 4s-5s, b.1 5s-6s, h.1 6s-7s, b.2 7s-8s, a.2 8s-…")
		if r := s.undo("b"); !r.Repeated {
			t.Error("the second undo of b did something")
		}
		s.play(2 * time.Minute)
		s.undo("a") // what was long ago is there no more
		s.wantStates("a.2 over, b.2 over, h.1 over")
		s.stop()
	})
}

func TestPendingLeavesNoTrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Config{})
		s.live()
		s.play(time.Second)
		s.create(`{` + product("a") + `}`)
		s.create(`{` + product("b") + `,"at":"+20s"}`)
		s.revise("b", `{"at":"+30s","products":{"sku-b":{"stock":3}}}`)
		s.play(15 * time.Second)
		s.undo("b")
		s.play(30 * time.Second)
		s.wantShown("a.1 2s-…")
		if len(s.marks.all) != 1 {
			t.Errorf("viewers heard %+v", s.marks.all)
		}
		s.create(`{` + product("c") + `,"at":"+5s"}`)
		s.wantShown("a.1 2s-52s, c.1 52s-…")
		s.undo("c")
		s.wantShown("a.1 2s-…")
		s.stop()
	})
}

func TestRevise(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Config{})
		s.live()
		s.play(time.Second)
		s.create(`{` + product("a") + `,"duration":"60s"}`)
		s.play(2 * time.Second)
		r := s.revise("a", `{"products":{"sku-a":{"prices":{"USD":{"amount":2999}},"stock":7}},"x-shop":{"b":[1.50,"é"]}}`)
		want := `{"id":"a","rev":2,"kind":"product","slot":"main","products":[{"id":"sku-a","title":{"en":"Wig"},"prices":{"USD":{"amount":2999}},"stock":7}],"x-shop":{"b":[1.50,"é"]}}`
		if string(r.Content) != want {
			t.Errorf("got  %s\nwant %s", r.Content, want)
		}
		s.wantShown("a.1 2s-4s, a.2 4s-1m2s")
		s.play(time.Second)
		s.revise("a", `{"duration":"10s"}`) // from the start of this revision
		s.wantShown("a.1 2s-4s, a.2 4s-14s")
		if r := s.revise("a", `{"kind":"product"}`); !r.Repeated || r.Rev != 2 {
			t.Errorf("no change: %+v", r)
		}
		s.revise("a", `{"duration":null}`)
		s.wantShown("a.1 2s-4s, a.2 4s-…")
		s.revise("a", `{"slot":"side","at":"+1s"}`)
		s.wantShown("a.1 2s-4s, a.2 4s-6s, a.3 6s-…")
		s.play(2 * time.Second)
		s.revise("a", `{"end":"now"}`)
		if _, err := s.timeline().Revise(t.Context(), "a", []byte(`{"text":"x"}`), ""); code(err) != Conflict {
			t.Errorf("a cue that is over was revised: %v", err)
		}
		s.revise("a", `{"at":"now"}`)
		s.wantStates("a.4 active")
		s.stop()
	})
}

// An end that a revision would inherit is named when it is in the way.
func TestReviseBehindTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Config{})
		s.live()
		s.play(3 * time.Second)
		a := s.create(`{` + product("a") + `,"duration":"5s"}`)
		_, err := s.timeline().Revise(t.Context(), "a", []byte(`{"at":"+20s"}`), "")
		if code(err) != Invalid || !strings.Contains(err.Error(), a.End.Date.Format("15:04:05.000")) {
			t.Errorf("%v", err)
		}
		s.stop()
	})
}

func code(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return 99
}

func TestKeyframe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Config{})
		s.live()
		s.play(500 * time.Millisecond)
		s.create(`{` + product("a") + `}`)
		done := make(chan Reply)
		go func() {
			r, err := s.timeline().Create(t.Context(), []byte(`{`+product("k")+`,"at":"keyframe"}`), "")
			if err != nil {
				t.Error(err)
			}
			done <- r
		}()
		synctest.Wait()
		s.wantStates("a.1 active, k.1 pending")
		s.play(3 * time.Second)
		if r := <-done; r.Start == nil || *r.Start.Media != 3 || r.State != Active {
			t.Errorf("%+v", r)
		}
		s.wantShown("a.1 1.5s-3s, k.1 3s-…")
		// Nobody sends a keyframe for a while.
		began := time.Now()
		r, err := s.timeline().Create(t.Context(), []byte(`{`+product("l")+`,"at":"keyframe"}`), "")
		if err != nil || r.Waits != "keyframe" || r.State != Pending || time.Since(began) != keyframeWait {
			t.Errorf("%+v %v after %v", r, err, time.Since(began))
		}
		s.undo("l")
		s.play(3 * time.Second)
		s.wantShown("a.1 1.5s-3s, k.1 3s-…")
		s.stop()
	})
}

// After a crash, what was up goes on under its old date, and what was pending comes at its time.
func TestCrash(t *testing.T) {
	for _, how := range []string{"crash", "stop"} {
		t.Run(how, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStage(t, Config{})
				s.live()
				s.play(3 * time.Second)
				a := s.create(`{` + product("a") + `}`)
				s.play(time.Second)
				b := s.create(`{` + product("b") + `}`)
				c := s.create(`{` + product("c") + `,"at":"+30s","slot":"side"}`)
				s.create(`{` + product("d") + `,"at":"+3s","slot":"other","duration":"2s"}`)
				if how == "crash" {
					s.crash()
				} else {
					s.stop()
				}
				time.Sleep(10 * time.Second)
				s.open(Config{Dir: s.dir})
				s.pub = nil
				s.create(`{"kind":"message","text":"hi","id":"m","slot":"msg"}`)
				s.live()
				s.play(time.Second)
				s.wantStates("a.1 over, b.1 active, c.1 pending, d.1 over, m.1 active")
				got, err := s.timeline().Get("b")
				if err != nil || !got.Start.Date.Equal(*b.Start.Date) || *got.Start.Media >= 0 {
					t.Errorf("b was at %v, is at %v (%v)", b.Start.Date, got.Start.Date, *got.Start.Media)
				}
				if got, _ := s.timeline().Get("a"); !got.Start.Date.Equal(*a.Start.Date) {
					t.Errorf("a was at %v, is at %v", a.Start.Date, got.Start.Date)
				}
				// d has ended while there was no server: players may still have it open.
				s.wantShown("b.1 -9s-…, d.1 -6s--4s, m.1 1s-…")
				s.play(20 * time.Second)
				got, _ = s.timeline().Get("c")
				if !got.Start.Date.Equal(*c.Start.Date) || got.State != Active {
					t.Errorf("c was for %v, is at %v, %s", c.Start.Date, got.Start.Date, got.State)
				}
				s.stop()
			})
		})
	}
}

// A show that nobody has taken up again for long is over, and so are its cues.
func TestLongGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Config{Resume: time.Minute})
		s.live()
		s.play(3 * time.Second)
		s.create(`{` + product("a") + `}`)
		s.crash()
		time.Sleep(2 * time.Minute)
		s.open(Config{Dir: s.dir, Resume: time.Minute})
		s.pub = nil
		s.live()
		s.play(time.Second)
		s.wantStates("")
		if r := s.create(`{` + product("a") + `}`); r.Rev != 2 {
			t.Errorf("revision %d", r.Rev)
		}
		s.stop()
	})
}

func TestEndAndNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Config{})
		s.create(`{` + product("first") + `}`)
		s.create(`{` + product("planned") + `,"at":{"media":5}}`)
		date := time.Now().Add(100 * time.Second).UTC().Format(time.RFC3339)
		s.create(`{` + product("dated") + `,"at":"` + date + `"}`)
		s.wantStates("dated.1 pending, first.1 pending, planned.1 pending")
		s.live()
		s.play(2 * time.Second)
		s.wantShown("first.1 1s-5s, planned.1 5s-…")
		s.play(6 * time.Second)
		s.create(`{` + product("never") + `,"at":"+30s"}`)
		s.pub.Close(nil)
		time.Sleep(11 * time.Second) // the reconnect window
		synctest.Wait()
		s.wantStates("dated.1 pending, first.1 over, never.1 withdrawn, planned.1 over")
		if r := s.create(`{` + product("first") + `}`); r.Rev != 2 || r.Waits != "show" {
			t.Errorf("%+v", r)
		}
		s.live()
		s.play(time.Second)
		s.wantStates("dated.1 pending, first.2 active")
		s.play(100 * time.Second)
		s.wantStates("dated.1 active, first.2 over")
		c, _ := s.timeline().Get("dated")
		if got := c.Start.Date.Format(time.RFC3339); got != date {
			t.Errorf("dated for %s, came at %s", date, got)
		}
		s.stop()
	})
}

// The host reconnects within the window: nothing of it is to be seen in the cues.
func TestReconnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Config{})
		s.live()
		s.play(2 * time.Second)
		s.create(`{` + product("a") + `}`)
		s.create(`{` + product("b") + `,"at":"+4s"}`)
		s.pub.Close(errors.New("connection reset"))
		time.Sleep(3 * time.Second)
		s.create(`{` + product("c") + `,"slot":"side"}`)
		s.live()
		s.play(5 * time.Second)
		s.wantShown("a.1 3s-7s, c.1 6s-…, b.1 7s-…")
		s.wantStates("a.1 over, b.1 active, c.1 active")
		s.stop()
	})
}

func TestIdempotence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Config{})
		s.live()
		tl := s.timeline()
		body := []byte(`{"kind":"message","text":"hello"}`)
		first, err := tl.Create(t.Context(), body, "key")
		if err != nil {
			t.Fatal(err)
		}
		again, err := tl.Create(t.Context(), body, "key")
		if err != nil || again.ID != first.ID || !again.Repeated || again.Created {
			t.Errorf("%+v %v", again, err)
		}
		if _, err := tl.Create(t.Context(), []byte(`{"kind":"message","text":"bye"}`), "key"); code(err) != Conflict {
			t.Errorf("another write of the same key: %v", err)
		}
		s.create(`{"id":"x","kind":"message","text":"hello"}`)
		if r := s.create(`{ "text":{"und":"hello"}, "id":"x","kind":"message"}`); !r.Repeated {
			t.Errorf("%+v", r)
		}
		if _, err := tl.Create(t.Context(), []byte(`{"id":"x","kind":"message","text":"bye"}`), ""); code(err) != Conflict {
			t.Errorf("another cue of the same id: %v", err)
		}
		s.crash()
		s.open(Config{Dir: s.dir})
		tl = s.timeline()
		if again, err := tl.Create(t.Context(), body, "key"); err != nil || again.ID != first.ID || !again.Repeated {
			t.Errorf("after a crash: %+v %v", again, err)
		}
		s.stop()
	})
}

func TestRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Config{})
		tl := s.timeline()
		refused := 0
		for range 100 {
			if _, err := tl.Create(t.Context(), []byte(`{"kind":"hide"}`), ""); code(err) == TooMany {
				refused++
			}
		}
		if refused != 100-Burst {
			t.Errorf("%d refused", refused)
		}
		time.Sleep(time.Second)
		for i := range MaxRate {
			if _, err := tl.Create(t.Context(), []byte(`{"kind":"hide"}`), ""); err != nil {
				t.Errorf("write %d a second later: %v", i, err)
			}
		}
		s.stop()
	})
}

func TestFactsAndPresent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Config{})
		s.live()
		tl := s.timeline()
		v1, render := tl.Present()
		before := render()
		_, next, ok := tl.Events(tl.Latest())
		if !ok {
			t.Fatal("no events")
		}
		if _, err := tl.SetFact(t.Context(), "sku-1", []byte(`{"stock":3,"prices":{"USD":{"amount":1999}}}`), ""); err != nil {
			t.Fatal(err)
		}
		<-next
		s.create(`{` + product("a") + `}`)
		s.create(`{` + product("later") + `,"at":"+1h"}`)
		v2, render := tl.Present()
		var doc struct {
			Epoch string
			Cues  []Entry
			Facts map[string]Fact
		}
		if err := json.Unmarshal(render(), &doc); err != nil || v2 <= v1 {
			t.Fatal(err, v1, v2)
		}
		if doc.Epoch != s.pub.Stream().Epoch() || len(doc.Cues) != 1 || doc.Cues[0].ID != "a" || doc.Cues[0].End != nil || *doc.Facts["sku-1"].Stock != 3 {
			t.Errorf("%s was %s", render(), before)
		}
		events, _, ok := tl.Events(0)
		if !ok || len(events) != 2 || events[0].Name != "facts" || events[1].Name != "cue" {
			t.Errorf("%+v", events)
		}
		if _, err := tl.SetFact(t.Context(), "sku-1", []byte(`{"stock":null,"prices":null}`), ""); err != nil {
			t.Fatal(err)
		}
		if _, render := tl.Present(); !strings.Contains(string(render()), `"facts":{}`) {
			t.Errorf("%s", render())
		}
		if v, _ := tl.Present(); v != v2+1 {
			t.Errorf("version %d after %d", v, v2)
		}
		s.stop()
	})
}
