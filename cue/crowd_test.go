package cue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"pushcart/media"
	"pushcart/stream"
)

// TestCrowd has shows of one name come and go, hosts take each other over, and everybody write and read at
// once, by the real clock. What was accepted is there; nothing is there twice; nothing hangs.
func TestCrowd(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	b := NewBook(Config{Dir: t.TempDir()}, holdBack, log)
	b.Open()
	hub := stream.NewHub(stream.Config{ReconnectWindow: -1}, log, b.Begin)
	tl, err := b.Timeline("shop")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var wg sync.WaitGroup
	for range 2 { // hosts
		wg.Go(func() {
			for ctx.Err() == nil {
				p, err := hub.Publish("shop", stream.Source{})
				if err != nil {
					t.Error(err)
					return
				}
				if p.Begin([]media.Track{video.Track(), Track}) != nil {
					continue
				}
				for i := range 100 {
					au := video.Unit(i)
					at := media.Ticks(time.Since(p.Stream().Start()), Timescale)
					au.DTS, au.PTS = at, at
					if p.Write(au) != nil {
						break
					}
					b.HostMessage(p.Stream(), "cue", []any{`{"kind":"hide","slot":"host"}`}, p.Stream().Latest())
					time.Sleep(time.Millisecond)
				}
				if rand.IntN(2) == 0 {
					p.Close(nil)
				}
			}
		})
	}
	var mu sync.Mutex
	accepted := make(map[string]int)
	for w := range 6 { // producers
		wg.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				tl.mu.Lock()
				tl.writes, tl.host = bucket{}, bucket{} // no limit here
				tl.mu.Unlock()
				id := fmt.Sprintf("w%d-%d", w, i)
				at := []string{`"now"`, `"+50ms"`, `"+1s"`, `{"media":2}`, `"-100ms"`}[rand.IntN(5)]
				r, err := tl.Create(ctx, fmt.Appendf(nil, `{"id":%q,"kind":"hide","slot":"s%d","at":%s}`, id, i%3, at), "")
				if err != nil {
					var refused *Error
					if !errors.As(err, &refused) && ctx.Err() == nil {
						t.Error(err)
					}
					continue
				}
				mu.Lock()
				accepted[id] = r.Rev
				mu.Unlock()
				switch rand.IntN(4) {
				case 0:
					tl.Revise(ctx, id, []byte(`{"x":1}`), "")
				case 1:
					tl.Undo(ctx, id, "")
				case 2:
					tl.Create(ctx, []byte(`{"kind":"hide","at":"keyframe"}`), "")
				}
			}
		})
	}
	for range 2 { // viewers
		wg.Go(func() {
			var at uint64
			for ctx.Err() == nil {
				version, render := tl.Present()
				var list struct{ Cues []Entry }
				if err := json.Unmarshal(render(), &list); err != nil {
					t.Errorf("version %d: %v", version, err)
				}
				seen := make(map[string]bool)
				for _, e := range list.Cues {
					key := Mark{ID: e.ID, Rev: e.Rev}.Key()
					if seen[key] {
						t.Errorf("%s is listed twice", key)
					}
					seen[key] = true
				}
				events, next, ok := tl.Events(at)
				if !ok {
					at = tl.Latest()
					continue
				}
				for _, ev := range events {
					if ev.Number != at+1 {
						t.Errorf("event %d follows %d", ev.Number, at)
					}
					at = ev.Number
				}
				tl.List()
				tl.Rundown()
				select {
				case <-next:
				case <-ctx.Done():
				}
			}
		})
	}
	// A moment will do, unless the disk is so busy that hardly anything has been accepted.
	const enough = 20
	for begun := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		mu.Lock()
		n := len(accepted)
		mu.Unlock()
		if took := time.Since(begun); took > 1500*time.Millisecond && n >= enough || took > 2*time.Minute {
			break
		}
	}
	stop()
	wg.Wait()
	hub.Close()
	b.Close()
	b.running.Wait()
	again := NewBook(b.cfg, holdBack, log)
	again.Open()
	defer again.Close()
	tl, err = again.Timeline("shop")
	if err != nil {
		t.Fatal(err)
	}
	tl.see(func(x *tx) {
		for id, rev := range accepted {
			if x.s.nextRev(id) <= rev {
				t.Errorf("%s.%d was accepted, and is forgotten", id, rev)
			}
		}
		x.s.check(t)
	})
	if len(accepted) < enough {
		t.Errorf("%d cues were accepted", len(accepted))
	}
}

