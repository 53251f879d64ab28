package sound

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"pushcart/media"
	"pushcart/stream"
	"pushcart/transcode/ffmpeg"
	"pushcart/transcode/nut"
)

// maker does a task. push hands it a unit of an input, and does not wait; stop takes what it makes out of the show and
// returns when nothing of it is left.
type maker interface {
	push(input int, au media.AccessUnit)
	stop(why error)
}

// failure is why a process has ended although the show goes on.
type failure struct {
	why   string        // the rest of a sentence that begins with what is made
	words string        // the last that ffmpeg has said
	stood time.Duration // how long its sound was in the show
}

// Error returns the end of the sentence.
func (f *failure) Error() string { return f.why }

// run is one ffmpeg process's life.
type run struct {
	task  *task
	child *ffmpeg.Process
	queue *queue
	col   *collector
	voice *voice // of a mix; nil otherwise
	fail  context.CancelCauseFunc
	work  sync.WaitGroup
	done  chan struct{} // closed when stop is called
}

var _ maker = (*run)(nil)

// newRun starts ffmpeg for a task, whose first unit is one of input i at the time dts. fail is called with a *failure
// when it has to end, from another goroutine; it is the caller who calls stop, then or at any other time.
func newRun(j *job, k *task, i int, dts int64, fail context.CancelCauseFunc) (*run, error) {
	opt := j.sh.st.opt
	starts := k.starts(i, dts)
	c, err := ffmpeg.Start(opt.FFmpeg, k.arguments(starts), len(k.outputs), opt.Nice)
	if err != nil {
		return nil, &failure{why: fmt.Sprintf("can't start ffmpeg: %v", err)}
	}
	first := media.Duration(dts, k.inputs[i].Timescale)
	r := &run{task: k, child: c, queue: newQueue(), fail: fail, done: make(chan struct{})}
	r.col = newCollector(k.outputs, starts, first, j.join)
	if k.duck > 0 {
		v := newVoice(k.inputs[1])
		r.voice = &v
	}
	r.work.Go(r.write)
	for n := range k.outputs {
		r.work.Go(func() { r.read(n) })
	}
	r.work.Go(r.watch)
	return r, nil
}

// push implements maker.
func (r *run) push(input int, au media.AccessUnit) {
	at := media.Duration(au.DTS, r.task.inputs[input].Timescale)
	switch {
	case r.voice == nil:
	case input == 1:
		if !r.voice.take(au) {
			return
		}
		r.put(input, au)
		return
	default:
		r.voice.follow(at, func(silence media.AccessUnit) { r.put(1, silence) })
	}
	r.col.source(at)
	r.put(input, au)
}

func (r *run) put(input int, au media.AccessUnit) {
	r.queue.push(piece{input, media.Duration(au.DTS, r.task.inputs[input].Timescale), au})
}

// stop implements maker.
func (r *run) stop(why error) {
	close(r.done)
	r.col.leave(why)
	r.queue.close()
	r.child.Stop()
	r.work.Wait()
}

// give ends the run with a failure.
func (r *run) give(why string) {
	f := &failure{why: why, words: r.child.Words()}
	if joined := r.col.vitals().joined; !joined.IsZero() {
		f.stood = time.Since(joined)
	}
	r.fail(f)
}

// write feeds ffmpeg. It ends when there is no more, or nobody to take it: why, the watch finds out.
func (r *run) write() {
	w, err := nut.NewWriter(r.child.In, r.task.streams())
	for err == nil {
		p, ok := r.queue.take()
		if !ok {
			return
		}
		err = w.WriteFrame(nut.Frame{Stream: p.input, PTS: p.unit.PTS, Key: true, Data: p.unit.Data})
	}
}

// read takes what ffmpeg makes of one output.
func (r *run) read(n int) {
	err := r.readOutput(n)
	if errors.Is(err, stream.ErrClosed) {
		return // the show is over: the job finds out
	}
	if !errors.Is(err, io.EOF) && !errors.Is(err, os.ErrClosed) {
		r.give(fmt.Sprintf("has had to stop ffmpeg: %v", err))
		return
	}
	// The end of the file is that of the process, whose last words say more.
	select {
	case <-r.child.Done:
	case <-r.done:
	case <-time.After(quiet):
		r.give("has lost its sound: ffmpeg has closed the pipe")
	}
}

func (r *run) readOutput(n int) error {
	in, err := nut.NewReader(r.child.Outs[n])
	if err != nil {
		return err
	}
	if err := r.col.begin(n, in.Streams()[0]); err != nil {
		return err
	}
	for {
		f, err := in.Read()
		if err != nil {
			return err
		}
		if err := r.col.put(n, f); err != nil {
			return err
		}
	}
}

// watch looks after the process until it has ended or the run has.
func (r *run) watch() {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	dog := watchdog{started: time.Now()}
	settled := false
	for {
		select {
		case <-r.done:
			return
		case <-r.child.Done:
			r.give("has lost ffmpeg: " + r.child.End())
			return
		case <-tick.C:
		}
		v := r.col.vitals()
		v.overflows = r.queue.overflows()
		if !v.joined.IsZero() && !settled {
			settled = true
			r.queue.settle()
		}
		if why := dog.check(time.Now(), v); why != "" {
			r.give(why)
			return
		}
	}
}
