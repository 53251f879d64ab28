package stream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pushcart/media"
	"pushcart/media/mediatest"
)

func newTestHub(t *testing.T, cfg Config, onShow func(*Stream)) *Hub {
	t.Helper()
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	return NewHub(cfg, slog.New(slog.DiscardHandler), onShow)
}

func publish(t *testing.T, h *Hub, name string) *Publisher {
	t.Helper()
	p, err := h.Publish(name, Source{Protocol: "test", Remote: "here"})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

var video = mediatest.Video{}

// write publishes units from to, not included, of video.
func write(t *testing.T, p *Publisher, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		if err := p.Write(video.Unit(i)); err != nil {
			t.Fatal(err)
		}
	}
}

func begin(t *testing.T, p *Publisher) {
	t.Helper()
	if err := p.Begin([]media.Track{video.Track()}); err != nil {
		t.Fatal(err)
	}
}

// summary says in words what Next returns until there is nothing more for now.
func summary(t *testing.T, r *Reader) string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	text := ""
	for {
		events, err := r.Next(ctx)
		switch {
		case errors.Is(err, ErrLagged):
			text += "lagged "
			continue
		case errors.Is(err, ErrClosed):
			return text + "closed"
		case err != nil:
			return text
		}
		for _, ev := range events {
			switch ev.Kind {
			case EventUnit:
				text += fmt.Sprintf("%d ", mediatest.Index(ev.Unit.Data))
			default:
				text += [...]string{"", "tracks ", "interrupted ", "ended "}[ev.Kind]
			}
		}
	}
}

func TestReader(t *testing.T) {
	h := newTestHub(t, Config{}, nil)
	p := publish(t, h, "a")
	s := p.Stream()
	first := s.NewReader()
	begin(t, p)
	write(t, p, 0, 3)
	if got, want := summary(t, first), "tracks 0 1 2 "; got != want {
		t.Errorf("the first reader got %q, want %q", got, want)
	}
	write(t, p, 3, 63)
	late := s.NewReader()
	if got, want := summary(t, late), "tracks 60 61 62 "; got != want {
		t.Errorf("the late reader got %q, want %q", got, want)
	}
	p.Close(nil)
	again := publish(t, h, "a")
	begin(t, again)
	write(t, again, 120, 122)
	if got, want := summary(t, late), "interrupted tracks 120 121 "; got != want {
		t.Errorf("behind the return it got %q, want %q", got, want)
	}
	h.Close()
	if got, want := summary(t, late), "interrupted ended closed"; got != want {
		t.Errorf("at the end it got %q, want %q", got, want)
	}
	late.Close()
	first.Close()
	if len(s.readers) != 0 {
		t.Errorf("%d readers are left", len(s.readers))
	}
}

