package media

import (
	"errors"
	"fmt"
)

// Audio object types (ISO/IEC 14496-3 table 1.17).
const (
	aotLC  = 2
	aotSBR = 5
	aotPS  = 29
)

// aacRates are the sampling frequencies that have an index (table 1.18).
var aacRates = [...]int{96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350}

// aacChannels says how many loudspeakers a channel configuration has (table 1.19). Zero is reserved, or
// says that a program config element follows.
var aacChannels = [16]int{1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6, 7: 8, 11: 7, 12: 8, 13: 24, 14: 8}

// audioConfig is what an AudioSpecificConfig says.
type audioConfig struct {
	object    int // of the core: aotLC
	rate      int // of the core
	channels  int // channel configuration
	short     bool
	sbr, ps   bool
	extRate   int // what comes out after SBR
	extObject int
}

// parseASC reads an AudioSpecificConfig (ISO/IEC 14496-3 1.6.2.1).
func parseASC(b []byte) (Format, error) {
	c, err := readASC(b)
	if err != nil {
		return Format{}, err
	}
	f := Format{Codecs: "mp4a.40.2", SampleRate: c.rate, Channels: aacChannels[c.channels], FrameSamples: 1024}
	if c.short {
		f.FrameSamples = 960
	}
	if c.sbr {
		f.Codecs = "mp4a.40.5"
		f.FrameSamples *= c.extRate / c.rate
		f.SampleRate = c.extRate
	}
	if c.ps {
		f.Codecs = "mp4a.40.29"
		f.Channels = 2 // parametric stereo is made from mono
	}
	return f, nil
}

func readASC(b []byte) (audioConfig, error) {
	r := &bitReader{b: b}
	c := audioConfig{object: readObjectType(r)}
	c.rate = readSampleRate(r)
	c.channels = int(r.u(4))
	if c.object == aotSBR || c.object == aotPS { // explicit hierarchical signalling
		c.sbr, c.ps = true, c.object == aotPS
		c.extRate = readSampleRate(r)
		c.object = readObjectType(r)
	}
	if r.err != nil {
		return c, r.err
	}
	if c.object != aotLC {
		return c, fmt.Errorf("%w: audio object type %d; set the encoder to AAC-LC", ErrUnsupported, c.object)
	}
	c.short = r.flag() // frameLengthFlag
	if r.flag() {      // dependsOnCoreCoder
		return c, fmt.Errorf("%w: it depends on a core coder", ErrUnsupported)
	}
	r.skip(1) // extensionFlag
	if r.err != nil {
		return c, r.err
	}
	if c.channels == 0 {
		return c, fmt.Errorf("%w: a program config element; set the encoder to mono, stereo or 5.1", ErrUnsupported)
	}
	if aacChannels[c.channels] == 0 {
		return c, fmt.Errorf("channel configuration %d is reserved", c.channels)
	}
	if !c.sbr {
		readBackwardCompatible(r, &c)
	}
	return c, c.check()
}

// readObjectType is GetAudioObjectType.
func readObjectType(r *bitReader) int {
	const escape = 31
	if t := r.u(5); t != escape {
		return int(t)
	}
	return 32 + int(r.u(6))
}

// readSampleRate reads a sampling frequency, as index or in Hz; zero if it is reserved.
func readSampleRate(r *bitReader) int {
	const explicit = 15
	i := r.u(4)
	switch {
	case i == explicit:
		return int(r.u(24))
	case int(i) < len(aacRates):
		return aacRates[i]
	}
	return 0
}

// readBackwardCompatible looks behind the core's configuration for the SBR and PS extensions that old
// decoders don't see. Anything else there is padding: encoders leave much behind.
func readBackwardCompatible(r *bitReader, c *audioConfig) {
	const syncSBR, syncPS = 0x2B7, 0x548
	if r.left() < 16 || r.u(11) != syncSBR || readObjectType(r) != aotSBR || !r.flag() {
		return
	}
	rate := readSampleRate(r)
	if r.err != nil {
		return
	}
	c.sbr, c.extRate = true, rate
	if r.left() >= 12 && r.u(11) == syncPS {
		c.ps = r.flag()
	}
}

func (c *audioConfig) check() error {
	const minSampleRate = 7350
	if out := max(c.rate, c.extRate); c.rate < minSampleRate || out > maxSampleRate {
		return fmt.Errorf("sampling frequency %d Hz", out)
	}
	if c.sbr && c.extRate != c.rate && c.extRate != 2*c.rate {
		return fmt.Errorf("SBR from %d Hz to %d Hz", c.rate, c.extRate)
	}
	if c.ps && c.channels != 1 {
		return errors.New("parametric stereo on a core that is not mono")
	}
	return nil
}
