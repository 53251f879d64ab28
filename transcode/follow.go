package transcode

import (
	"context"
	"errors"
	"maps"
	"math"
	"slices"
	"time"

	"pushcart/media"
	"pushcart/stream"
)

// What follow returns, besides a *ffmpeg.Failure and errRestore.
var (
	errAgain    = errors.New("another epoch") // or a reader that has lost its place
	errNeedSlot = errors.New("no slot")       // the show would have a ladder, if it may
	errAway     = errors.New("the host stays away")
	errOver     = errors.New("it is all over") // the show, or the server
)

// keepSlot is how long a show whose host is away remains one of those that may be transcoded: encoders that reconnect by
// themselves are back by then.
const keepSlot = 10 * time.Second

// follow reads the show from its newest keyframe on, and has it transcoded, until something has to change.
func (sh *show) follow(ctx context.Context) (why error) {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	reader := sh.s.NewReader()
	defer reader.Close()
	f := &following{show: sh, fail: fail}
	defer func() { f.stop(why) }()
	for {
		events, err := reader.Await(ctx, f.due)
		switch {
		case errors.Is(err, stream.ErrLagged):
			return errAgain
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			return errOver
		}
		for _, ev := range events {
			if err := f.event(ev); err != nil {
				return err
			}
		}
	}
}

// following is a show on its way through an epoch.
type following struct {
	show  *show
	fail  context.CancelCauseFunc
	src   source
	due   []stream.Due
	cur   *run        // nil until there is a picture
	lapse *time.Timer // ends the show's right to be transcoded; nil: there is none that would have to end
}

// event takes what has happened. An error is why the run, if there is one, has to end.
func (f *following) event(ev stream.Event) error {
	switch ev.Kind {
	case stream.EventEnded:
		return errOver
	case stream.EventInterrupted:
		return f.interrupted()
	case stream.EventTracks:
		return f.tracks(ev)
	case stream.EventJoined, stream.EventLeft:
		if f.src.track.ID != 0 && !maps.Equal(f.src.sent, f.show.sent(f.src.track.ID)) {
			return errAgain
		}
		f.passOver(ev.Tracks)
	case stream.EventUnit:
		return f.unit(ev.Unit)
	}
	return nil
}

// interrupted takes that the host has gone.
func (f *following) interrupted() error {
	if f.cur != nil {
		return errAgain
	}
	f.src = source{}
	f.show.set(Idle, "the host is away")
	if f.show.slot && f.lapse == nil {
		f.lapse = time.AfterFunc(keepSlot, func() { f.fail(errAway) })
	}
	return nil
}

// tracks takes what an epoch begins with.
func (f *following) tracks(ev stream.Event) error {
	if f.cur != nil {
		return errAgain
	}
	if f.lapse != nil {
		f.lapse.Stop()
		f.lapse = nil
	}
	f.src = f.show.source(ev.Tracks, ev.Epoch)
	f.due = f.due[:0]
	f.passOver(ev.Tracks)
	if len(f.src.targets) == 0 {
		f.show.release()
	} else if !f.show.slot {
		return errNeedSlot
	}
	return nil
}

// unit hands a picture of the source to ffmpeg, which it starts with the first.
func (f *following) unit(au media.AccessUnit) error {
	if len(f.src.targets) == 0 || au.Track != f.src.track.ID {
		return nil
	}
	if f.cur == nil {
		cur, err := newRun(f.show, f.src, f.fail)
		if err != nil {
			return err
		}
		f.cur = cur
		f.show.started(cur)
	}
	f.cur.push(au)
	return nil
}

// passOver adds tracks to those that nobody need wake up for: all but the source.
func (f *following) passOver(tracks []media.Track) {
	for _, t := range tracks {
		if t.ID != f.src.track.ID && !slices.ContainsFunc(f.due, func(d stream.Due) bool { return d.Track == t.ID }) {
			f.due = append(f.due, stream.Due{Track: t.ID, From: math.MaxInt64, Step: math.MaxInt64})
		}
	}
}

// stop ends what has been begun.
func (f *following) stop(why error) {
	if f.lapse != nil {
		f.lapse.Stop()
	}
	if f.cur != nil {
		f.show.stopped()
		f.cur.Stop(why)
	}
}