// TestLag has a reader that sleeps while the log outgrows its bounds.
func TestLag(t *testing.T) {
	h := newTestHub(t, Config{}, nil)
	p := publish(t, h, "a")
	r := p.Stream().NewReader()
	begin(t, p)
	const n = maxLogEvents + 100
	write(t, p, 0, n)
	if got := len(p.Stream().events); got > maxLogEvents {
		t.Errorf("the log holds %d events", got)
	}
	want := "lagged tracks "
	for i := n - n%60; i < n; i++ {
		want += fmt.Sprintf("%d ", i)
	}
	if got := summary(t, r); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestLagWithoutKeyframe has a reader lag while the log holds no keyframe: it goes on with the next one.
func TestLagWithoutKeyframe(t *testing.T) {
	h := newTestHub(t, Config{}, nil)
	p := publish(t, h, "a")
	r := p.Stream().NewReader()
	long := mediatest.Video{GOP: maxLogEvents + 200}
	if err := p.Begin([]media.Track{long.Track()}); err != nil {
		t.Fatal(err)
	}
	for i := range maxLogEvents + 202 {
		if i == maxLogEvents+100 {
			if got, want := summary(t, r), "lagged "; got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		}
		if err := p.Write(long.Unit(i)); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := summary(t, r), fmt.Sprintf("tracks %d %d ", maxLogEvents+200, maxLogEvents+201); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestFlapping connects again and again without sending anything: the show does not wait for ever.
func TestFlapping(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newTestHub(t, Config{}, nil)
		p := publish(t, h, "a")
		begin(t, p)
		s := p.Stream()
		p.Close(nil)
		for range 3 {
			time.Sleep(25 * time.Second)
			publish(t, h, "a").Close(errors.New("nothing came"))
		}
		select {
		case <-s.Done():
		default:
			t.Error("75 s after its last unit, the show still waits")
		}
	})
}

// TestLogBytes checks that the log is bounded in bytes, even by a host without keyframes.
func TestLogBytes(t *testing.T) {
	h := newTestHub(t, Config{}, nil)
	p := publish(t, h, "a")
	r := p.Stream().NewReader()
	defer r.Close()
	begin(t, p)
	for i := range 3000 {
		big := media.AccessUnit{Track: 1, DTS: int64(i), Data: make([]byte, 64<<10)}
		if err := p.Write(big); err != nil {
			t.Fatal(err)
		}
	}
	if got := p.Stream().bytes; got > maxLogBytes {
		t.Errorf("the log holds %d bytes", got)
	}
}

func TestReaderWakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newTestHub(t, Config{}, nil)
		p := publish(t, h, "a")
		r := p.Stream().NewReader()
		got := make(chan int)
		go func() {
			defer close(got)
			for {
				events, err := r.Next(t.Context())
				if err != nil {
					return
				}
				got <- len(events)
			}
		}()
		synctest.Wait()
		begin(t, p)
		if n := <-got; n != 1 {
			t.Errorf("%d events", n)
		}
		synctest.Wait()
		write(t, p, 0, 1)
		if n := <-got; n != 1 {
			t.Errorf("%d events", n)
		}
		h.Close()
		for range got {
		}
	})
}

func TestReconnectWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newTestHub(t, Config{ReconnectWindow: 10 * time.Second}, nil)
		p := publish(t, h, "a")
		begin(t, p)
		p.Close(errors.New("connection reset"))
		time.Sleep(9 * time.Second)
		s, ok := h.Stream("a")
		if !ok || s.Status().State != Interrupted {
			t.Fatal("the show does not wait for its host")
		}
		p = publish(t, h, "a")
		if p.Stream() != s {
			t.Fatal("the host has come back to another show")
		}
		time.Sleep(time.Minute)
		if _, ok := h.Stream("a"); !ok {
			t.Fatal("the window of the first absence has ended the show of a host who is back")
		}
		begin(t, p)
		p.Close(nil)
		time.Sleep(10*time.Second + time.Millisecond)
		select {
		case <-s.Done():
		default:
			t.Error("the show is not over")
		}
		next := publish(t, h, "a")
		if next.Stream() == s || next.Stream().Epoch() == s.Epoch() {
			t.Error("the next show is the old one")
		}
	})
}

func TestNothingBegun(t *testing.T) {
	h := newTestHub(t, Config{}, nil)
	p := publish(t, h, "a")
	p.Close(nil)
	if _, ok := h.Stream("a"); ok {
		t.Error("a show without a single unit waits for its host")
	}
}

func TestLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newTestHub(t, Config{MaxStreams: 2}, nil)
		begin(t, publish(t, h, "a"))
		begin(t, publish(t, h, "b"))
		if _, err := h.Publish("c", Source{}); !errors.Is(err, ErrBusy) {
			t.Errorf("a third show: %v", err)
		}
		if _, err := h.Publish("a", Source{}); err != nil {
			t.Errorf("a takeover: %v", err)
		}
		if !h.Cut("a") || h.Cut("a") {
			t.Error("Cut says the wrong thing")
		}
		if _, err := h.Publish("a", Source{}); !errors.Is(err, ErrBarred) {
			t.Errorf("right after the cut: %v", err)
		}
		time.Sleep(cutHold)
		if _, err := h.Publish("a", Source{}); err != nil {
			t.Errorf("later: %v", err)
		}
		h.Close()
		if _, err := h.Publish("d", Source{}); !errors.Is(err, ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
		if len(h.Streams()) != 0 {
			t.Errorf("%d shows are left", len(h.Streams()))
		}
	})
}

