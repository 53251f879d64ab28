package stream

import (
	"context"

	"pushcart/media"
)

// maxGathered is how many events gather in the log at most for a reader that sleeps: it is woken for one more,
// whatever it waits for.
const maxGathered = 256

// Due says which units of a track a reader is woken for. Times are ticks of the track.
type Due struct {
	Track int
	// From is the DTS from which on units are due.
	From int64
	// Last is the DTS of the unit that the reader has had last, and Step how far apart it expects units to be
	// at most: one that comes later than that is due, since it makes what the reader has expected void.
	Last, Step int64
	// Keys says that random access points are due, whatever their time.
	Keys bool
}

// Wants reports whether au, the next unit of the track, is due. Last becomes its DTS.
func (d *Due) Wants(au media.AccessUnit) bool {
	late := au.DTS-d.Last > d.Step
	d.Last = au.DTS
	return late || au.DTS >= d.From || d.Keys && au.RandomAccess
}

// Await is Next for a reader that need not have every unit at once: it returns when there is an event that is due,
// and returns it with all that has gathered before. All events are due but units of the tracks in due, for which
// that says which of them are. What gathers is bounded: 256 events, half of the log's bytes. due belongs to the
// caller again when Await returns.
func (r *Reader) Await(ctx context.Context, due []Due) ([]Event, error) {
	if !r.sleeps(due) {
		return r.Next(ctx)
	}
	select {
	case <-r.wake:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return r.Next(ctx)
}

// sleeps notes what r is to be woken for. It reports false if there is something of that kind already.
func (r *Reader) sleeps(due []Due) bool {
	s := r.s
	s.mu.Lock()
	defer s.mu.Unlock()
	r.due = append(r.due[:0], due...)
	if r.seek || r.tracks || r.next < s.first || s.state == Ended {
		return false
	}
	for i := range s.events[r.next-s.first:] {
		if r.wants(&s.events[r.next-s.first+int64(i)]) {
			return false
		}
	}
	select {
	case <-r.wake: // for what has been looked at by now
	default:
	}
	return true
}

// wants reports whether r has to be woken for ev. The caller holds the lock.
func (r *Reader) wants(ev *Event) bool {
	s := r.s
	if ev.Kind != EventUnit || r.seek || s.first+int64(len(s.events))-r.next > maxGathered || s.bytes > maxLogBytes/2 {
		return true
	}
	for i := range r.due {
		if d := &r.due[i]; d.Track == ev.Unit.Track {
			return d.Wants(ev.Unit)
		}
	}
	return true
}
