package rtsp

import (
	"time"

	"pushcart/media"
)

// How a track's timestamps are judged.
const (
	// maxStep is how far a timestamp may be from the one before without being suspected.
	maxStep = 2 * time.Second
	// stall is the silence on the wire from which on time is believed to have passed.
	stall = time.Second
)

// trackClock gives a track's timestamps, of 32 bits and with an origin of their own, their place on the
// session's time, which all its tracks share and which begins when the first packet arrives. Until sender
// reports tell how the tracks lie, a track lies where its first packet arrived.
type trackClock struct {
	rate    int64 // Hz
	begun   bool
	last    int64 // the newest timestamp, unwrapped
	arrived time.Time
	shift   int64 // what is added to timestamps
	reports senderReports
	Jumps   int64

	// lateness is how late the unit came that was least late, by the session's time: of a track's packets,
	// one has not been held up on its way, most likely.
	lateness time.Duration
	timed    bool // lateness counts

	// prompt is the packet whose first unit came least late. It is zero before there is one.
	prompt struct {
		arrived time.Duration // since 1970, less its timestamp
		span    time.Duration // from its first unit to its last one
	}
}

// arrive takes note of when a unit has come that is due to be decoded at a time of the session.
func (c *trackClock) arrive(dts int64, arrived, begin time.Time) {
	if came := time.Duration(arrived.UnixNano()) - media.Duration(c.last, c.rate); c.prompt.arrived == 0 || came < c.prompt.arrived {
		c.prompt.arrived, c.prompt.span = came, media.Duration(dts-c.shift-c.last, c.rate)
	}
	if late := arrived.Sub(begin) - media.Duration(dts, c.rate); !c.timed || late < c.lateness {
		c.lateness, c.timed = late, true
	}
}

// unwrap returns the time congruent to ts that is nearest to the last one.
func (c *trackClock) unwrap(ts uint32) int64 {
	if !c.begun {
		return int64(ts)
	}
	return c.last + int64(int32(ts-uint32(c.last)))
}

// time returns the session's time of a frame in ticks, which arrived some time after the session's first
// packet. jumped says that it has nothing to do with the times before. restart is true if the host has said
// as much.
func (c *trackClock) time(ts uint32, arrived, begin time.Time, restart bool) (at int64, jumped bool) {
	if !c.begun || restart {
		if jumped = c.begun; jumped {
			c.reports.forget()
			c.timed = false
			c.prompt.arrived = 0
		}
		t := int64(ts)
		if r := c.reports; r.known { // a report has come first: its timestamp began the count
			t = r.at + int64(int32(ts-uint32(r.at)))
		}
		c.anchor(t, media.Ticks(arrived.Sub(begin), c.rate))
	} else {
		t, before := c.unwrap(ts), c.last
		step, silence := media.Duration(t-before, c.rate), arrived.Sub(c.arrived)
		if step.Abs() > maxStep && (step-silence).Abs() > stall {
			jumped = true
			c.Jumps++
			// Behind what was there, or as far behind as the wire was silent.
			c.anchor(int64(ts), before+c.shift+media.Ticks(max(silence, 40*time.Millisecond), c.rate))
			c.reports.forget()
			c.timed = false
			c.prompt.arrived = 0
		} else {
			c.last = max(c.last, t)
			c.arrived = arrived
			return t + c.shift, false
		}
	}
	c.begun, c.arrived = true, arrived
	return c.last + c.shift, jumped
}

// anchor makes timestamp t the session's time at.
func (c *trackClock) anchor(t, at int64) { c.last, c.shift = t, at-t }

// report takes a sender report. early says that the session has just begun.
func (c *trackClock) report(ts uint32, ntp uint64, early bool) {
	if !c.begun {
		// Most encoders send the first report ahead of the first packet.
		c.reports.add(senderReports{at: int64(ts), ntp: ntp, trusted: early && !c.reports.fractions.suspect}, c.rate)
		return
	}
	c.reports.add(senderReports{at: c.unwrap(ts), ntp: ntp, trusted: early, prompt: c.prompt.arrived, span: c.prompt.span}, c.rate)
}

