package packager

import (
	"cmp"
	"math"
	"time"

	"pushcart/media"
)

const (
	// settled is the number of segments after which measured rates are believed.
	settled = 3
	// headroom is what BANDWIDTH has above the highest rate so far, since the stream is going to have
	// higher ones; guess what it has as long as little has been measured.
	headroom = 1.1
	guess    = 1.5
)

// rates measures how many bits a second a rendition takes.
type rates struct {
	segments      int
	bytes         int64
	duration      time.Duration
	run           []*segment // the newest ones, not longer than 1.5 target durations
	peak          float64    // bits a second, over any run of 0.5 to 1.5 target durations
	shown, shownA int        // what the multivariant playlist says
	shownFPS      float64
	keys          keyRates
	past          pastRates
}

// pastRates are what the multivariant playlist said in the epochs before. They hold as long as playlists list segments
// of those, and then until the present one has been measured: a host may be back with another bit rate.
type pastRates struct {
	peak, average int
	until         int64 // the first media sequence number that is not theirs
}

// renew begins to measure anew, with the epoch whose first segment is msn.
func (b *rates) renew(msn int64) {
	peak, average := max(b.past.peak, b.shown), b.shownA
	if b.shown == 0 {
		average = b.past.average
	}
	*b = rates{shownFPS: b.shownFPS, keys: b.keys, past: pastRates{peak, average, msn}}
}

// keyRates measures the playlist of key pictures.
type keyRates struct {
	bytes         int64
	duration      time.Duration
	peak          float64
	shown, shownA int
}

// add takes a complete segment into account.
func (b *rates) add(s *segment) {
	if s.gap {
		b.run = nil
		return
	}
	b.segments++
	b.bytes += s.size
	b.duration += s.duration
	b.run = append(b.run, s)
	if len(b.run) > 8 {
		b.run = b.run[1:]
	}
	if k := s.key(); k.Length > 0 {
		b.keys.bytes += k.Length
		b.keys.duration += s.duration
		b.keys.peak = max(b.keys.peak, 8*float64(k.Length)/s.duration.Seconds())
	}
}

// keyFigures returns BANDWIDTH and AVERAGE-BANDWIDTH of the playlist of key pictures, zero as long as there is
// none. They grow with the stream, and stay otherwise.
func (b *rates) keyFigures() (peak, average int) {
	k := &b.keys
	if k.duration <= 0 {
		return 0, 0
	}
	if k.peak > float64(k.shown) {
		k.shown = roundRate(k.peak * guess)
	}
	if mean := 8 * float64(k.bytes) / k.duration.Seconds(); mean > 1.05*float64(k.shownA) || mean < 0.8*float64(k.shownA) {
		k.shownA = roundRate(mean)
	}
	return k.shown, k.shownA
}

// figures returns BANDWIDTH and AVERAGE-BANDWIDTH (rfc8216bis 4.4.6.2). Within an epoch they change only when the stream
// has outgrown them, so that the playlist is stable.
func (b *rates) figures(r *rendition) (peak, average int) {
	was := b.past
	if was.peak == 0 || b.segments >= settled {
		peak, average = b.measured(r)
	}
	if was.peak > 0 && (b.segments < settled || r.p.firstMSN < was.until) {
		return max(peak, was.peak), max(average, was.average)
	}
	return peak, average
}

// said is the average rate that is believed at present, zero if there is none.
func (b *rates) said() int { return cmp.Or(b.shownA, b.past.average) }

// measured is what has been seen of the present epoch.
func (b *rates) measured(r *rendition) (peak, average int) {
	target := float64(r.p.targetDuration)
	for i := range b.run {
		bits, seconds := 0.0, 0.0
		for _, s := range b.run[i:] {
			bits += 8 * float64(s.size)
			seconds += s.duration.Seconds()
			if seconds > 1.5*target {
				break
			}
			if seconds >= 0.5*target {
				b.peak = max(b.peak, bits/seconds)
			}
		}
	}
	mean := b.mean(r)
	if b.segments < settled {
		declared := float64(r.track.BitRate)
		if b.shown == 0 || b.peak > float64(b.shown) {
			b.shownA = roundRate(max(declared, mean))
			b.shown = roundRate(max(guess*max(declared, mean), b.peak*headroom))
		}
		return b.shown, b.shownA
	}
	// Once, when enough has been measured, and then when the stream has outgrown what was said.
	if b.segments == settled || b.peak > float64(b.shown) || mean > 1.05*float64(b.shownA) || mean < 0.8*float64(b.shownA) {
		b.shown = max(roundRate(b.peak*headroom), b.shown*bool2int(b.segments > settled))
		b.shownA = roundRate(mean)
	}
	return b.shown, b.shownA
}

// mean is the average rate so far, the open segment included.
func (b *rates) mean(r *rendition) float64 {
	bytes, d := b.bytes, b.duration
	if b.segments < settled {
		for _, x := range r.open.parts {
			bytes += int64(len(x.data))
			d += x.duration
		}
	}
	if d <= 0 {
		return 0
	}
	return 8 * float64(bytes) / d.Seconds()
}

// roundRate rounds up to full kilobits a second.
func roundRate(bps float64) int { return int(math.Ceil(bps/1000)) * 1000 }

func bool2int(b bool) int {
	if b {
		return 1
	}
	return 0
}

// frameRates are the rates that encoders mean when a measurement comes close, the likelier one of two first.
var frameRates = []float64{10, 12, 12.5, 15, 20, 24, 24000.0 / 1001, 25, 30, 30000.0 / 1001, 48, 50, 60, 60000.0 / 1001, 90, 100, 120, 120000.0 / 1001}

// frameRate is FRAME-RATE: that of the newest segment, and kept until one is off by more than a tenth.
func (b *rates) frameRate(r *rendition) float64 {
	fps, ticks := r.open.frameRate(r.timescale()), r.open.ticks
	if n := len(b.run); n > 0 {
		fps, ticks = b.run[n-1].frameRate, media.Ticks(b.run[n-1].duration, r.timescale())
	}
	if fps == 0 || b.shownFPS > 0 && math.Abs(fps-b.shownFPS) < b.shownFPS/10 {
		return b.shownFPS
	}
	// A host's clock of milliseconds leaves an error of that size at both ends.
	tolerance := 0.0005 + 0.002*float64(r.timescale())/float64(ticks)
	for _, f := range frameRates {
		if math.Abs(fps-f) < tolerance*f {
			fps = f
			break
		}
	}
	b.shownFPS = fps
	return fps
}

// forget begins anew with what depends on the encoder's settings.
func (b *rates) forget() { b.run, b.shownFPS, b.keys = nil, 0, keyRates{} }
