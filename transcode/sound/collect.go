package sound

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

// maxHeld bounds the units of an output that wait for the others to begin: ten seconds and more.
const maxHeld = 1024

// errTimes is what is wrong with an ffmpeg whose units do not follow each other.
var errTimes = errors.New("ffmpeg has changed the times of the sound")

// collector takes what ffmpeg makes, and writes it to the show once all outputs have begun. Its methods are safe for
// concurrent use.
type collector struct {
	mu      sync.Mutex // guards what follows
	outs    []*outState
	show    contribute.Entrance
	newest  time.Duration // when the source's newest unit is heard
	lastOut time.Time
}

var _ ffmpeg.Collector = (*collector)(nil)

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
	c := &collector{show: contribute.Entrance{Join: join}, newest: first}
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

// Describe implements ffmpeg.Collector.
func (c *collector) Describe(i int, s nut.Stream) error {
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

// Put implements ffmpeg.Collector.
func (c *collector) Put(i int, f nut.Frame) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	o := c.outs[i]
	switch {
	case c.show.Closed:
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
	if c.show.In() {
		return c.show.Write(au)
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
	held := make([][]media.AccessUnit, len(c.outs))
	for i, o := range c.outs {
		held[i], o.held = o.held, nil
	}
	return c.show.Enter(c.tracks(), held)
}

// tracks are those that are made. The caller holds the lock.
func (c *collector) tracks() []media.Track {
	var list []media.Track
	for _, o := range c.outs {
		list = append(list, o.track)
	}
	return list
}

// away notes whether the voice is away that is to be heard in what is made, and tells the show.
func (c *collector) away(yes bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, o := range c.outs {
		o.track.Away = yes
	}
	if c.show.In() {
		c.show.Tell(c.tracks())
	}
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
	v := ffmpeg.Vitals{Joined: c.show.Joined, LastOut: c.lastOut}
	for _, o := range c.outs {
		v.Lag = max(v.Lag, c.newest-o.newest)
	}
	return v
}
