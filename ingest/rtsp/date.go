package rtsp

import "time"

// Date says what the program date-time of a host's pictures follows.
type Date string

// The dates there are.
const (
	// DateArrival dates a picture by when its first packet arrived here. The default.
	DateArrival Date = "arrival"
	// DateSender dates it by the host's own clock, as its RTCP sender reports tell it.
	DateSender Date = "sender"
)

// datePatience is how long a session that is dated by its sender waits for a report before it begins
// without one. Cameras send theirs every five seconds or so.
const datePatience = 6 * time.Second

// mayBegin reports whether units can be written: at once, if the show is dated by arrival; else when a
// report has told when the first was captured, or has not come for too long.
func (f *feed) mayBegin() bool {
	if f.dated || f.dater == nil {
		return true
	}
	if zero, ok := f.lead().clock.captured(); ok {
		f.dated = true
		f.dater.Date(zero)
		return true
	}
	if f.newest.Sub(f.begin) < datePatience {
		return false
	}
	f.dated = true
	why := "The host sends no RTCP sender reports"
	if f.lead().clock.reports.known {
		why = "The host's RTCP sender reports do not show yet how it writes fractions of a second"
	}
	f.remark("date", why+": the show is dated by when it arrives here.")
	return true
}
