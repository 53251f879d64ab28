package cue

import (
	"time"

	"pushcart/media"
)

// clock says where a show is now: at which media time the frame stands that the host's camera takes at this
// moment. The units that have come tell, but for those that are late: an uplink that stalls, or a host who is
// away for a while, does not stop the show's clock. So what counts is the monotonic clock, and how far the units
// are ahead of it at best: encoders' clocks run fast or slow, by half a second in three hours. The wall clock may
// be set as it likes.
type clock struct {
	start  time.Time // of media time zero, with its monotonic reading
	latest time.Duration
	leads  [leadSamples]time.Duration
	n      int // samples so far
}

const (
	// leadSamples are how many samples count, one every sampleTime: the best of the last 20 seconds.
	leadSamples = 40
	sampleTime  = 500 * time.Millisecond
	// maxLead bounds what is believed.
	maxLead = 2 * time.Second
)

// observe takes a sample: the latest presentation time there is at the moment now.
func (c *clock) observe(latest time.Duration, now time.Time) {
	if latest <= c.latest {
		return // nothing has come
	}
	c.latest = latest
	c.leads[c.n%leadSamples] = min(max(latest-now.Sub(c.start), -maxLead), maxLead)
	c.n++
}

// ticks is the media time of the moment now, when the newest unit is at latest.
func (c *clock) ticks(latest time.Duration, now time.Time) int64 {
	var lead time.Duration
	if n := min(c.n, leadSamples); n > 0 {
		lead = c.leads[0]
		for _, l := range c.leads[1:n] {
			lead = max(lead, l)
		}
	}
	return media.Ticks(max(now.Sub(c.start)+lead, latest), Timescale)
}
