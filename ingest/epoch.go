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

// keepAudio goes on with the audio track of the show's last epoch, in silence, if the host has come back
// without one: viewers' players wait for audio that they once had.
func (s *Session) keepAudio() {
	lead := s.lead()
	for _, t := range s.tracks {
		if t.show.Kind() == media.KindAudio {
			return
		}
	}
	for _, t := range s.pub.Stream().Tracks() {
		if t.Kind() != media.KindAudio || t.Contributed || lead == nil {
			continue
		}
		f, err := media.ParseConfig(t)
		if err != nil || media.Silence(t, f) == nil || s.track(t.ID) != nil {
			continue
		}
		n := &sessionTrack{door: t, show: t, format: f}
		n.clock = trackClock{in: t.Timescale, out: t.Timescale, audio: newAudioClock(t, f)}
		n.clock.audio.away = true
		s.tracks = append(s.tracks, n)
		s.pub.Remark("silence", "The host has come back without sound: viewers get silence.")
		return
	}
}
