package stream

import (
	"context"
	"slices"
)

// Reader follows a show with a cursor. It is for one goroutine.
type Reader struct {
	s      *Stream
	next   int64 // index of the next event; guarded by s.mu
	tracks bool  // the tracks of the epoch have to be told first
	notes  bool  // the notes have to be told, behind the first EventTracks
	seek   bool  // nothing is of use before the next event at which a reader can begin
	due    []Due // what it is woken for; nothing: every event. Guarded by s.mu
	wake   chan struct{}
	batch  []Event
}

// NewReader returns a reader that begins with the tracks of the present epoch and its newest keyframe. The
// caller closes it.
func (s *Stream) NewReader() *Reader {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := &Reader{s: s, next: s.gop, notes: true, wake: make(chan struct{}, 1)}
	r.tracks = s.tracks != nil && !s.tracksAt(r.next)
	s.readers = append(s.readers, r)
	return r
}

// tracksAt reports whether the event with that index tells the tracks, or makes them irrelevant.
func (s *Stream) tracksAt(index int64) bool {
	i := index - s.first
	return i >= 0 && i < int64(len(s.events)) && s.events[i].opens()
}

// Next waits for events and returns those that there are, oldest first; the slice is valid until the
// following call. It returns ErrLagged when events were lost: what follows begins with EventTracks and a
// keyframe. Behind EventEnded it returns ErrClosed; when ctx is done first, its error.
func (r *Reader) Next(ctx context.Context) ([]Event, error) {
	for {
		r.s.mu.Lock()
		events, err := r.take()
		r.s.mu.Unlock()
		if len(events) > 0 || err != nil {
			return events, err
		}
		select {
		case <-r.wake:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// take copies what is there. From then on, every event is due again. The caller holds the lock.
func (r *Reader) take() ([]Event, error) {
	s := r.s
	r.due = r.due[:0]
	if r.next < s.first {
		r.next, r.seek = s.first, true
		return nil, ErrLagged
	}
	if r.seek {
		if s.gop < r.next {
			r.next = s.first + int64(len(s.events))
			return nil, nil
		}
		r.next, r.seek, r.notes = s.gop, false, true
		r.tracks = !s.tracksAt(r.next)
	}
	clear(r.batch)
	r.batch = r.batch[:0]
	pending := s.events[r.next-s.first:]
	if len(pending) == 0 {
		if s.state == Ended {
			return nil, ErrClosed
		}
		return nil, nil
	}
	if r.tracks {
		r.batch = append(r.batch, Event{Kind: EventTracks, Tracks: s.tracks, Epoch: s.epochs})
		r.tracks = false
		r.tellNotes()
	}
	for _, ev := range pending {
		r.batch = append(r.batch, ev)
		if ev.Kind == EventTracks {
			r.tellNotes()
		}
	}
	r.next += int64(len(pending))
	return r.batch, nil
}

// tellNotes appends the kept data units to the batch, if the reader has not had them. The caller holds the
// lock.
func (r *Reader) tellNotes() {
	if !r.notes {
		return
	}
	r.notes = false
	for _, n := range r.s.notes {
		r.batch = append(r.batch, Event{Kind: EventUnit, Unit: n.unit})
	}
}

// Close ends the reading.
func (r *Reader) Close() {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	r.s.readers = slices.DeleteFunc(r.s.readers, func(x *Reader) bool { return x == r })
}
