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
	epoch  int // of the show, that is being read

	mu       sync.Mutex // guards what follows
	state    State
	why      string
	current  *run
	shown    *task
	failures int
	left     time.Time // when the voice of a mix that goes on has left; zero while it is there
}

// do does a task until ctx is done or the show is over.
func (j *job) do(ctx context.Context, k *task) {
	defer j.set(Idle, "")
	why := j.sh.st.have.Problem
	switch {
	case len(k.outputs) == 0:
		j.without(ctx, k, "there is no sound of the host's to mix it with")
	case why != "":
		j.sh.s.Remark(j.role+" off", j.hopeless(k, why))
		j.without(ctx, k, why)
	default:
		again(ctx, func() error { return j.attempt(ctx, k) }, func(f *ffmpeg.Failure) { j.failed(ctx, k, f) })
	}
}

// again does something until ctx is done or the show is over: once more in another epoch, and when it has failed, after what
// failed does.
func again(ctx context.Context, once func() error, failed func(*ffmpeg.Failure)) {
	for ctx.Err() == nil {
		err := once()
		var f *ffmpeg.Failure
		switch {
		case errors.Is(err, errAgain):
		case errors.As(err, &f):
			failed(f)
		default:
			return
		}
	}
}

// attempt does the task with ffmpeg, when a process may be started.
func (j *job) attempt(ctx context.Context, k *task) error {
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
	why := fmt.Sprintf("it %s; %s", f.Why, then)
	if rest != plainPause {
		j.rest(ctx, rest, why)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, rest)
	defer cancel()
	j.without(ctx, k, why)
}

// rest waits for some time, or until ctx is done.
func (j *job) rest(ctx context.Context, d time.Duration, why string) {
	j.set(Resting, why)
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	<-ctx.Done()
}

// without does what can be done without ffmpeg, until ctx is done or the show is over: it offers a voice as it is.
func (j *job) without(ctx context.Context, k *task, why string) {
	if k.plain == nil {
		j.set(Off, why)
		<-ctx.Done()
		return
	}
	again(ctx, func() error {
		j.set(Plain, why)
		return j.follow(ctx, k, func(int, media.AccessUnit, context.CancelCauseFunc) (maker, error) { return newCopier(j, k) })
	}, func(f *ffmpeg.Failure) {
		why := fmt.Sprintf("%s; it is tried again in %v", f.Why, lastPause)
		j.sh.s.Remark(j.role+" alone", fmt.Sprintf("The voice in %s %s.", k.plain.Language, why))
		j.rest(ctx, lastPause, "it "+why)
	})
}

// late tells the operator that most of a mix's voice is left out.
func (j *job) late(k *task, behind time.Duration) {
	j.sh.s.Remark(j.role+" late", fmt.Sprintf("The voice in %s is up to %.1f s behind the host's sound, and the mix waits %.1f s for it: most of it is not heard. Give it a larger offset (interpreters.offset, or offset in its address), or a better line.",
		k.inputs[1].Language, behind.Seconds(), patience.Seconds()))
}

// place is the job's among the contributors of the show, in the epoch that is being read.
func (j *job) place() contribute.Place {
	return contribute.Place{Hub: j.sh.st.hub, Show: j.sh.s, Role: j.role, Epoch: j.epoch, Agent: "ffmpeg " + j.sh.st.have.Version}
}
