package stream

import (
	"errors"
	"slices"

	"pushcart/media"
)

// ErrTooManyNotes is returned by Post when the stream keeps as many data units as it can.
var ErrTooManyNotes = errors.New("the show keeps as many data units as it can")

const (
	// maxNotes bounds the data units that are kept for readers to come, and maxNoteBytes their size together.
	maxNotes     = 4096
	maxNoteBytes = 64 << 20
)

// note is a data unit that readers who begin later are told, too.
type note struct {
	key  string
	unit media.AccessUnit
}

// keyframeHook is what AtKeyframe has been given.
type keyframeHook struct {
	make func(pts, timescale int64) (key string, au media.AccessUnit, ok bool)
}

// Post appends a data unit to the log, and keeps it under key, in the place of what was there, for readers who
// begin later. The unit's track is one of the house's own data tracks; its time may be in the future or the
// past. The stream keeps au.Data. Post returns ErrClosed when the show is over and ErrTooManyNotes when
// nothing more can be kept.
func (s *Stream) Post(key string, au media.AccessUnit) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.post(key, au)
}

// post is Post with the lock held.
func (s *Stream) post(key string, au media.AccessUnit) error {
	if s.state == Ended {
		return ErrClosed
	}
	bytes := len(au.Data)
	at := -1
	for i, n := range s.notes {
		if n.key == key {
			at = i
		} else {
			bytes += len(n.unit.Data)
		}
	}
	switch {
	case bytes > maxNoteBytes, at < 0 && len(s.notes) == maxNotes:
		return ErrTooManyNotes
	case at < 0:
		s.notes = append(s.notes, note{key, au})
	default:
		s.notes[at].unit = au
	}
	if s.begun {
		s.append(Event{Kind: EventUnit, Unit: au})
	} // else: the log begins with EventTracks, and readers are told the notes behind that
	return nil
}

// Unpost forgets what is kept under key. It does not take back what readers have been told.
func (s *Stream) Unpost(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notes = slices.DeleteFunc(s.notes, func(n note) bool { return n.key == key })
}

// AtKeyframe calls f just before the next keyframe of the publisher's first video track is appended (the next
// unit, if it sends no video), and posts the data unit that f makes of that keyframe's presentation time,
// unless it says no. f is called at most once, with the stream's lock held: it must not block, or call the
// stream. cancel makes sure that it is not called any more; it reports whether f has not been called.
func (s *Stream) AtKeyframe(f func(pts, timescale int64) (key string, au media.AccessUnit, ok bool)) (cancel func() bool) {
	h := &keyframeHook{f}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hooks = append(s.hooks, h)
	return func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		n := len(s.hooks)
		s.hooks = slices.DeleteFunc(s.hooks, func(x *keyframeHook) bool { return x == h })
		return len(s.hooks) < n
	}
}

// runHooks tells those who wait for a keyframe of it. The caller holds the lock.
func (s *Stream) runHooks(key media.AccessUnit) {
	hooks := s.hooks
	s.hooks = nil
	for _, t := range s.own {
		if t.ID != key.Track {
			continue
		}
		for _, h := range hooks {
			if name, au, ok := h.make(key.PTS, t.Timescale); ok {
				_ = s.post(name, au) // the show is on; a full house is f's to prevent
			}
		}
	}
}
