package transcode

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"slices"
	"sync"
	"time"

	"pushcart/media"
	"pushcart/stream"
	"pushcart/transcode/ffmpeg"
)

// What follow returns, besides a *ffmpeg.Failure and errRestore.
var (
	errAgain    = errors.New("another epoch")  // or a reader that has lost its place
	errNeedSlot = errors.New("no slot")        // the show would have a ladder, if it may
	errOver     = errors.New("it is all over") // the show, or the server
)

// show is the ladder of one show, through all its epochs.
type show struct {
	t      *Transcoder
	s      *stream.Stream
	log    *slog.Logger
	rungs  []Rung
	policy policy
	slot   bool // the show is one of those that may be transcoded

	mu       sync.Mutex // guards what follows
	state    State
	why      string
	targets  []target // of the present source, the dropped ones too
	dropped  int
	current  *run
	failures int
}

func newShow(t *Transcoder, s *stream.Stream, rungs []Rung) *show {
	return &show{t: t, s: s, rungs: rungs, log: t.log.With(slog.String("stream", s.Name()))}
}

// run gives the show its ladder until it is over or ctx is done.
func (sh *show) run(ctx context.Context) {
	select {
	case <-sh.t.probed:
	case <-sh.s.Done():
		return
	case <-ctx.Done():
		return
	}
	var why string
	if sh.rungs, why = sh.t.usable(sh.rungs); why != "" {
		sh.s.Remark("ladder off", "There is no ladder: "+why+".")
		sh.set(Off, why)
		sh.rest(ctx, -1)
		return
	}
	defer sh.release()
	for {
		err := sh.follow(ctx)
		var f *ffmpeg.Failure
		switch {
		case errors.Is(err, errAgain):
		case errors.Is(err, errNeedSlot):
			if !sh.waitForSlot(ctx) {
				return
			}
		case errors.Is(err, errRestore):
			sh.policy.restored()
			sh.log.Info("the ladder tries a rung again that it had dropped")
		case errors.As(err, &f):
			if !sh.failed(ctx, f) {
				return
			}
		default:
			return
		}
	}
}

// follow reads the show from its newest keyframe on, and has it transcoded, until something has to change.
func (sh *show) follow(ctx context.Context) (why error) {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	reader := sh.s.NewReader()
	defer reader.Close()
	var src source
	var due []stream.Due
	var cur *run
	defer func() {
		if cur != nil {
			sh.stopped()
			cur.Stop(why)
		}
	}()
	for {
		events, err := reader.Await(ctx, due)
		switch {
		case errors.Is(err, stream.ErrLagged):
			return errAgain
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			return errOver
		}
		for _, ev := range events {
			switch {
			case ev.Kind == stream.EventEnded:
				return errOver
			case cur != nil && (ev.Kind == stream.EventTracks || ev.Kind == stream.EventInterrupted):
				return errAgain
			case ev.Kind == stream.EventInterrupted:
				src = source{}
				sh.set(Idle, "the host is away")
			case ev.Kind == stream.EventJoined || ev.Kind == stream.EventLeft:
				if src.track.ID != 0 && !maps.Equal(src.sent, sh.sent(src.track.ID)) {
					return errAgain
				}
				due = passOver(due, ev.Tracks, src.track.ID)
			case ev.Kind == stream.EventTracks:
				src = sh.source(ev.Tracks)
				due = passOver(due[:0], ev.Tracks, src.track.ID)
				if len(src.targets) == 0 {
					sh.release()
				} else if !sh.slot {
					return errNeedSlot
				}
			case ev.Kind != stream.EventUnit || len(src.targets) == 0 || ev.Unit.Track != src.track.ID:
			default:
				if cur == nil {
					if cur, err = newRun(sh, src, fail); err != nil {
						return err
					}
					sh.started(cur)
				}
				cur.push(ev.Unit)
			}
		}
	}
}

// passOver adds tracks to those that nobody need wake up for: all but the source.
func passOver(due []stream.Due, tracks []media.Track, source int) []stream.Due {
	for _, t := range tracks {
		if t.ID != source && !slices.ContainsFunc(due, func(d stream.Due) bool { return d.Track == t.ID }) {
			due = append(due, stream.Due{Track: t.ID, From: math.MaxInt64, Step: math.MaxInt64})
		}
	}
	return due
}

// waitForSlot waits until the show may be transcoded. It returns false if it is over before.
func (sh *show) waitForSlot(ctx context.Context) bool {
	select {
	case sh.t.slots <- struct{}{}:
		sh.slot = true
		return true
	default:
	}
	why := fmt.Sprintf("%d shows are being transcoded, which is as many as may be (ladder.max_shows)", cap(sh.t.slots))
	sh.s.Remark("ladder waits", "The ladder waits: "+why+".")
	sh.set(Waiting, why)
	select {
	case sh.t.slots <- struct{}{}:
		sh.slot = true
		return true
	case <-sh.s.Done():
	case <-ctx.Done():
	}
	return false
}

// release lets another show be transcoded.
func (sh *show) release() {
	if sh.slot {
		sh.slot = false
		<-sh.t.slots
	}
}

// failed rests after a failure. It returns false if the show is over before.
func (sh *show) failed(ctx context.Context, f *ffmpeg.Failure) bool {
	sh.mu.Lock()
	rungs := len(sh.targets)
	sh.failures++
	sh.mu.Unlock()
	rest, drop := sh.policy.failed(rungs, f.Stood)
	then := fmt.Sprintf("it is tried again in %v", rest)
	if drop {
		then = fmt.Sprintf("it goes on without its %s", sh.top())
	}
	sh.log.Warn("ladder failed", slog.String("why", "it "+f.Why), slog.String("then", then), slog.String("ffmpeg", f.Words))
	sh.s.Remark("ladder failed", fmt.Sprintf("The ladder %s; %s.", f.Why, then))
	sh.set(Resting, fmt.Sprintf("the ladder %s; %s", f.Why, then))
	if rest == hopelessPause {
		sh.release() // others may wait for it
	}
	return sh.rest(ctx, rest)
}

// top names the rung that has just been dropped.
func (sh *show) top() string {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if i := len(sh.targets) - sh.policy.dropped; i >= 0 && i < len(sh.targets) {
		return sh.targets[i].Label()
	}
	return "top rung"
}

// rest waits for some time; for ever if d is negative. It returns false if the show is over before.
func (sh *show) rest(ctx context.Context, d time.Duration) bool {
	var over <-chan time.Time
	if d >= 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		over = timer.C
	}
	select {
	case <-over:
		return true
	case <-sh.s.Done():
	case <-ctx.Done():
	}
	return false
}
