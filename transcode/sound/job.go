package sound

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"pushcart/media"
	"pushcart/stream"
)

// What follow returns, besides a *failure and the end of its context.
var (
	errAgain = errors.New("another epoch")  // or a reader that has lost its place
	errOver  = errors.New("it is all over") // the show, or the server
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
	// longestHole is what ffmpeg is told to fill with silence; behind a longer one, it begins anew.
	longestHole = 10 * time.Second
)

// job is what does the tasks of one role in one show, through all epochs.
type job struct {
	sh   *show
	role string
	log  *slog.Logger
	row  int // failures in a row

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
		var f *failure
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
func (j *job) failed(ctx context.Context, k *task, f *failure) {
	if f.stood >= steady {
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
	j.log.Warn("sound failed", slog.String("why", "it "+f.why), slog.String("then", then), slog.String("ffmpeg", f.words))
	j.sh.s.Remark(j.role+" failed", fmt.Sprintf("%s %s; %s.", k.what(), f.why, then))
	if rest != plainPause {
		j.set(Resting, fmt.Sprintf("it %s; %s", f.why, then))
		wait(ctx, rest)
		return
	}
	j.without(ctx, k, fmt.Sprintf("it %s; %s", f.why, then), rest)
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

// begin makes a maker for a task whose first unit is one of input i.
type begin func(i int, au media.AccessUnit, fail context.CancelCauseFunc) (maker, error)

// follow reads the show from its newest keyframe on, and hands the units of the task's inputs to a maker, until
// something has to change.
func (j *job) follow(ctx context.Context, k *task, begin begin) (why error) {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	reader := j.sh.s.NewReader()
	defer reader.Close()
	f := &following{task: k, begin: begin, fail: fail, ends: make([]time.Duration, len(k.inputs))}
	defer func() {
		if f.cur != nil {
			j.stopped()
			f.cur.stop(why)
		}
	}()
	for {
		events, err := reader.Next(ctx)
		switch {
		case errors.Is(err, stream.ErrLagged):
			return errAgain
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			return errOver
		}
		for _, ev := range f.fresh(events) {
			if err := f.event(ev); err != nil {
				return err
			}
		}
	}
}

// following is a task on its way through a show.
type following struct {
	task  *task
	begin begin
	fail  context.CancelCauseFunc
	there bool            // the show has the task's inputs
	ends  []time.Duration // when the newest unit of each input is heard
	cur   maker
}

// fresh leaves out of a batch what was said before the tracks last changed, as long as nothing is made of it: a reader begins
// with the newest keyframe, and who began a process with that would end it at each change that came since, and begin anew
// until the next keyframe.
func (f *following) fresh(batch []stream.Event) []stream.Event {
	if f.cur != nil {
		return batch
	}
	last := 0
	for i, ev := range batch {
		if ev.Kind != stream.EventUnit {
			last = i
		}
	}
	var fresh []stream.Event
	for i, ev := range batch {
		if i >= last || ev.Kind != stream.EventUnit {
			fresh = append(fresh, ev)
		}
	}
	return fresh
}

// event takes what has happened. An error is why the maker, if there is one, has to end.
func (f *following) event(ev stream.Event) error {
	switch ev.Kind {
	case stream.EventEnded:
		return errOver
	case stream.EventInterrupted:
		f.there = false
	case stream.EventTracks:
		if f.cur != nil {
			return errAgain
		}
		f.there = f.task.hasAll(ev.Tracks)
	case stream.EventLeft:
		if slices.ContainsFunc(ev.Tracks, f.task.needs) {
			f.there = false
		}
	case stream.EventJoined:
		if slices.ContainsFunc(ev.Tracks, f.task.needs) {
			f.there = f.task.hasAll(append(slices.Clone(f.task.inputs), ev.Tracks...))
		}
	case stream.EventUnit:
		return f.unit(ev.Unit)
	}
	if !f.there && f.cur != nil {
		return errAgain
	}
	return nil
}

func (f *following) unit(au media.AccessUnit) error {
	i := slices.IndexFunc(f.task.inputs, func(t media.Track) bool { return t.ID == au.Track })
	if i < 0 || !f.there {
		return nil
	}
	if f.cur == nil {
		if f.task.duck > 0 && i != 0 {
			return nil // a mix begins with the show's own sound
		}
		cur, err := f.begin(i, au, f.fail)
		if err != nil {
			return err
		}
		f.cur = cur
	}
	at := media.Duration(au.DTS, f.task.inputs[i].Timescale)
	if f.ends[i] > 0 && at-f.ends[i] > longestHole && f.task.duck == 0 {
		return errAgain
	}
	f.ends[i] = at
	f.cur.push(i, au)
	return nil
}

// needs reports whether t is one of the inputs, in whatever form.
func (k *task) needs(t media.Track) bool {
	return slices.ContainsFunc(k.inputs, func(in media.Track) bool { return in.ID == t.ID })
}

// hasAll reports whether the tracks, of which the last of an ID counts, include all inputs as they are.
func (k *task) hasAll(tracks []media.Track) bool {
	for _, in := range k.inputs {
		same := false
		for _, t := range tracks {
			if t.ID == in.ID {
				same = t.SameConfig(in) && t.Internal == in.Internal
			}
		}
		if !same {
			return false
		}
	}
	return true
}

// join makes the job a contributor of the show.
func (j *job) join(tracks []media.Track) (*stream.Publisher, error) {
	return j.sh.st.join(j.sh.s, j.role, tracks)
}
