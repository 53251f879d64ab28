package ingest

import (
	"fmt"
	"time"
)

// maxDateError is how far a host's own clock may be from ours, the way from there to here included, for the
// show to be dated by it.
const maxDateError = 10 * time.Second

// Date implements Dater.
func (s *Session) Date(zero time.Time) { s.captured = zero }

// dated returns the show time at which the encoder's time raw was captured, by the host's own clock, or
// arrived where the host has not told, or can't be right. Show times of a session's first unit are at least
// zero: a host's clock may be behind by as much as the show is old.
func (s *Session) dated(raw, arrived time.Duration) time.Duration {
	if s.captured.IsZero() {
		return arrived
	}
	at := s.captured.Add(raw).Sub(s.pub.Stream().Start())
	if off := at - arrived; at < 0 || off.Abs() > maxDateError {
		s.pub.Remark("date", fmt.Sprintf("The host's clock is %v off: set it by NTP. Until then, the show is dated by when it arrives here.", off.Round(time.Millisecond)))
		return arrived
	}
	return at
}
