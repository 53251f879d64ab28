package rtsp

import (
	"strings"
	"time"

	"pushcart/media"
)

// fractions is how a sender writes fractions of a second in its reports. NTP counts them in 1/2^32 s; gortsplib up to
// its version 4 writes nanoseconds, and so do the servers that are made with it. MediaMTX 1.20 has version 5, which
// counts as NTP does, and calls itself the same.
type fractions struct {
	suspect     bool // the host calls itself gortsplib, and has to show which of the two it does
	nanoseconds bool
	honest      bool // one was above all nanoseconds: it is not asked again
	witnesses   int  // steps from one report to the next that fit as nanoseconds only
	ofArrival   bool // it reports when packets came to it
}

const (
	// enoughWitnesses is how many steps from report to report have to fit if they are read as nanoseconds, and
	// have to contradict the packets' clock if they are read as NTP, for a sender to be taken for one of those.
	enoughWitnesses = 2
	// nanosecondsASecond is above all fractions of such a sender. Of an honest one's, three in four are above.
	nanosecondsASecond = 1_000_000_000
)

// look learns from a report and the one before it. A single fraction that can't be nanoseconds, or a step that NTP
// explains and nanoseconds do not, settles it: such a sender is honest for as long as the session lasts.
func (f *fractions) look(before senderReports, at, rate int64, ntp uint64) {
	if f.honest {
		return
	}
	if ntp&0xFFFFFFFF >= nanosecondsASecond {
		f.nanoseconds, f.honest = false, true
		return
	}
	if !before.known {
		return
	}
	elapsed := media.Duration(at-before.at, rate)
	asNTP := agree(ntpTime(before.ntp), ntpTime(ntp), elapsed)
	asNanoseconds := agree(nanosecondTime(before.ntp), nanosecondTime(ntp), elapsed)
	switch {
	case asNTP && !asNanoseconds:
		f.nanoseconds, f.honest = false, true
	case asNanoseconds && !asNTP:
		f.witnesses++
		f.nanoseconds = f.witnesses >= enoughWitnesses
	}
}

// longSpan is how long a packet of sound has to be to tell what its host's reports count from.
const longSpan = 100 * time.Millisecond

// compare looks whether the host does not report when a packet's first unit was captured, but when the packet came to it, as
// MediaMTX does with its defaults (for each track, it goes by the packet that was least late). Then packets of all
// tracks have been on their way from there for the same time. With a host who reports the capture, a packet of sound
// comes later than that says by as long as it is. ffmpeg puts up to 0.7 s into one.
func (f *fractions) compare(sound, lead senderReports, soundRate, leadRate int64) {
	if !f.suspect || f.ofArrival || sound.prompt == 0 || lead.prompt == 0 || sound.span < longSpan {
		return
	}
	later := sound.prompt - sound.origin(soundRate) - (lead.prompt - lead.origin(leadRate))
	f.ofArrival = later.Abs() < sound.span/3
}

// clear reports whether it is known what reports say.
func (f *fractions) clear() bool { return !f.suspect || f.honest || f.nanoseconds }

// time reads the wall clock of a report.
func (f *fractions) time(ntp uint64) time.Duration {
	if f.nanoseconds {
		return nanosecondTime(ntp)
	}
	return ntpTime(ntp)
}

// seconds1900To1970 is from NTP's beginning to Unix's.
const seconds1900To1970 = 2_208_988_800

// nanosecondTime reads a timestamp whose lower half is nanoseconds.
func nanosecondTime(ntp uint64) time.Duration {
	return time.Duration(int64(ntp>>32)-seconds1900To1970)*time.Second + time.Duration(ntp&0xFFFFFFFF)
}

// ntpTime returns an NTP timestamp as a time since 1970.
func ntpTime(ntp uint64) time.Duration {
	whole := time.Duration(int64(ntp>>32)-seconds1900To1970) * time.Second
	return whole + time.Duration((ntp&0xFFFFFFFF)*uint64(time.Second)>>32)
}

// heed looks at what the host calls itself.
func (f *fractions) heed(agent string) { f.suspect = strings.Contains(agent, "gortsplib") }
