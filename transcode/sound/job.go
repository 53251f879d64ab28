package sound

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"pushcart/media"
	"pushcart/transcode/contribute"
	"pushcart/transcode/ffmpeg"
)

const (
	// firstPause is the rest after a failure; each further one in a row doubles it up to lastPause.
	firstPause = time.Second
	lastPause  = 30 * time.Second
	// steady is how long sound has to have been in the show for earlier failures to be forgotten.
	steady = time.Minute
	// patientFailures in a row are borne with in silence. Then a voice is offered as it is, for plainPause: its
	// listeners would rather have it alone than hear it come and go.
	patientFailures = 3
	plainPause      = 5 * time.Minute
)

// job is what does the tasks of one role in one show, through all epochs.
type job struct {
	sh   *show
	role string
	log  *slog.Logger
	row  int // failures in a row
	// behind is following's, from one to the next.
	behind time.Duration

	// Of the task that it does at present; see show.
	task   *task
	cancel context.CancelFunc
	done   chan struct{}

	mu       sync.Mutex // guards what follows
	state    State
	why      string
	current  *run
	shown    *task
	failures int
}

// do does a task until ctx is done or the show is over.
func (j *job) do(ctx context.Context, k *task) {
	defer j.set(Idle, "")
	if why := j.sh.st.have.Problem; why != "" && len(k.outputs) > 0 {
		j.sh.s.Remark(j.role+" off", j.hopeless(k, why))
		j.without(ctx, k, why, 0)
		return
	}
	for ctx.Err() == nil {
		err := j.attempt(ctx, k)
		var f *ffmpeg.Failure
		switch {
		case errors.Is(err, errAgain):
		case errors.As(err, &f):
			j.failed(ctx, k, f)
		default:
			return
		}
	}
}

// attempt does the task with ffmpeg, where it needs that, when a process may be started.
func (j *job) attempt(ctx context.Context, k *task) error {
	if len(k.outputs) == 0 {
		return j.plainly(ctx, k)
	}
	select {
	case j.sh.st.slots <- struct{}{}:
	default:
		why := fmt.Sprintf("the server has %d ffmpeg processes for sound, which is as many as may be", maxProcesses)
		j.sh.s.Remark(j.role+" waits", fmt.Sprintf("%s waits: %s.", k.what(), why))
		j.set(Waiting, why)
		select {
		case j.sh.st.slots <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	defer func() { <-j.sh.st.slots }()
	return j.follow(ctx, k, func(i int, au media.AccessUnit, fail context.CancelCauseFunc) (maker, error) {
		r, err := newRun(j, k, i, au.DTS, fail)
		if err != nil {
			return nil, err
		}
		j.started(r)
		return r, nil
	})
}

// plainly offers the task's voice as it is.
func (j *job) plainly(ctx context.Context, k *task) error {
	return j.follow(ctx, k, func(int, media.AccessUnit, context.CancelCauseFunc) (maker, error) { return newCopier(j, k) })
}

// failed rests after a failure, or goes without ffmpeg for a while.
func (j *job) failed(ctx context.Context, k *task, f *ffmpeg.Failure) {
	if f.Stood >= steady {
		j.row = 0
	}
	j.row++
	j.mu.Lock()
	j.failures++
	j.mu.Unlock()
	rest := min(firstPause<<min(j.row-1, 10), lastPause)
	then := fmt.Sprintf("it is tried again in %v", rest)
	if j.row >= patientFailures && k.plain != nil {
		rest = plainPause
		then = fmt.Sprintf("viewers hear the voice alone, and it is tried again in %v", rest)
	}
	j.log.Warn("sound failed", slog.String("why", "it "+f.Why), slog.String("then", then), slog.String("ffmpeg", f.Words))
	j.sh.s.Remark(j.role+" failed", fmt.Sprintf("%s %s; %s.", k.what(), f.Why, then))
	if rest != plainPause {
		j.set(Resting, fmt.Sprintf("it %s; %s", f.Why, then))
		wait(ctx, rest)
		return
	}
	j.without(ctx, k, fmt.Sprintf("it %s; %s", f.Why, then), rest)
}

// without does what can be done without ffmpeg, for some time, or for ever if that is zero.
func (j *job) without(ctx context.Context, k *task, why string, d time.Duration) {
	if d > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, d)
		defer cancel()
	}
	if k.plain == nil {
		j.set(Off, why)
		<-ctx.Done()
		return
	}
	j.set(Plain, why)
	for ctx.Err() == nil {
		if err := j.plainly(ctx, k); !errors.Is(err, errAgain) {
			return
		}
	}
}

// wait waits for some time, or until ctx is done.
func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// place is the job's among the contributors of the show.
func (j *job) place() contribute.Place {
	return contribute.Place{Hub: j.sh.st.hub, Show: j.sh.s, Role: j.role, Agent: "ffmpeg " + j.sh.st.have.Version}
}
