package ingest

import (
	"slices"

	"pushcart/media"
)

// silentTrack is the one that is added: AAC-LC, 48 kHz, stereo.
var silentTrack = media.Track{Codec: media.CodecAAC, Timescale: 48000, Config: []byte{0x11, 0x90}}

// keepAudio goes on with the audio track of the show's last epoch, in silence, if the host has come back
// without one: viewers' players wait for audio that they once had. Where every show has to have sound, one that
// never had any gets silence, too. Sound that comes after all takes its place.
func (s *Session) keepAudio() {
	isAudio := func(t *sessionTrack) bool { return t.show.Kind() == media.KindAudio }
	if slices.ContainsFunc(s.tracks, func(t *sessionTrack) bool { return isAudio(t) && !t.added }) {
		s.tracks = slices.DeleteFunc(s.tracks, func(t *sessionTrack) bool { return t.added })
		return
	}
	lead := s.lead()
	if lead == nil || slices.ContainsFunc(s.tracks, isAudio) {
		return
	}
	for _, t := range s.pub.Stream().Tracks() {
		if t.Kind() != media.KindAudio || t.Contributed || s.track(t.ID) != nil {
			continue
		}
		if !s.addSilence(t) {
			continue
		}
		if !s.sound.Silence {
			s.pub.Remark("silence", "The host has come back without sound: viewers get silence.")
		}
		return
	}
	if s.sound.Silence {
		t := silentTrack
		for t.ID = 1; s.track(t.ID) != nil; t.ID++ {
		}
		s.addSilence(t)
	}
}

// addSilence adds t as a track that nobody sends, if there is silence for its codec.
func (s *Session) addSilence(t media.Track) bool {
	f, err := media.ParseConfig(t)
	if err != nil || media.Silence(t, f) == nil {
		return false
	}
	n := &sessionTrack{door: t, show: t, format: f, added: true}
	n.clock = trackClock{in: t.Timescale, out: t.Timescale, audio: newAudioClock(t, f)}
	n.clock.audio.away = true
	s.tracks = append(s.tracks, n)
	return true
}
