// Package transcode makes the smaller rungs of the ladder: it reads a show like a packager does, has one ffmpeg
// process decode it and encode it again, and writes what comes back into the same show, as a contributor.
//
// The host's own rendition does not know of all this. It is published without waiting for the ladder, and goes
// on when ffmpeg dies, hangs or is too slow; rungs join when they are ready and leave when they are not.
//
// The story: source.go and plan.go say which rungs a show gets, command.go and encoder.go what ffmpeg is told, package
// ffmpeg runs the process with a queue in front of it, collect.go takes what it makes, watchdog.go judges it, run.go
// joins all that, follow.go reads the show for it through its epochs, show.go says what a show does about the end of a run,
// policy.go how patiently. Packets travel in NUT (package nut), which changes no time; units.go makes them the house's
// access units. Package contribute has the rungs stand beside the show.
//
// To add an encoder, describe it in encoder.go.
package transcode

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"pushcart/stream"
	"pushcart/transcode/contribute"
	"pushcart/transcode/ffmpeg"
)

// Transcoder gives shows their ladders. Its methods are safe for concurrent use.
type Transcoder struct {
	cfg  Config
	hub  contribute.Hub
	log  *slog.Logger
	stop context.Context // done: all shows' ladders end

	cancel context.CancelFunc
	shows  sync.WaitGroup
	slots  chan struct{} // one for each show that is transcoded
	probed chan struct{} // closed when what follows is known
	have   ffmpeg.Abilities

	mu     sync.Mutex // guards what follows
	byName map[string]*show
}

// New returns a transcoder. cfg must be valid. Until Run has looked at ffmpeg, ladders wait.
func New(cfg Config, hub contribute.Hub, log *slog.Logger) *Transcoder {
	t := &Transcoder{cfg: cfg.WithDefaults(), hub: hub, log: log, probed: make(chan struct{}), byName: make(map[string]*show)}
	t.slots = make(chan struct{}, t.cfg.MaxShows)
	t.stop, t.cancel = context.WithCancel(context.Background())
	return t
}

// Run finds out what ffmpeg can do, says in the log what it can not, and returns when ctx is done and
// every ffmpeg process has ended. A ffmpeg that is missing is no error: shows go out as they come.
func (t *Transcoder) Run(ctx context.Context) error {
	if len(t.cfg.Shows) > 0 {
		t.have = ffmpeg.Probe(ctx, t.cfg.FFmpeg)
		t.report()
	}
	close(t.probed)
	<-ctx.Done()
	t.mu.Lock()
	t.cancel() // no ladder begins from here on
	t.mu.Unlock()
	t.shows.Wait()
	return nil
}

// report says in the log what the ladders will be without.
func (t *Transcoder) report() {
	if why := t.have.Problem; why != "" {
		t.log.Error("no ladder: "+why, slog.String("ffmpeg", t.cfg.FFmpeg))
		return
	}
	missing := make(map[string]bool)
	for _, l := range t.cfg.Shows {
		for _, r := range l.Rungs {
			if !t.have.Encoders[r.Encoder] && !missing[r.Encoder] {
				missing[r.Encoder] = true
				t.log.Error(fmt.Sprintf("ffmpeg has no encoder %q: rungs that want it are left out (ffmpeg -encoders lists those it has)", r.Encoder),
					slog.String("ffmpeg", t.cfg.FFmpeg))
			}
		}
	}
}

// Show gives a show its ladder, if the configuration has one for its name. The hub calls it with each new
// show; it does not block.
func (t *Transcoder) Show(s *stream.Stream) {
	rungs := t.cfg.ladderOf(s.Name())
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(rungs) == 0 || t.stop.Err() != nil {
		return
	}
	sh := newShow(t, s, rungs)
	t.byName[s.Name()] = sh
	t.shows.Go(func() {
		sh.run(t.stop)
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.byName[s.Name()] == sh {
			delete(t.byName, s.Name())
		}
	})
}

// Status returns how the ladder of the show called name is doing, false if it has none.
func (t *Transcoder) Status(name string) (Status, bool) {
	t.mu.Lock()
	sh := t.byName[name]
	t.mu.Unlock()
	if sh == nil {
		return Status{}, false
	}
	return sh.status(), true
}

// usable returns the rungs whose encoders ffmpeg has, and what is wrong if there are none.
func (t *Transcoder) usable(rungs []Rung) ([]Rung, string) {
	if t.have.Problem != "" {
		return nil, t.have.Problem
	}
	var usable []Rung
	var missing []string
	for _, r := range rungs {
		if t.have.Encoders[r.Encoder] {
			usable = append(usable, r)
		} else {
			missing = append(missing, r.Encoder)
		}
	}
	if len(usable) == 0 {
		return nil, "ffmpeg has no encoder " + strings.Join(missing, ", ")
	}
	return usable, ""
}
