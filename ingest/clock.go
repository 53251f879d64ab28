package ingest

import (
	"time"

	"pushcart/media"
)

// How an encoder's times are judged.
const (
	// maxStep is how far a track may go forward from one unit to the next without being suspected:
	// encoders drop frames for that long when the uplink is slow.
	maxStep = 2 * time.Second
	// maxBack is how far DTS may go back within a track before it is a jump rather than one odd unit.
	maxBack = 100 * time.Millisecond
	// stall is the silence on the wire from which on time is believed to have passed.
	stall = time.Second
	// jumpMemory is how long the offset before a jump stays valid.
	jumpMemory = 3 * time.Second
	// absence is the hole in the media from which on a new epoch begins, as after a reconnect.
	absence = 3 * time.Second
	// audioJitter is the difference between an audio unit's own time and the running count of samples
	// that is mended at once; slow drift is mended as soon as its mean exceeds one unit.
	audioJitter = 150 * time.Millisecond
	// audioLag is how far video may run ahead of audio before silence takes its place.
	audioLag = time.Second
	// awayLag is how closely silence follows video once it has taken audio's place.
	awayLag = 100 * time.Millisecond
	// maxDataLead is how far a data unit's time may be from audio and video to be believed.
	maxDataLead = 10 * time.Second
	// maxFill bounds the silence that is made for one hole.
	maxFill = 10 * time.Second
)

// What the clock had to mend, as the operator reads it.
const (
	repairJump        = "clock jumps"
	repairBack        = "times that went back"
	repairComposition = "nonsensical composition times"
	repairFilled      = "audio frames filled in"
	repairDropped     = "audio frames dropped"
	repairSkipped     = "frames skipped to a keyframe"
	repairAbsence     = "absences"
	repairDrift       = "contributors moved back to their place"
	repairUndecoded   = "units without a usable configuration"
)

// clock maps the times of one session onto the show's timeline. All tracks are corrected together: the
// offset between the encoder's time and the show's is one for all of them. When the encoder's clock
// jumps, the tracks do not jump at the same unit, so that the offset before the jump stays valid beside
// the new one for a while: each unit takes the one that it fits better.
type clock struct {
	offset, previous time.Duration // added to the encoder's time; whole milliseconds
	previousUntil    time.Time     // how long previous counts
	placed           bool
	lastArrival      time.Time
	newest           time.Duration // show time of the newest unit of any audio or video track
	count            func(repair string, n int64)
}

// trackClock is what the clock knows of one track.
type trackClock struct {
	in, out int64 // timescales of the door, and of the show's track
	begun   bool
	last    time.Duration // show time of the newest unit's DTS, by the offset
	lastOut int64         // DTS of the newest unit that was handed on
	rhythm  rhythm        // video
	audio   *audioClock   // audio
}

// place returns the show time of a unit with DTS raw that arrives now. absent is true when the host has
// been silent for so long that a new epoch has to begin.
func (c *clock) place(t *trackClock, raw time.Duration, now time.Time) (at time.Duration, absent bool) {
	silence := now.Sub(c.lastArrival)
	c.lastArrival = now
	at = raw + c.offset
	if t.begun {
		before := max(t.last, c.newest)
		at = c.judge(t, raw, silence, now)
		absent = at-before > absence
	}
	c.newest = max(c.newest, at)
	return at, absent
}

// judge holds a unit against the one before it in its track, and against the other tracks.
func (c *clock) judge(t *trackClock, raw, silence time.Duration, now time.Time) time.Duration {
	at, next := raw+c.offset, t.last+t.rhythm.usual()
	if old := raw + c.previous; now.Before(c.previousUntil) && c.fits(t, old, silence) && (old-next).Abs() < (at-next).Abs() {
		c.offset, c.previous = c.previous, c.offset
		at = old
	}
	if c.fits(t, at, silence) {
		return at
	}
	c.count(repairJump, 1)
	at = next
	if silence >= stall {
		at = t.last + silence
	}
	at = max(at, c.newest-stall)
	c.previous, c.previousUntil = c.offset, now.Add(jumpMemory)
	c.offset = (at - raw).Round(time.Millisecond)
	return raw + c.offset
}

// fits reports whether a unit can be at show time at, after a silence on the wire: it is a plausible step
// from the one before, or it is where the other tracks are.
func (c *clock) fits(t *trackClock, at, silence time.Duration) bool {
	step := at - t.last
	if step < -maxBack {
		return false
	}
	return step <= maxStep || (step-silence).Abs() <= stall || (at-c.newest).Abs() <= maxStep
}

// beside returns the show time of a data unit, whose times say nothing about the clock.
func (c *clock) beside(raw time.Duration, now time.Time) time.Duration {
	at := raw + c.offset
	if old := raw + c.previous; now.Before(c.previousUntil) && (old-c.newest).Abs() < (at-c.newest).Abs() {
		at = old
	}
	if (at - c.newest).Abs() > maxDataLead {
		return c.newest
	}
	return at
}

// move shifts the show times of everything that comes.
func (c *clock) move(by time.Duration) {
	by = by.Round(time.Millisecond)
	c.offset += by
	c.previous += by
	c.newest += by
}

// align makes the encoder's time raw the show's time at. What came before says nothing any more.
func (c *clock) align(raw, at time.Duration) {
	c.newest = 0
	c.offset = (at - raw).Round(time.Millisecond)
	c.previous = c.offset
	c.placed = true
}

// video gives the unit its times on the show's timeline. at is the show time of its DTS. A track that is not
// the lead itself keeps to the lead's grid, if it can: pictures of the same moment get the same tick.
func (c *clock) video(t *trackClock, lead *rhythm, au media.AccessUnit, at time.Duration) media.AccessUnit {
	composition := media.Rescale(au.PTS-au.DTS, t.in, t.out)
	dts := media.Ticks(at, t.out)
	pts := dts + composition
	if t.in < t.out {
		if lead != nil {
			t.rhythm.follow(lead, dts, t.out/t.in)
		}
		dts, pts = t.rhythm.restore(dts, pts, t.out/t.in)
	}
	if t.begun && dts <= t.lastOut {
		shift := t.lastOut + 1 - dts
		if at < t.last {
			c.count(repairBack, 1)
		}
		dts += shift
		pts = max(pts, dts)
	}
	t.rhythm.observe(at - t.last)
	t.begun, t.last, t.lastOut = true, at, dts
	au.DTS, au.PTS = dts, pts
	return au
}
