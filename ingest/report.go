package ingest

import (
	"time"

	"pushcart/media"
)

// Reporter is what a Publisher can be besides: a door that repairs things before the session sees them
// tells of it here. *Session implements it.
type Reporter interface {
	// Count adds n to the show's counter of a repair. Names are few and constant.
	Count(repair string, n int64)
	// Remark notes a sentence for the operator and the host, which is logged when it is the first of
	// its kind.
	Remark(kind, sentence string)
}

// Count implements Reporter.
func (s *Session) Count(repair string, n int64) { s.pub.Count(repair, n) }

// Remark implements Reporter.
func (s *Session) Remark(kind, sentence string) { s.pub.Remark(kind, sentence) }

// Dater is what a Publisher can be besides, for doors whose hosts tell when a picture was captured.
type Dater interface {
	// Date says that the time 0 of the units to come was at zero on the wall clock. It counts if it comes
	// before the first unit, and is near enough to now to be true.
	Date(zero time.Time)
}

// Mover is what a Publisher can be besides, for doors that learn late how a host's tracks lie beside each other
// (RTCP sender reports).
type Mover interface {
	// Move says that the units of a track have been by earlier than they should have been, or by later if that
	// is negative: those to come have the right times. It is no jump of the encoder's clock.
	Move(track int, by time.Duration)
}

// Move implements Mover. What has been written stays where it is: units to come that lie there, too, are
// dropped, and a hole is filled as any other.
func (s *Session) Move(track int, by time.Duration) {
	t := s.track(track)
	if t == nil {
		return
	}
	if t.clock.begun {
		t.clock.last += by
		if t.clock.audio != nil {
			t.clock.audio.moved = true
		}
	}
	ticks := media.Ticks(by, t.door.Timescale)
	for i := range s.gathered {
		if au := &s.gathered[i]; au.Track == track {
			au.DTS += ticks
			au.PTS += ticks
		}
	}
}
