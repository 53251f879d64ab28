package transcode

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"pushcart/stream"
	"pushcart/transcode/ffmpeg"
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
		case errors.Is(err, errAway):
			sh.release()
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
