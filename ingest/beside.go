package ingest

import (
	"fmt"
	"time"

	"pushcart/media"
)

// How contributors find their place on the show's timeline, and keep it.
const (
	// waitTime is how much a contributor keeps while the host has not come.
	waitTime = 6 * time.Second
	// sameClock is how far a rendition's clock may seem to be from the host's, by the time at which its units
	// come, to be believed to be the same.
	sameClock = 500 * time.Millisecond
	// sameKeyframe is how far apart the times of one keyframe may be in two connections of one encoder: muxers
	// shift them by the decoding delay, and by the priming of the sound.
	sameKeyframe = 150 * time.Millisecond
	// usualKeyframes is the distance between keyframes where two have not been seen.
	usualKeyframes = 2 * time.Second
	// crooked is how far off the host's keyframes a rendition is moved back to them, for which two in a row
	// are needed; lostKeyframes is for how many of the host's none near one of them means that the place is lost.
	crooked       = 4 * time.Millisecond
	lostKeyframes = 5
	// maxDrift is how far an interpreter may drift from where the wall clock would have it.
	maxDrift = 40 * time.Millisecond
)

// drift is what a contributor's session knows of its own place.
type drift struct {
	session int  // of the host, by which it was placed
	lined   bool // its keyframes were lined up with the host's
	// Of an interpreter: how far its units arrive behind their show time.
	delay least
	// Of a rendition: its newest keyframe, the newest that had one of the host's near it, and how many of those in a
	// row were off.
	key, met time.Duration
	keyed    bool
	off      int
}

// leaveOut says why a contributor's track is not used, if it is not.
func (s *Session) leaveOut(t media.Track) error {
	if s.part.role == "" || t.Kind() == media.KindData {
		return nil
	}
	if t.Kind() != s.part.kind() {
		if s.part.language != "" {
			s.pub.Remark("part", fmt.Sprintf("The picture that comes with the sound in %s is not used.", s.part.language))
			return fmt.Errorf("a connection for the language %s brings sound only", s.part.language)
		}
		return fmt.Errorf("a connection for the rendition %s brings the picture only: viewers hear the host's sound", s.part.role)
	}
	for _, other := range s.tracks {
		if other.door.ID != t.ID && other.show.Kind() == t.Kind() {
			return fmt.Errorf("a connection for %s brings one track: the rest is ignored", s.part.role)
		}
	}
	return nil
}

// contribute makes a track what the others of the show know it as.
func (s *Session) contribute(t *sessionTrack) {
	if s.part.role == "" || t.show.Kind() == media.KindData {
		return
	}
	t.show.ID, t.show.Language, t.show.Label = 1, s.part.language, s.part.label
}

// lost reports whether a contributor has to find its place again, since the host has come back.
func (s *Session) lost() bool {
	session := s.host.now().session
	if session == s.drift.session {
		return false
	}
	s.drift = drift{session: session}
	return s.part.kind() == media.KindVideo
}

// standBeside gives a contributor its place, as soon as it can be known, and reports whether it has one.
func (s *Session) standBeside(now time.Time) bool {
	lead, host := s.lead(), s.host.now()
	if lead == nil {
		return false
	}
	if host.session == 0 {
		for now.Sub(s.gathered[0].at) > waitTime {
			s.forgetOldest()
		}
		s.since = now
		return false
	}
	if now.Sub(s.since) < gatherTime {
		return false // what comes first may have waited somewhere: look at more
	}
	s.drift = drift{session: host.session}
	if lead.show.Kind() == media.KindVideo {
		return s.lineUp(lead, host, now)
	}
	s.standByClock(lead, host.delay, host.began)
	return len(s.gathered) > 0
}

// byClock returns what has to be added to the encoder's time so that a unit is where the wall clock says, late
// by as much as the host is. The unit that was fastest to come counts.
func (s *Session) byClock(t *sessionTrack, delay time.Duration) time.Duration {
	start := s.pub.Stream().Start()
	var offset time.Duration
	first := true
	for _, au := range s.gathered {
		if au.Track != t.door.ID {
			continue
		}
		if o := au.at.Sub(start) - rawTime(au.DTS, t) - delay; first || o < offset {
			offset, first = o, false
		}
	}
	return offset
}

