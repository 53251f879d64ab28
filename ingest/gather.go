package ingest

import (
	"fmt"
	"slices"
	"time"

	"pushcart/media"
)

const (
	// gatherTime is how long a session waits for the tracks that it may still get, from its first unit on.
	gatherTime = time.Second
	// keyframeTime is how long it waits for the first keyframe before it goes on without the video.
	keyframeTime = 12 * time.Second
	// maxGathered and maxGatheredBytes bound what it keeps meanwhile; the oldest units go first.
	maxGathered      = 2048
	maxGatheredBytes = 16 << 20
	// sameTime is how far apart the times of one picture may be in several tracks.
	sameTime = 20 * time.Millisecond
)

// arrival is a unit and when it came.
type arrival struct {
	media.AccessUnit
	at time.Time
}

// gather keeps units until it is known which tracks there are and there is a keyframe to begin with.
func (s *Session) gather(au media.AccessUnit, now time.Time) error {
	s.gathered = append(s.gathered, arrival{au, now})
	s.gatheredBytes += len(au.Data)
	for len(s.gathered) > maxGathered || s.gatheredBytes > maxGatheredBytes {
		s.forgetOldest()
	}
	if s.since.IsZero() {
		s.since = now
	}
	if s.part.role != "" {
		if !s.standBeside(now) {
			return nil
		}
	} else if !s.ready(now.Sub(s.since)) {
		return nil
	}
	return s.goLive()
}

func (s *Session) forgetOldest() {
	s.gatheredBytes -= len(s.gathered[0].Data)
	s.gathered[0] = arrival{}
	s.gathered = s.gathered[1:]
}

// goLive writes what has been gathered.
func (s *Session) goLive() error {
	s.live, s.changed, s.broken = true, true, true
	units := s.inOrder()
	s.gathered, s.gatheredBytes, s.since = nil, 0, time.Time{}
	for _, au := range units {
		if t := s.track(au.Track); t != nil {
			if err := s.write(t, au.AccessUnit, au.at); err != nil {
				return err
			}
		}
	}
	return nil
}

// inOrder returns what has been gathered with the keyframe in front that the epoch begins with. Behind it
// come units that arrived earlier and are of use in the epoch: data messages, and what belongs to the same
// moment in other tracks, such as the same picture in other sizes.
func (s *Session) inOrder() []arrival {
	lead := s.lead()
	first := slices.IndexFunc(s.gathered, func(au arrival) bool {
		return lead != nil && au.Track == lead.door.ID && au.RandomAccess
	})
	if first < 0 {
		return s.gathered
	}
	key := s.gathered[first]
	from := media.Duration(key.DTS, lead.door.Timescale) - sameTime
	units := make([]arrival, 0, len(s.gathered))
	units = append(units, key)
	for _, au := range s.gathered[:first] {
		t := s.track(au.Track)
		if t != nil && (t.show.Kind() == media.KindData || t != lead && media.Duration(au.DTS, t.door.Timescale) >= from) {
			au.at = key.at
			units = append(units, au)
		}
	}
	return append(units, s.gathered[first+1:]...)
}

// ready reports whether the first epoch can begin, some time after the first unit.
func (s *Session) ready(after time.Duration) bool {
	videos, keyed, audios := 0, 0, 0
	for _, t := range s.tracks {
		switch t.show.Kind() {
		case media.KindVideo:
			videos++
			if s.canBegin(t) {
				keyed++
			}
		case media.KindAudio:
			audios++
		}
	}
	if lead := s.lead(); lead == nil || !s.canBegin(lead) {
		return after >= keyframeTime && audios > 0 && s.dropVideo()
	}
	if after >= gatherTime {
		return true
	}
	if s.promised {
		return keyed == videos && videos >= s.videos && audios >= s.audios
	}
	return videos > 0 && keyed == videos && audios > 0
}

// canBegin reports whether a unit of the track has been gathered that decoding can start with.
func (s *Session) canBegin(t *sessionTrack) bool {
	return slices.ContainsFunc(s.gathered, func(au arrival) bool {
		return au.Track == t.door.ID && au.RandomAccess
	})
}

// dropVideo leaves video tracks that have no keyframe out, until they have one.
func (s *Session) dropVideo() bool {
	s.pub.Remark("keyframe", fmt.Sprintf("The encoder has sent no keyframe for %v: the show starts with sound only.", keyframeTime))
	for _, t := range s.tracks {
		t.dormant = t.show.Kind() == media.KindVideo
	}
	return true
}
