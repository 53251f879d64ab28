package sound

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"pushcart/media"
	"pushcart/stream"
	"pushcart/transcode/nut"
)

// maxHeld bounds the units of an output that wait for the others to begin: ten seconds and more.
const maxHeld = 1024

// errTimes is what is wrong with an ffmpeg whose units do not follow each other.
var errTimes = errors.New("ffmpeg has changed the times of the sound")

// collector takes what ffmpeg makes, and writes it to the show once all outputs have begun. Its methods are safe for
// concurrent use.
type collector struct {
	join func([]media.Track) (*stream.Publisher, error)

	mu      sync.Mutex // guards what follows
	outs    []*outState
	pub     *stream.Publisher // nil before they have joined
	first   time.Duration     // when the source's first unit is heard
	newest  time.Duration     // and its newest
	lastOut time.Time
	joined  time.Time // zero before they have
	closed  bool
}

// outState is an output on its way.
type outState struct {
	track  media.Track // with its configuration, once that is known
	start  int64       // time of its first unit
	next   int64       // of the one that is due
	begun  bool
	held   []media.AccessUnit // until all have begun
	newest time.Duration      // when what has come of it ends
}

// newCollector is for outputs that begin at starts, of a source whose first unit is heard at first.
func newCollector(outputs []output, starts []int64, first time.Duration, join func([]media.Track) (*stream.Publisher, error)) *collector {
	c := &collector{join: join, first: first, newest: first}
	for i, o := range outputs {
		c.outs = append(c.outs, &outState{track: o.track, start: starts[i], next: starts[i], newest: first})
	}
	return c
}

// source notes a unit that goes into ffmpeg.
func (c *collector) source(at time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.newest = max(c.newest, at)
}

// begin takes the description of output i. An error is about what ffmpeg makes.
func (c *collector) begin(i int, s nut.Stream) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := &c.outs[i].track
	t.Config = s.Extradata
	f, err := media.ParseConfig(*t)
	if err != nil {
		return err
	}
	if s.Timescale != t.Timescale || int64(f.SampleRate) != t.Timescale || f.FrameSamples != frameSamples {
		return fmt.Errorf("ffmpeg makes %s at %d Hz, and not at %d Hz", f.Codecs, f.SampleRate, t.Timescale)
	}
	return nil
}

// put takes a unit of output i. Its error is the end of this process.
func (c *collector) put(i int, f nut.Frame) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	o := c.outs[i]
	switch {
	case c.closed:
		return nil
	case f.PTS < o.start && !o.begun:
		return nil // what the encoder has made of the silence before its first sample
	case f.PTS != o.next:
		return fmt.Errorf("%w: a unit is at %d, and not at %d", errTimes, f.PTS, o.next)
	}
	o.begun = true
	o.next += frameSamples
	o.newest = media.Duration(o.next, o.track.Timescale)
	c.lastOut = time.Now()
	au := media.AccessUnit{Track: o.track.ID, DTS: f.PTS, PTS: f.PTS, RandomAccess: true, Data: f.Data}
	if c.pub != nil {
		return c.pub.Write(au)
	}
	if len(o.held) == maxHeld {
		return fmt.Errorf("one of %d outputs has not begun while another made %d units", len(c.outs), maxHeld)
	}
	o.held = append(o.held, au)
	for _, other := range c.outs {
		if !other.begun {
			return nil
		}
	}
	return c.enter()
}

// enter joins the show. The caller holds the lock.
func (c *collector) enter() error {
	var tracks []media.Track
	for _, o := range c.outs {
		tracks = append(tracks, o.track)
	}
	pub, err := c.join(tracks)
	if err != nil {
		return err
	}
	c.pub, c.joined = pub, time.Now()
	for {
		// Oldest first over all outputs: readers see one show.
		var next *outState
		for _, o := range c.outs {
			if len(o.held) > 0 && (next == nil || o.due() < next.due()) {
				next = o
			}
		}
		if next == nil {
			return nil
		}
		if err := pub.Write(next.held[0]); err != nil {
			return err
		}
		next.held = next.held[1:]
	}
}

// due is when the oldest held unit is heard.
func (o *outState) due() time.Duration { return media.Duration(o.held[0].DTS, o.track.Timescale) }

// leave takes the outputs out of the show, if they are in it. Nothing is written from here on.
func (c *collector) leave(why error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	if c.pub != nil {
		c.pub.Close(why)
	}
}

// vitals says how the outputs are doing.
func (c *collector) vitals() vitals {
	c.mu.Lock()
	defer c.mu.Unlock()
	v := vitals{joined: c.joined, lastOut: c.lastOut}
	for _, o := range c.outs {
		v.lag = max(v.lag, c.newest-o.newest)
	}
	return v
}
