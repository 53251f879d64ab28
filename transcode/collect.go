package transcode

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"pushcart/media"
	"pushcart/stream"
	"pushcart/transcode/contribute"
	"pushcart/transcode/ffmpeg"
	"pushcart/transcode/nut"
)

const (
	// readyLag is how close the rungs have to be to the show before they join it.
	readyLag = 500 * time.Millisecond
	// maxHeld bounds the pictures of a rung that wait for it to join.
	maxHeld = 4096
	// maxForeign is how many pictures may have times that no picture of the source has.
	maxForeign = 10
	// maxMissed is how many keyframes in a row a rung may be without: one that is broken may come out of the
	// decoder as another picture.
	maxMissed = 2
)

// collector takes what ffmpeg makes, and writes it to the show once all rungs are there: they join together, each
// with the keyframe of one and the same picture. Its methods are safe for concurrent use.
type collector struct {
	mu      sync.Mutex // guards what follows, but for the rungs' unpackers
	rungs   []*rungState
	show    contribute.Entrance
	ledger  ledger
	newest  int64 // presentation time of the newest picture of the source
	first   int64 // of the first one
	begun   bool  // there has been one
	lastOut time.Time
	foreign int
}

var _ ffmpeg.Collector = (*collector)(nil)

// rungState is a rung on its way.
type rungState struct {
	target
	unpack  *unpacker // of those who put this rung's pictures
	track   media.Track
	held    []media.AccessUnit // from a keyframe on, until the rung has joined
	last    int64              // presentation time of the newest picture
	begun   bool
	missed  int           // keyframes in a row that the source has and the rung has not
	latency time.Duration // what a picture takes through ffmpeg, smoothed
}

func newCollector(targets []target, join func([]media.Track) (*stream.Publisher, error)) *collector {
	c := &collector{show: contribute.Entrance{Join: join}, ledger: newLedger()}
	for _, t := range targets {
		c.rungs = append(c.rungs, &rungState{target: t})
	}
	return c
}

// source notes a picture of the source that goes into ffmpeg, before it does.
func (c *collector) source(au media.AccessUnit) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.begun {
		c.begun, c.first, c.newest = true, au.PTS, au.PTS
	}
	c.newest = max(c.newest, au.PTS)
	c.ledger.add(au.PTS, au.RandomAccess, time.Now())
}

// forget takes back what source has noted: the picture has been left out.
func (c *collector) forget(pts int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.ledger.entries, pts)
}

// Errors of put, which say what is wrong with the encoder.
var (
	errTimes     = errors.New("ffmpeg has changed the pictures' times")
	errOrder     = errors.New("the encoder makes B-frames, which come too late for a live show (options: -bf 0)")
	errKeyframes = errors.New("the encoder makes no keyframes where the host has them")
)

// Describe implements ffmpeg.Collector.
func (c *collector) Describe(i int, s nut.Stream) error {
	e, _ := encoderByName(c.rungs[i].Encoder)
	c.rungs[i].unpack = newUnpacker(e.codec, s)
	return nil
}

// Put implements ffmpeg.Collector.
func (c *collector) Put(i int, f nut.Frame) error {
	r := c.rungs[i]
	au, err := r.unpack.unit(f)
	if err != nil {
		return fmt.Errorf("%s (%s): %w", r.Label(), r.Encoder, err)
	}
	return c.put(i, r.unpack.track, au)
}

// put takes a picture of rung i, whose track is t. Its error is the end of this process.
func (c *collector) put(i int, t media.Track, au media.AccessUnit) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.show.Closed {
		return nil
	}
	r := c.rungs[i]
	in, known := c.ledger.entries[au.PTS]
	switch {
	case !known:
		if c.foreign++; c.foreign > maxForeign {
			return fmt.Errorf("%s: %w", r.Label(), errTimes)
		}
		return nil
	case r.begun && au.PTS <= r.last:
		return fmt.Errorf("%s (%s): %w", r.Label(), r.Encoder, errOrder)
	case in.key && au.RandomAccess:
		r.missed = 0
	case in.key:
		if r.missed++; r.missed > maxMissed {
			return fmt.Errorf("%s (%s): %w", r.Label(), r.Encoder, errKeyframes)
		}
	}
	now := time.Now()
	r.last, r.begun, c.lastOut = au.PTS, true, now
	const smooth = 16
	r.latency += (now.Sub(in.at) - r.latency) / smooth
	c.ledger.settle(c.slowest())
	au.Track = r.id
	if c.show.In() {
		return c.show.Write(au)
	}
	return c.hold(r, t, au)
}

// slowest is the time that all rungs have passed.
func (c *collector) slowest() int64 {
	slowest := c.newest
	for _, r := range c.rungs {
		if !r.begun {
			return c.first
		}
		slowest = min(slowest, r.last)
	}
	return slowest
}

// hold keeps a rung's GOP until all rungs can join with it. The caller holds the lock.
func (c *collector) hold(r *rungState, t media.Track, au media.AccessUnit) error {
	if au.RandomAccess || len(r.held) == maxHeld {
		clear(r.held)
		r.held = r.held[:0]
	}
	if len(r.held) == 0 && !au.RandomAccess {
		return nil
	}
	r.track = t
	r.held = append(r.held, au)
	if media.Duration(c.newest-c.slowest(), videoTimescale) > readyLag {
		return nil
	}
	for _, o := range c.rungs {
		if len(o.held) == 0 || o.held[0].PTS != r.held[0].PTS {
			return nil
		}
	}
	return c.begin()
}

// begin joins the show. The caller holds the lock.
func (c *collector) begin() error {
	tracks, held := make([]media.Track, len(c.rungs)), make([][]media.AccessUnit, len(c.rungs))
	for i, r := range c.rungs {
		t := r.track
		t.ID, t.Label, t.BitRate, t.FrameRate, t.Group = r.id, r.Label(), int(r.BitRate), r.FrameRate, r.AudioBitRate.Group()
		tracks[i], held[i] = t, r.held
		r.held = nil
	}
	return c.show.Enter(tracks, held)
}

// Leave implements ffmpeg.Collector.
func (c *collector) Leave(why error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.show.Leave(why)
}

// Vitals implements ffmpeg.Collector.
func (c *collector) Vitals() ffmpeg.Vitals {
	c.mu.Lock()
	defer c.mu.Unlock()
	return ffmpeg.Vitals{Joined: c.show.Joined, LastOut: c.lastOut, Lag: media.Duration(c.newest-c.slowest(), videoTimescale)}
}

// describe fills in what is known of each rung.
func (c *collector) describe(into []RungStatus) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range c.rungs {
		for i := range into {
			if into[i].id != r.id {
				continue
			}
			if c.show.In() {
				into[i].State = RungOn
			}
			if r.begun {
				into[i].Latency = r.latency
				into[i].Lag = media.Duration(c.newest-r.last, videoTimescale)
			}
		}
	}
}
