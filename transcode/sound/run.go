package sound

import (
	"context"
	"time"

	"pushcart/media"
	"pushcart/transcode/ffmpeg"
)

// maker does a task.
type maker interface {
	// push hands it a unit of an input, and does not wait.
	push(input int, au media.AccessUnit)
	// away says that the voice has left, or is there again. It returns false if there is nothing to be made without it.
	away(yes bool) bool
	// Stop takes what it makes out of the show and returns when nothing of it is left.
	Stop(why error)
}

// queueBounds are those in front of ffmpeg.
var queueBounds = ffmpeg.Bounds{Bytes: 8 << 20, Time: 4 * time.Second}

// run does a task with ffmpeg, as long as its process lives.
type run struct {
	*ffmpeg.Run
	task  *task
	col   *collector
	voice *voice              // of a mix; nil otherwise
	late  func(time.Duration) // told that most of the voice comes too late
}

var _ maker = (*run)(nil)

// newRun starts ffmpeg for a task, whose first unit is one of input i at the time dts. fail is called with a
// *ffmpeg.Failure when it has to end, from another goroutine; it is the caller who calls Stop, then or at any other time.
func newRun(j *job, k *task, i int, dts int64, fail context.CancelCauseFunc) (*run, error) {
	opt, starts := j.sh.st.opt, k.starts(i, dts)
	r := &run{task: k, late: func(behind time.Duration) { j.late(k, behind) }}
	r.col = newCollector(k.outputs, starts, media.Duration(dts, k.inputs[i].Timescale), j.place().Join)
	if k.duck > 0 {
		v := newVoice(k.inputs[1])
		r.voice = &v
	}
	dog := watchdog{started: time.Now()}
	process, err := ffmpeg.Begin(ffmpeg.Order{
		Program: opt.FFmpeg, Args: k.arguments(starts), Nice: opt.Nice,
		Ins: k.streams(), Outs: len(k.outputs),
		Queue: queueBounds, Collector: r.col, Judge: dog.check,
	}, fail)
	if err != nil {
		return nil, err
	}
	r.Run = process
	return r, nil
}

// push implements maker.
func (r *run) push(input int, au media.AccessUnit) {
	at := media.Duration(au.DTS, r.task.inputs[input].Timescale)
	switch {
	case r.voice == nil:
	case input == 1:
		if r.voice.take(au) {
			r.put(input, au)
		}
		if behind := r.voice.tooLate(); behind > 0 {
			r.late(behind)
		}
		return
	default:
		r.voice.follow(at, func(silence media.AccessUnit) { r.put(1, silence) })
	}
	r.col.source(at)
	r.put(input, au)
}

// away implements maker: a mix goes on with the show's own sound.
func (r *run) away(yes bool) bool {
	if r.voice == nil || !r.voice.fills() {
		return false
	}
	r.col.away(yes)
	return true
}

func (r *run) put(input int, au media.AccessUnit) {
	r.Push(ffmpeg.Piece{In: input, At: media.Duration(au.DTS, r.task.inputs[input].Timescale), Unit: au})
}
