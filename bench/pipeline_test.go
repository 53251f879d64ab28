package main

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"strconv"
	"sync"
	"testing"
	"time"

	"pushcart/auth"
	"pushcart/bench/show"
	"pushcart/ingest"
	"pushcart/media"
	"pushcart/packager"
	"pushcart/stream"
)

// anyone lets everyone publish under the key as it is.
type anyone struct{}

func (anyone) Publish(key string, _ netip.Addr) (auth.Grant, error) { return auth.ParseGrant(key) }

// pipeline is a show from session to window, all of it in the calling goroutine.
type pipeline struct {
	session  ingest.Publisher
	reader   *stream.Reader
	packager *packager.Packager
	over     context.Context // is over
}

// newPipeline opens a session for a show with the tracks of s.
func newPipeline(b *testing.B, s *show.Show) *pipeline {
	b.Helper()
	over, cancel := context.WithCancel(context.Background())
	cancel()
	p := &pipeline{over: over}
	hub := stream.NewHub(stream.Config{}, slog.New(slog.DiscardHandler), func(st *stream.Stream) {
		p.reader = st.NewReader()
		p.packager = packager.New(packager.Config{}, packager.Show{Epoch: st.Epoch(), Start: st.Start()})
	})
	b.Cleanup(hub.Close)
	desk := &ingest.Desk{Hub: hub, Auth: anyone{}, Log: slog.New(slog.DiscardHandler)}
	var err error
	if p.session, err = desk.Open(ingest.Request{Protocol: "rtmp", App: "live", Key: "show"}); err != nil {
		b.Fatal(err)
	}
	p.session.Expect(true, true)
	for _, t := range []media.Track{
		{ID: 1, Codec: media.CodecH264, Timescale: 1000, Config: s.AVCConfig, FrameRate: float64(s.FrameRate)},
		{ID: 2, Codec: media.CodecAAC, Timescale: 1000, Config: s.AACConfig},
	} {
		if err := p.session.SetTrack(t); err != nil {
			b.Fatal(err)
		}
	}
	return p
}

// write takes one unit through the house.
func (p *pipeline) write(b *testing.B, au media.AccessUnit) {
	if err := p.session.Write(au); err != nil {
		b.Fatal(err)
	}
	// The reader is behind by what has just been written: Next does not wait unless that was held back.
	events, err := p.reader.Next(p.over)
	if err != nil && !errors.Is(err, context.Canceled) {
		b.Fatal(err)
	}
	for _, ev := range events {
		if err := p.packager.Apply(ev); err != nil {
			b.Fatal(err)
		}
	}
}

// units returns the units of a show in the order in which a host sends them.
func units(s *show.Show) func() media.AccessUnit {
	picture, sound := 0, 0
	ms := func(d time.Duration) int64 { return d.Milliseconds() }
	return func() media.AccessUnit {
		if at := s.SoundTime(sound); at < s.PictureTime(picture) {
			sound++
			return media.AccessUnit{Track: 2, DTS: ms(at), PTS: ms(at), RandomAccess: true, Data: s.Sound}
		}
		at, pic := ms(s.PictureTime(picture)), s.Pictures[picture%len(s.Pictures)]
		picture++
		return media.AccessUnit{Track: 1, DTS: at, PTS: at, RandomAccess: pic.Key, Data: pic.Data}
	}
}

