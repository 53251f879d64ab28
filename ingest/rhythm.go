package ingest

import "time"

// rhythm restores the times of a video track with a constant frame rate whose door counts in
// milliseconds: 33, 67, 100 are meant to be 33 1/3, 66 2/3, 100. Restored times differ from the encoder's
// by no more than the rounding; a track that keeps no constant rate is left as it is.
type rhythm struct {
	frame frameLength // zero: not known
	base  int64       // tick of frame 0 on the grid
	based bool
	// Frames on and off the grid lately decide whether it is believed in.
	score int
	// The first few steps tell the rate when the host has not declared it.
	steps int
	sum   time.Duration
	short time.Duration
	long  time.Duration
	last  time.Duration
}

// frameLength is the length of a frame as a fraction of a tick: num/den ticks.
type frameLength struct{ num, den int64 }

// frameRates are what encoders run at: frames in a number of milliseconds.
var frameRates = []struct{ frames, milliseconds int64 }{
	{10, 1000}, {12, 1000}, {25, 2000}, {15, 1000}, {20, 1000}, {24, 1001}, {24, 1000}, {25, 1000}, {30, 1001},
	{30, 1000}, {48, 1000}, {50, 1000}, {60, 1001}, {60, 1000}, {90, 1000}, {100, 1000}, {120, 1001}, {120, 1000},
}

const (
	// rhythmSteps is the number of steps from which an undeclared rate is read.
	rhythmSteps = 30
	// minScore is where the grid is given up; a frame on it counts one, up to maxScore, one off it -8.
	minScore, maxScore, offGrid = -64, 64, 8
)

// newRhythm returns the rhythm of a track with the given declared rate (zero: unknown) and timescale.
func newRhythm(rate float64, timescale int64) rhythm {
	return rhythm{frame: nearestRate(rate, timescale)}
}

// nearestRate returns the frame length of the rate that encoders know nearest to rate, if it is within
// 0.05 %; 30 and 29.97 are 0.1 % apart.
func nearestRate(rate float64, timescale int64) frameLength {
	for _, r := range frameRates {
		known := float64(r.frames) * 1000 / float64(r.milliseconds)
		if d := rate/known - 1; d > -0.0005 && d < 0.0005 {
			return frameLength{r.milliseconds * timescale, r.frames * 1000}
		}
	}
	return frameLength{}
}

// usual is how long a frame has lasted lately.
func (r *rhythm) usual() time.Duration {
	if r.last <= 0 || r.last > time.Second {
		return 40 * time.Millisecond
	}
	return r.last
}

// observe takes the step from one unit to the next.
func (r *rhythm) observe(step time.Duration) {
	if step <= 0 || step > time.Second {
		return
	}
	r.last = step
	if r.frame.num != 0 || r.steps >= rhythmSteps {
		return
	}
	if r.steps == 0 {
		r.short, r.long = step, step
	}
	r.short, r.long = min(r.short, step), max(r.long, step)
	r.steps++
	r.sum += step
}

// restore puts DTS and PTS on the grid, if they are as near to it as the door's resolution allows. unit is
// the number of ticks in one tick of the door.
func (r *rhythm) restore(dts, pts, unit int64) (int64, int64) {
	if r.frame.num == 0 && r.steps == rhythmSteps {
		r.steps++ // once
		if r.long-r.short <= 2*time.Millisecond {
			// Thirty steps of whole milliseconds tell the rate to 2 ms in a second; take the nearest.
			r.frame = roughRate(float64(rhythmSteps)/r.sum.Seconds(), unit*1000)
		}
	}
	if !r.based {
		r.base, r.based = dts, true
	}
	if r.frame.num == 0 || r.score <= minScore {
		return dts, pts
	}
	at, ok := r.nearest(dts, unit)
	if !ok {
		r.score -= offGrid
		r.base = dts
		return dts, pts
	}
	r.score = min(r.score+1, maxScore)
	if p, ok := r.nearest(pts, unit); ok {
		pts = p
	}
	return at, pts
}

// follow takes over the grid of the lead, if that is believed in and the lengths of frames are multiples of one
// another. dts is the tick of the next picture, as the encoder has it.
func (r *rhythm) follow(lead *rhythm, dts, unit int64) {
	if !lead.based || lead.score <= minScore || r.frame.num == 0 || lead.frame.num == 0 {
		return
	}
	grid := rhythm{frame: lead.frame, base: lead.base}
	switch a, b := r.frame.num*lead.frame.den, lead.frame.num*r.frame.den; {
	case a%b == 0: // as long, or two, three pictures of the lead
	case b%a == 0:
		grid.frame = r.frame
	default:
		return
	}
	if at, ok := grid.nearest(dts, unit); ok {
		r.base, r.based = at, true
	}
}

// lineUp puts a frame on tick at. A rate that is not known is taken to be the host's.
func (r *rhythm) lineUp(at int64, frame frameLength) {
	r.base, r.based, r.score = at, true, 0
	if r.frame.num == 0 && r.steps < rhythmSteps {
		r.frame = frame
	}
}

// nearest returns the tick of the frame that t belongs to, if t is it, rounded or cut to the door's unit.
func (r *rhythm) nearest(t, unit int64) (int64, bool) {
	d := t - r.base
	n := (2*d*r.frame.den + r.frame.num) / (2 * r.frame.num)
	if d < 0 {
		n = -((-2*d*r.frame.den + r.frame.num) / (2 * r.frame.num))
	}
	at := r.base + (2*n*r.frame.num+r.frame.den)/(2*r.frame.den)
	off := t - at
	return at, off <= unit && off >= -unit
}

// roughRate is nearestRate for a measured rate, within 0.4 %; of two rates as near as that, the whole one.
func roughRate(rate float64, timescale int64) frameLength {
	best, distance := frameLength{}, 0.004
	for _, r := range frameRates {
		known := float64(r.frames) * 1000 / float64(r.milliseconds)
		d := rate/known - 1
		if d < 0 {
			d = -d
		}
		if r.milliseconds == 1001 {
			d += 0.001
		}
		if d < distance {
			best, distance = frameLength{r.milliseconds * timescale, r.frames * 1000}, d
		}
	}
	return best
}