func TestClock(t *testing.T) {
	start := time.Now()
	c := clock{start: start}
	at := func(d time.Duration) time.Time { return start.Add(d) }
	check := func(what string, latest, now, want time.Duration) {
		t.Helper()
		if got := media.Duration(c.ticks(latest, at(now)), Timescale); (got - want).Abs() > 20*time.Microsecond {
			t.Errorf("%s: now is %v, want %v", what, got, want)
		}
	}
	check("nothing has come", 0, 2*time.Second, 2*time.Second)
	for i := range 100 { // an encoder that is 0.1 % slow, 200 ms away
		now := time.Duration(i) * time.Second
		c.observe(now-now/1000-200*time.Millisecond, at(now))
	}
	check("a slow clock", 98700*time.Millisecond, 99*time.Second, 99*time.Second-60*time.Millisecond-200*time.Millisecond)
	for i := range 10 { // the uplink stalls
		now := time.Duration(100+i) * time.Second
		c.observe(98700*time.Millisecond, at(now))
	}
	check("a stall", 98700*time.Millisecond, 109*time.Second, 109*time.Second-260*time.Millisecond)
	c.observe(109900*time.Millisecond, at(110*time.Second)) // and all comes at once
	check("after it", 109900*time.Millisecond, 110*time.Second, 109900*time.Millisecond)
	c.observe(time.Hour, at(111*time.Second))
	check("nonsense", 112*time.Second, 111*time.Second, 111*time.Second+maxLead)
}

// BenchmarkCreate makes cues that are to come, one after the other.
func BenchmarkCreate(b *testing.B) {
	for _, where := range []string{"disk", "memory"} {
		b.Run(where, func(b *testing.B) {
			var tl *Timeline
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if i%1000 == 0 {
					b.StopTimer()
					cfg := Config{Dir: Off}
					if where == "disk" {
						cfg.Dir = b.TempDir()
					}
					tl = benchTimeline(b, cfg)
					b.StartTimer()
				}
				tl.writes = bucket{} // no limit here
				body := fmt.Appendf(nil, `{"id":"c%d","at":{"media":%d},%s}`, i, 100+i%1000, `"products":[{"id":"sku-1","url":"https://shop.example/1","title":{"en":"Bob wig","fr":"Perruque"},"prices":{"USD":{"amount":3999}}}]`)
				if _, err := tl.Create(b.Context(), body, ""); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkCreateTogether has sixty come at once: they share their waits for the disk.
func BenchmarkCreateTogether(b *testing.B) {
	for i := 0; b.Loop(); i++ {
		b.StopTimer()
		tl := benchTimeline(b, Config{Dir: b.TempDir()})
		tl.writes = bucket{left: 1000, at: time.Now()}
		b.StartTimer()
		var wg sync.WaitGroup
		for w := range Burst {
			wg.Go(func() {
				if _, err := tl.Create(b.Context(), fmt.Appendf(nil, `{"id":"c%d","kind":"hide","at":{"media":%d}}`, w, 100+w), ""); err != nil {
					b.Error(err)
				}
			})
		}
		wg.Wait()
	}
}

func benchTimeline(b *testing.B, cfg Config) *Timeline {
	log := slog.New(slog.DiscardHandler)
	book := NewBook(cfg, holdBack, log)
	book.Open()
	hub := stream.NewHub(stream.Config{}, log, book.Begin)
	p, err := hub.Publish("shop", stream.Source{})
	if err != nil {
		b.Fatal(err)
	}
	p.Begin([]media.Track{video.Track(), Track})
	au := video.Unit(0)
	au.DTS, au.PTS = Timescale, Timescale
	p.Write(au)
	tl, err := book.Timeline("shop")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { book.Close(); hub.Close(); book.running.Wait() })
	return tl
}

// BenchmarkPresent renders the list of a show with a thousand cues on it after each change.
func BenchmarkPresent(b *testing.B) {
	tl := &Timeline{name: "shop"}
	tl.board.init("shop")
	s := show{"e", time.Now()}
	for i := range 1000 {
		tl.board.list(Mark{ID: fmt.Sprint("wig-", i), Rev: 1, Kind: kindProduct, Slot: mainSlot, Start: int64(i), End: int64(i) + 1, Hash: "0123456789abcdef"}, s)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		tl.board.list(Mark{ID: "wig-999", Rev: 1, Kind: kindProduct, Slot: mainSlot, Start: 999, End: int64(1000 + 90*i), Hash: "0123456789abcdef"}, s)
		tl.board.publish()
		_, render := tl.Present()
		if len(render()) < 100_000 {
			b.Fatal("short")
		}
	}
}
