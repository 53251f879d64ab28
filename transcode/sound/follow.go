package sound

import (
	"context"
	"errors"
	"slices"
	"time"

	"pushcart/media"
	"pushcart/stream"
)

// What follow returns, besides a *ffmpeg.Failure and the end of its context.
var (
	errAgain = errors.New("another epoch")  // or a reader that has lost its place
	errOver  = errors.New("it is all over") // the show, or the server
)

// longestHole is what ffmpeg is told to fill with silence; behind a longer one, it begins anew.
const longestHole = 10 * time.Second

// begin makes a maker for a task whose first unit is one of input i.
type begin func(i int, au media.AccessUnit, fail context.CancelCauseFunc) (maker, error)

// follow reads the show from its newest keyframe on, and hands the units of the task's inputs to a maker, until
// something has to change.
func (j *job) follow(ctx context.Context, k *task, begin begin) (why error) {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	reader := j.sh.s.NewReader()
	defer reader.Close()
	f := &following{task: k, begin: begin, fail: fail, behind: j.behind, ends: make([]time.Duration, len(k.inputs))}
	defer func() {
		j.behind = f.behind
		if f.cur != nil {
			j.stopped()
			f.cur.Stop(why)
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
			if ev.Kind == stream.EventTracks {
				j.epoch = ev.Epoch
			}
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
	// behind is the end of the last hole that was too long. What is before it is over: a reader that begins anew with a
	// keyframe before the hole would come to the hole again, and again until the next keyframe.
	behind time.Duration
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
		f.there = hasAll(ev.Tracks, f.task.inputs)
	case stream.EventLeft:
		if slices.ContainsFunc(ev.Tracks, f.task.needs) {
			f.there = f.cur != nil && f.cur.away(true)
		}
	case stream.EventJoined:
		if slices.ContainsFunc(ev.Tracks, f.task.needs) {
			f.there = hasAll(append(slices.Clone(f.task.inputs), ev.Tracks...), f.task.inputs)
			if f.cur != nil && f.there {
				f.cur.away(false)
			}
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
	at := media.Duration(au.DTS, f.task.inputs[i].Timescale)
	if at < f.behind {
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
	if f.ends[i] > 0 && at-f.ends[i] > longestHole && f.task.duck == 0 {
		f.behind = at
		return errAgain
	}
	f.ends[i] = at
	f.cur.push(i, au)
	return nil
}
