package packager

import (
	"fmt"
	"time"
)

// Latency is what viewers' delay and a CDN's request count depend on.
type Latency struct {
	// Part is PART-TARGET: no part is longer, and a viewer asks for a playlist and a part that often.
	Part time.Duration `yaml:"part"`
	// HoldBack is PART-HOLD-BACK: how far behind the edge players stay.
	HoldBack time.Duration `yaml:"hold_back"`
	// Segment is the shortest segment that a keyframe ends; EXT-X-TARGETDURATION follows from it.
	Segment time.Duration `yaml:"segment"`
}

// Preset returns one of the named latencies: lowest, low, balanced or safe.
//
// The part targets are those that whole AAC frames fit well: 10, 16, 24 and 47 frames of 1,024 samples
// at 48 kHz.
func Preset(name string) (Latency, bool) {
	l, ok := map[string]Latency{
		"lowest":   {213400 * time.Microsecond, 650 * time.Millisecond, 2 * time.Second},
		"low":      {341400 * time.Microsecond, 1050 * time.Millisecond, 2 * time.Second},
		"balanced": {512 * time.Millisecond, 1600 * time.Millisecond, 2 * time.Second},
		"safe":     {1003 * time.Millisecond, 3100 * time.Millisecond, 4 * time.Second},
	}[name]
	return l, ok
}

// PresetNames lists the presets, lowest latency first.
func PresetNames() []string { return []string{"lowest", "low", "balanced", "safe"} }

// DefaultPreset is the latency of a zero Config.
const DefaultPreset = "low"

// Bounds of a Config.
const (
	// minPart: a part of whole AAC frames must last 85 % of the target. Between n and n+1 frames of
	// 1,024 samples that needs n ≥ 6, which is 0.149 s at 44.1 kHz (rfc8216bis 4.4.4.9).
	minPart    = 150 * time.Millisecond
	maxPart    = 4 * time.Second
	minSegment = time.Second
	// maxSegment bounds what a host with rare keyframes can make of a segment; the longest that rounds
	// to it is cut without a keyframe. Encoders' default of 250 frames fits at 24 frames a second and up.
	maxSegment = 10 * time.Second
	minWindow  = 10 * time.Second
	maxWindow  = 24 * time.Hour
	// minListed is how many segments a playlist keeps, whatever they last (Apple's authoring rule 8.11).
	minListed = 6

	defaultWindow = 30 * time.Second
)

// Config is the packager's part of the configuration. The zero value is usable.
type Config struct {
	// Latency defaults to the preset "low".
	Latency Latency
	// Window is how much of a running show can be seen again; 30 s by default. Playlists keep at least
	// three target durations and six segments, whatever it says.
	Window time.Duration
}

// WithDefaults returns c with its zero values filled in.
func (c Config) WithDefaults() Config {
	if c.Latency == (Latency{}) {
		c.Latency, _ = Preset(DefaultPreset)
	}
	if c.Window == 0 {
		c.Window = defaultWindow
	}
	return c
}

// Validate checks the rules that players hold a server to. Its errors name the key and the bound.
func (c Config) Validate() error {
	c = c.WithDefaults()
	l := c.Latency
	switch {
	case l.Part < minPart || l.Part > maxPart:
		return fmt.Errorf("latency.part is %v: it must be between %v and %v", l.Part, minPart, maxPart)
	case l.HoldBack < 3*l.Part:
		return fmt.Errorf("latency.hold_back is %v: players need at least three parts (%v)", l.HoldBack, 3*l.Part)
	case l.Segment < minSegment || l.Segment > maxSegment:
		return fmt.Errorf("latency.segment is %v: it must be between %v and %v", l.Segment, minSegment, maxSegment)
	case l.Segment < 2*l.Part:
		return fmt.Errorf("latency.segment is %v: it must hold at least two parts (%v)", l.Segment, 2*l.Part)
	case l.HoldBack > 3*l.Segment:
		return fmt.Errorf("latency.hold_back is %v: more than three segments (%v) is no low latency; make the parts longer instead", l.HoldBack, 3*l.Segment)
	case c.Window < minWindow || c.Window > maxWindow:
		return fmt.Errorf("window is %v: it must be between %v and %v", c.Window, minWindow, maxWindow)
	}
	return nil
}