// BenchmarkFrame takes a show of 2.5 Mb/s from the session through hub and packager, the window full. An
// operation is one access unit, picture or AAC frame. Nobody watches in "unwatched"; in "watched" the
// playlist of each part is rendered and compressed, as for any number of viewers.
func BenchmarkFrame(b *testing.B) {
	s, err := show.New(show.Config{})
	if err != nil {
		b.Fatal(err)
	}
	for _, watched := range []bool{false, true} {
		name := map[bool]string{false: "unwatched", true: "watched"}[watched]
		b.Run(name, func(b *testing.B) {
			p, next := newPipeline(b, s), units(s)
			for range 60 * 77 { // a minute fills the window
				p.write(b, next())
			}
			win := p.packager.Window()
			var last *packager.Document
			renders, bytes := 0, 0
			b.ReportAllocs()
			for b.Loop() {
				au := next()
				bytes += len(au.Data)
				p.write(b, au)
				if !watched {
					continue
				}
				for _, r := range []string{"v1", "a1"} {
					d, err := win.Playlist(context.Background(), r, -1, -1, packager.SkipSegments)
					if err != nil {
						b.Fatal(err)
					}
					if r == "v1" && d != last {
						last = d
						renders++
					}
					d.Gzip()
				}
			}
			b.SetBytes(int64(bytes / b.N))
			b.ReportMetric(float64(renders)/float64(b.N), "playlists/op")
		})
	}
}

// BenchmarkWake blocks many viewers on the next part's playlist, as origin does it, and writes units until
// that part is there. An operation is one such part. renders/op counts the different texts that the
// viewers got, ns/viewer is the time from the last unit to the last viewer's compressed playlist, shared
// out among them.
func BenchmarkWake(b *testing.B) {
	s, err := show.New(show.Config{})
	if err != nil {
		b.Fatal(err)
	}
	for _, viewers := range []int{1000, 10_000} {
		b.Run(strconv.Itoa(viewers), func(b *testing.B) {
			p, next := newPipeline(b, s), units(s)
			for range 60 * 77 {
				p.write(b, next())
			}
			win := p.packager.Window()
			renders, waking := 0, time.Duration(0)
			for b.Loop() {
				got, begun := p.wakeAll(b, win, viewers, next)
				waking += time.Since(begun)
				renders += len(got)
			}
			b.ReportMetric(float64(renders)/float64(b.N), "renders/op")
			b.ReportMetric(float64(waking)/float64(b.N*viewers), "ns/viewer")
			b.ReportMetric(float64(waking)/float64(b.N)/1e6, "ms/wake")
		})
	}
}

// wakeAll returns the different compressed texts that viewers got, by their first byte's address, and when
// the unit was written that woke them.
func (p *pipeline) wakeAll(b *testing.B, win *packager.Window, viewers int, next func() media.AccessUnit) (map[*byte]bool, time.Time) {
	doc, err := win.Playlist(b.Context(), "v1", -1, -1, packager.SkipNone)
	if err != nil {
		b.Fatal(err)
	}
	at, err := parsePlaylist(doc.Text())
	if err != nil {
		b.Fatal(err)
	}
	var waiting, done sync.WaitGroup
	texts := make([]*byte, viewers)
	for i := range viewers {
		waiting.Add(1)
		done.Go(func() {
			ctx := &waiter{Context: b.Context(), waiting: &waiting}
			d, err := win.Playlist(ctx, "v1", at.msn, at.part, packager.SkipNone)
			if err != nil {
				b.Error(err)
				return
			}
			texts[i] = &d.Gzip()[0]
		})
	}
	waiting.Wait()
	for {
		au := next()
		begun := time.Now()
		p.write(b, au)
		d, err := win.Playlist(b.Context(), "v1", -1, -1, packager.SkipNone)
		if err != nil {
			b.Fatal(err)
		}
		if d == doc {
			continue
		}
		doc = d
		if now, err := parsePlaylist(doc.Text()); err != nil || now.part == 0 {
			continue // a segment has been closed, that was all
		}
		done.Wait()
		got := map[*byte]bool{}
		for _, t := range texts {
			got[t] = true
		}
		return got, begun
	}
}

// waiter is a context that tells when somebody begins to wait for it.
type waiter struct {
	context.Context
	waiting *sync.WaitGroup
	once    sync.Once
}

func (w *waiter) Done() <-chan struct{} {
	w.once.Do(w.waiting.Done)
	return w.Context.Done()
}