// Bounds of what sender reports may do.
const (
	// minSettle is the same where only the times of arrival are known, in the first settleTime of a session.
	minSettle  = 25 * time.Millisecond
	settleTime = 10 * time.Second
	// minMove is a correction not worth making.
	minMove = time.Millisecond
	// maxMoveAtOnce is what one report may move a track by, if it is an early one: ffmpeg collects sound for up
	// to 0.7 s before it sends a packet, and on a busy machine it starts with a burst. Everything else takes two
	// that agree, and the second may be long in coming: ffmpeg reports after so many bytes, not after so many
	// seconds.
	maxMoveAtOnce = 2 * time.Second
	// earlyReports is how old a session may be for that: who reports at once knows.
	earlyReports = 2 * time.Second
	// maxRelayMove is where those in nanoseconds are not: a server that writes them reads them as well, and passes a
	// camera's reports on with an error of up to three seconds, which is always the same.
	maxRelayMove = time.Second
	// maxMove is where a host's reports are not believed.
	maxMove = 10 * time.Second
)

// settle moves the track to where it comes beside lead, while nothing better is known, and returns by how much.
func (c *trackClock) settle(lead *trackClock) (by time.Duration) {
	if c == lead || !c.timed || !lead.timed || c.reports.trusted && lead.reports.trusted {
		return 0
	}
	move := c.lateness - lead.lateness
	if move.Abs() <= minSettle {
		return 0
	}
	return c.move(move)
}

// move moves the track.
func (c *trackClock) move(by time.Duration) time.Duration {
	c.shift += media.Ticks(by, c.rate)
	c.lateness -= by
	return by
}

// align moves the track to where sender reports say that it is beside lead, and returns by how much. far is true
// if they say that it is too far away to be believed.
func (c *trackClock) align(lead *trackClock) (by time.Duration, far bool) {
	if c == lead || !c.begun || !lead.begun || !c.reports.known || !lead.reports.known {
		return 0, false
	}
	c.reports.fractions.compare(c.reports, lead.reports, c.rate, lead.rate)
	want := media.Duration(lead.shift, lead.rate) + c.reports.origin(c.rate) - lead.reports.origin(lead.rate)
	move := want - media.Duration(c.shift, c.rate)
	switch {
	case move.Abs() < minMove:
	case c.reports.fractions.nanoseconds && move.Abs() > maxRelayMove:
	case move.Abs() > maxMove:
		return 0, c.reports.confirmed && lead.reports.confirmed
	case move.Abs() <= maxMoveAtOnce && c.reports.trusted && lead.reports.trusted, c.reports.confirmed && lead.reports.confirmed:
		return c.move(move), false
	}
	return 0, false
}

// captured returns the wall clock, by the host's reports, of the session's time 0, as soon as it is known how to read
// them.
func (c *trackClock) captured() (time.Time, bool) {
	if !c.begun || !c.reports.known || !c.reports.fractions.clear() {
		return time.Time{}, false
	}
	return time.Unix(0, int64(c.reports.origin(c.rate)-media.Duration(c.shift, c.rate))), true
}

// senderReports is what RTCP sender reports (RFC 3550 6.4.1) say of a track: at which time of the wall clock a
// timestamp is.
type senderReports struct {
	fractions *fractions // how the host writes them, which is the same for all its tracks
	known     bool
	trusted   bool // it is the first one, and came early, or it is confirmed
	confirmed bool // the last two agreed with each other
	at        int64
	ntp       uint64

	prompt, span time.Duration // the track's prompt packet when the report came
}

// forget drops what was reported.
func (r *senderReports) forget() { *r = senderReports{fractions: r.fractions} }

// origin is the wall clock at timestamp 0, as time since 1970.
func (r *senderReports) origin(rate int64) time.Duration {
	at := media.Duration(r.at, rate)
	if r.fractions.ofArrival {
		at += r.span // the packet came when its last unit was there
	}
	return r.fractions.time(r.ntp) - at
}

// maxReportError is how much two reports may disagree beside their distance's thousandth.
const maxReportError = 20 * time.Millisecond

// add takes a new report about the unwrapped timestamp at, which is trusted if it is early.
func (r *senderReports) add(report senderReports, rate int64) {
	before := *r
	r.fractions.look(before, report.at, rate, report.ntp)
	*r = report
	r.fractions, r.known = before.fractions, true
	if before.known {
		elapsed := media.Duration(r.at-before.at, rate)
		r.confirmed = agree(before.origin(rate), r.origin(rate)+elapsed, elapsed)
		r.trusted = r.confirmed
	}
	if !r.fractions.clear() {
		r.trusted, r.confirmed = false, false
	}
}

// agree reports whether two times of the wall clock are as far apart as the timestamps of their reports.
func agree(before, now, elapsed time.Duration) bool {
	return (now - before - elapsed).Abs() <= maxReportError+elapsed.Abs()/1000
}
