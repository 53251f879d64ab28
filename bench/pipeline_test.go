package main

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"pushcart/bench/show"
	"pushcart/ingest"
	"pushcart/media"
	"pushcart/packager"
	"pushcart/stream"
)

// anyone lets everyone publish under the key as it is.
type anyone struct{}

func (anyone) Publish(key string, _ netip.Addr) (string, error) { return key, nil }

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
		p.packager = packager.New(packager.Config{}, packager.Show{Epoch: st.Epoch(), Start: st.Start()}, nil)
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