// TestManyAtOnce has hosts take each other over, come and go, while others read.
func TestManyAtOnce(t *testing.T) {
	h := newTestHub(t, Config{ReconnectWindow: -1}, nil)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 200 {
				p, err := h.Publish("a", Source{})
				if err != nil {
					t.Error(err)
					return
				}
				r := p.Stream().NewReader()
				if p.Begin([]media.Track{video.Track()}) == nil {
					p.Write(video.Unit(0))
				}
				ctx, cancel := context.WithTimeout(t.Context(), 0)
				r.Next(ctx)
				cancel()
				r.Close()
				p.Close(nil)
				h.Streams()
			}
		})
	}
	wg.Wait()
	if left := h.Streams(); len(left) != 0 {
		t.Errorf("%d shows are left, the first is %v", len(left), left[0].Status().State)
	}
}

func TestStatus(t *testing.T) {
	h := newTestHub(t, Config{}, nil)
	p := publish(t, h, "a")
	begin(t, p)
	write(t, p, 0, 300)
	p.Count("clock jumps", 2)
	p.Remark("x", "Something is odd.")
	p.Remark("x", "Something is odd.")
	st := p.Stream().Status()
	if st.State != Live || len(st.Tracks) != 1 || st.Repairs["clock jumps"] != 2 || len(st.Remarks) != 1 {
		t.Fatalf("%+v", st)
	}
	tr := st.Tracks[0]
	if tr.UnitRate < 29.9 || tr.UnitRate > 30.1 || tr.GOP != 2*time.Second {
		t.Errorf("%.2f units a second, GOP %v", tr.UnitRate, tr.GOP)
	}
	if want := 8.0 * 30 * (1000 + 4000.0/60); tr.BitRate < 0.9*want || tr.BitRate > 1.1*want {
		t.Errorf("%.0f bits a second, want %.0f", tr.BitRate, want)
	}
}

// TestShown has pictures that are presented in another order than they are decoded.
func TestShown(t *testing.T) {
	h := newTestHub(t, Config{}, nil)
	p := publish(t, h, "a")
	v := mediatest.Video{BFrames: 2}
	if err := p.Begin([]media.Track{v.Track()}); err != nil {
		t.Fatal(err)
	}
	var latest, shown int64
	for _, au := range v.Units(20) {
		if err := p.Write(au); err != nil {
			t.Fatal(err)
		}
		latest, shown = au.DTS, max(shown, au.PTS)
		if got := p.Stream().Latest(); got != media.Duration(latest, 90000) {
			t.Errorf("the latest is %v, want %d ticks", got, latest)
		}
		if got := p.Stream().Shown(); got < media.Duration(shown, 90000)-time.Microsecond || got > media.Duration(shown, 90000)+time.Microsecond {
			t.Errorf("shown is %v, want %d ticks", got, shown)
		}
	}
	if shown <= latest {
		t.Error("nothing was presented later than it was decoded")
	}
}

func BenchmarkWriteRead(b *testing.B) {
	h := NewHub(Config{}, slog.New(slog.DiscardHandler), nil)
	p, err := h.Publish("a", Source{})
	if err != nil {
		b.Fatal(err)
	}
	r := p.Stream().NewReader()
	p.Begin([]media.Track{video.Track()})
	units := video.Units(600)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		au := units[i%600]
		au.DTS = int64(i) * 3000
		p.Write(au)
		r.Next(context.Background())
	}
}