// standByClock places the session by the wall clock, and forgets what came before the host.
func (s *Session) standByClock(t *sessionTrack, delay, began time.Duration) {
	offset := s.byClock(t, delay) + s.part.offset
	s.clock.align(0, offset)
	t.clock.begun = false
	for len(s.gathered) > 0 && (s.gathered[0].Track != t.door.ID || rawTime(s.gathered[0].DTS, t)+offset < began) {
		s.forgetOldest()
	}
	if len(s.gathered) > 0 {
		s.clock.lastArrival = s.gathered[0].at
	}
}

// lineUp places a rendition so that one of its keyframes has exactly the time of the host's keyframe of the
// same picture. Where both come from one encoder, their own times say which that is; otherwise it is the
// nearest, by the wall clock.
func (s *Session) lineUp(t *sessionTrack, host hostTime, now time.Time) bool {
	offset := s.byClock(t, host.delay)
	slack := host.keyframeDistance() / 2
	same := (host.offset - offset).Abs() <= sameClock
	if same {
		offset, slack = host.offset, min(slack, sameKeyframe)
	}
	for i, au := range s.gathered {
		if au.Track != t.door.ID || !au.RandomAccess {
			continue
		}
		raw := rawTime(au.PTS, t)
		if host.newest < raw+offset+slack && now.Sub(s.since) < keyframeTime {
			return false // the host's may still be on its way
		}
		pts, later, ok := host.nearest(raw + offset)
		if !ok || later.Abs() > slack {
			continue
		}
		for range i {
			s.forgetOldest()
		}
		at := media.Duration(pts, videoTimescale)
		s.clock.align(raw, at)
		t.clock.begun = false // it may have to go back: that is no mistake of the encoder's
		s.clock.lastArrival = au.at
		s.drift.lined, s.drift.met = true, at
		t.clock.rhythm.lineUp(pts, host.frame)
		if !same {
			s.pub.Remark("rendition "+s.part.role, fmt.Sprintf("The rendition %s has a clock of its own: it has been moved by %v to meet the host's keyframes. It lines up for certain if one encoder makes all renditions.",
				s.part.role, later.Round(time.Millisecond)))
		}
		return true
	}
	if now.Sub(s.since) < keyframeTime || !s.canBegin(t) {
		return false
	}
	s.pub.Remark("rendition "+s.part.role, fmt.Sprintf("The rendition %s has no keyframes where the host has them: it stands by the wall clock, and viewers' players can't change to it. Set the same keyframe interval for all renditions, and let one encoder make them.", s.part.role))
	s.standByClock(t, host.delay, host.began)
	return s.canBegin(t)
}

// keyframeDistance is that of the host's newest keyframes.
func (h hostTime) keyframeDistance() time.Duration {
	if n := len(h.keys); n > 1 {
		return min(media.Duration(h.keys[n-1]-h.keys[n-2], videoTimescale), usualKeyframes)
	}
	return usualKeyframes
}

// keepPlace looks at a contributor's unit, which is about to go to show time at when the show is as old as
// wall, and moves what follows if it has drifted.
func (s *Session) keepPlace(t *sessionTrack, au media.AccessUnit, at, wall time.Duration) {
	host := s.host.now()
	if t.show.Kind() == media.KindAudio {
		s.drift.delay.add(wall-at, wall)
		delay, trusted := s.drift.delay.value()
		if late := delay + s.part.offset - host.delay; trusted && late.Abs() > maxDrift {
			s.shift(t, late)
			s.drift.delay = least{}
		}
		return
	}
	if !au.RandomAccess || !s.drift.lined {
		return
	}
	// The host's keyframe may come later than this one: look at the one before.
	key, keyed := s.drift.key, s.drift.keyed
	s.drift.key, s.drift.keyed = at+media.Duration(au.PTS-au.DTS, t.clock.in), true
	if !keyed || host.newest < key+sameKeyframe {
		return
	}
	pts, later, _ := host.nearest(key)
	if later.Abs() > min(sameKeyframe, host.keyframeDistance()/2, (s.drift.key-key)/2) { // it may have more of them
		if key-s.drift.met > lostKeyframes*host.keyframeDistance() {
			s.live = false // gather, and line up again
		}
		return
	}
	s.drift.met = key
	if later.Abs() <= crooked {
		s.drift.off = 0
		return
	}
	if s.drift.off++; s.drift.off == 2 {
		s.drift.off, s.drift.keyed = 0, false
		s.shift(t, later)
		t.clock.rhythm.lineUp(pts, host.frame)
	}
}

// shift moves all that follows of a track.
func (s *Session) shift(t *sessionTrack, by time.Duration) {
	s.clock.move(by)
	t.clock.last += by.Round(time.Millisecond)
	s.pub.Count(repairDrift, 1)
}
