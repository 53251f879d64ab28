package stream

import "pushcart/media"

// Lineup returns the tracks that are on at the moment, none while the host is away, and a channel that is closed as
// soon as that may have changed. It is for those who only want to know that there is something for them to do, and need
// not be woken by each unit as a Reader is.
func (s *Stream) Lineup() (tracks []media.Track, changed <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == Live {
		tracks = s.tracks
	}
	return tracks, s.changed
}

// lineupChanged wakes those who watch the lineup. The caller holds the lock.
func (s *Stream) lineupChanged() {
	close(s.changed)
	s.changed = make(chan struct{})
}
