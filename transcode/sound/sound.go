// Package sound makes sound of sound: AAC of what HLS can't carry (the G.711 of cameras), the show's own sound in the
// qualities that rungs of the ladder ask for, and the mix of an interpreter's voice with the show's own sound under it.
//
// It has ffmpeg processes of its own, beside the ladder's (docs/adr/0018-sound-has-an-ffmpeg-of-its-own.md): one for
// each show that needs any of it, and one for each voice that is mixed. What they make joins the show as a contributor,
// with exact times: each unit follows the one before it, and a sound is where it was in the source.
//
// The story: plan.go says what a show needs, command.go what ffmpeg is told, voice.go keeps an interpreter beside the host
// in front of it, collect.go takes what comes back, watchdog.go judges it, run.go joins all that to a process (package
// ffmpeg), copy.go does without one. follow.go reads the show for either, through its epochs; job.go is a task's life
// through failures; show.go starts and ends jobs as tracks come and go.
package sound

import (
	"context"
	"log/slog"
	"sync"

	"pushcart/stream"
	"pushcart/transcode/contribute"
	"pushcart/transcode/ffmpeg"
)

// Options say what is wanted. The zero value wants nothing.
type Options struct {
	// FFmpeg is the program, by name or path, and Nice how far it stands back behind the server, 1 to 19.
	FFmpeg string
	Nice   int
	// Convert makes AAC of sound that HLS can't carry.
	Convert bool
	// Ducking is by how many decibels a show's own sound is lowered while an interpreter speaks; zero for no mix.
	Ducking float64
	// Qualities returns those in which the own sound of the show called name is wanted, if ffmpeg has these encoders. It may
	// be nil.
	Qualities func(name string, encoders map[string]bool) []Quality
}

// Quality is one in which sound is offered.
type Quality struct {
	Group   string // of media.Track
	BitRate int    // bits a second
}

// maxProcesses bounds the ffmpeg processes of all shows together. One takes 1 to 4 % of a core.
const maxProcesses = 64

// Studio is where it is made. Its methods are safe for concurrent use.
type Studio struct {
	opt  Options
	hub  contribute.Hub
	log  *slog.Logger
	stop context.Context // done: everything ends

	cancel context.CancelFunc
	work   sync.WaitGroup
	slots  chan struct{} // one for each process
	probed chan struct{} // closed when what follows is known
	have   ffmpeg.Abilities

	mu     sync.Mutex // guards what follows
	byName map[string]*show
}

// New returns a studio. Until Run has looked at ffmpeg, all waits.
func New(opt Options, hub contribute.Hub, log *slog.Logger) *Studio {
	st := &Studio{opt: opt, hub: hub, log: log, probed: make(chan struct{}), byName: make(map[string]*show)}
	st.slots = make(chan struct{}, maxProcesses)
	st.stop, st.cancel = context.WithCancel(context.Background())
	return st
}

// aacEncoder is ffmpeg's own, which every build has unless somebody took it out.
const aacEncoder = "aac"

// Run finds out what ffmpeg can do, says in the log if it is of no use, and returns when ctx is done and every
// process has ended.
func (st *Studio) Run(ctx context.Context) error {
	if st.wanted() {
		st.have = ffmpeg.Probe(ctx, st.opt.FFmpeg)
		if st.have.Problem == "" && !st.have.Encoders[aacEncoder] {
			st.have.Problem = "ffmpeg has no encoder for AAC"
		}
		if why := st.have.Problem; why != "" {
			level, what := slog.LevelInfo, "sound that players can't play (G.711 and the like) can't be made into AAC: "
			if st.opt.Ducking > 0 {
				level, what = slog.LevelError, "no voice is mixed with the show's own sound: "
			}
			st.log.Log(ctx, level, what+why, slog.String("ffmpeg", st.opt.FFmpeg))
		}
	}
	close(st.probed)
	<-ctx.Done()
	st.mu.Lock()
	st.cancel() // nothing begins from here on
	st.mu.Unlock()
	st.work.Wait()
	return nil
}

// wanted reports whether there may ever be something to do.
func (st *Studio) wanted() bool {
	return st.opt.Convert || st.opt.Ducking > 0 || st.opt.Qualities != nil
}

// Show gives a show what it needs. The hub calls it with each new show; it does not block.
func (st *Studio) Show(s *stream.Stream) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if !st.wanted() || st.stop.Err() != nil {
		return
	}
	sh := newShow(st, s)
	st.byName[s.Name()] = sh
	st.work.Go(func() {
		sh.run(st.stop)
		st.mu.Lock()
		defer st.mu.Unlock()
		if st.byName[s.Name()] == sh {
			delete(st.byName, s.Name())
		}
	})
}

// Status returns what is being made for the show called name; nothing if it needs nothing.
func (st *Studio) Status(name string) []Status {
	st.mu.Lock()
	sh := st.byName[name]
	st.mu.Unlock()
	if sh == nil {
		return nil
	}
	return sh.status()
}

// Converts reports whether sound in a codec that HLS can't carry is made into AAC, in the show called name. As long as
// ffmpeg has not answered, it says yes. It does not block.
func (st *Studio) Converts(name string) bool { return st.opt.Convert && st.usable() }

// Mixes reports whether a voice is mixed with the sound of the show called name. As long as ffmpeg has not answered, it
// says yes. A voice that can't be mixed after all is contributed as it is. It does not block.
func (st *Studio) Mixes(name string) bool { return st.opt.Ducking > 0 && st.usable() }

func (st *Studio) usable() bool {
	select {
	case <-st.probed:
		return st.have.Problem == ""
	default:
		return true
	}
}
