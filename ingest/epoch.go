package ingest

import (
	"time"

	"pushcart/cue"
	"pushcart/media"
)

// placeSession puts the session's first unit where the wall clock says, and behind all that the show has
// had before.
func (s *Session) placeSession(raw time.Duration, now time.Time) {
	show := s.pub.Stream()
	at := s.dated(raw, now.Sub(show.Start()))
	if latest := show.Latest(); latest > 0 {
		at = max(at, latest+absence/10)
	}
	s.clock.align(raw, at)
	s.clock.lastArrival = now
	s.host.begin(at)
}

// begin starts an epoch with the unit of the lead whose show time is at. A contributor's track joins the one
// that is on.
func (s *Session) begin(at time.Duration) error {
	if s.part.role == "" {
		s.keepAudio()
		s.warnOfSilence()
	}
	tracks := make([]media.Track, 0, len(s.tracks)+2)
	data := false
	for _, t := range s.tracks {
		isData := t.show.Kind() == media.KindData
		if t.current = !t.dormant; t.dormant || isData && s.part.role != "" {
			continue
		}
		tracks = append(tracks, t.show)
		data = data || isData
		if a := t.clock.audio; a != nil {
			a.begin(media.Ticks(at, t.clock.out))
		}
		t.keyed = t.show.Kind() != media.KindVideo
		if s.part.role == "" {
			t.clock.lastOut = 0
		}
		t.lastKey = 0
	}
	if s.part.role == "" {
		if !data {
			tracks = append(tracks, dataTrack) // data may come at any time: no epoch has to begin for it
		}
		tracks = append(tracks, cue.Track)
	}
	s.changed, s.broken, s.began = false, false, at
	return s.pub.Begin(tracks)
}
