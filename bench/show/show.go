// Package show makes a synthetic show: H.264 pictures and AAC frames of a given size and rate, without
// an encoder. It exists for the load tool and the benchmarks, which want the same input every time, at
// almost no cost, on a machine that has no encoder to spare.
//
// The pictures decode in any player: macroblocks are either raw (I_PCM), which sets the bit rate
// exactly, or predicted without a residual. The sound is silence, padded to its bit rate. Each picture
// carries a mark that can be found in the bytes of whatever container a server puts it into, so that a
// frame can be recognised after it went through the server (FindLast).
package show

import (
	"fmt"
	"time"
)

// Config says what the show looks like. The zero value is 720p at 30 frames and 2.5 Mb/s, with a
// keyframe every 2 s, and stereo sound of 128 kb/s.
type Config struct {
	// Width and Height are in pixels: even, from 64 to 3840. Default 1280x720.
	Width, Height int
	// FrameRate is in frames a second, 1 to 120. Default 30.
	FrameRate int
	// GOP is the number of frames from keyframe to keyframe. Default: two seconds' worth.
	GOP int
	// VideoBits and AudioBits are bit rates, in bits a second. Defaults 2,372,000 and 128,000, together
	// 2.5 Mb/s. Rates below what the smallest frames take give the smallest frames.
	VideoBits, AudioBits int
	// Loop is how long it takes at least until pictures (and their marks) repeat. Default 20 s.
	Loop time.Duration
}

// SampleRate and FrameSamples are those of the sound: one AAC frame is FrameSamples at SampleRate.
const (
	SampleRate   = 48000
	FrameSamples = 1024
)

// keyWeight is how much larger a keyframe is than the others, about what encoders do with a camera's
// picture at a constant bit rate.
const keyWeight = 6

// Show is a finished show. Nobody modifies it, so any number of publishers can share one.
type Show struct {
	Config
	// AVCConfig is the AVCDecoderConfigurationRecord, AACConfig the AudioSpecificConfig.
	AVCConfig, AACConfig []byte
	// Pictures repeat without a seam; the first is a keyframe. Sound is one frame, the same every time.
	Pictures []Picture
	Sound    []byte
}

// Picture is one coded picture: length-prefixed NAL units.
type Picture struct {
	Key  bool
	Data []byte
}

// setDefaults fills in what is zero.
func (c *Config) setDefaults() {
	def := func(p *int, v int) {
		if *p == 0 {
			*p = v
		}
	}
	def(&c.Width, 1280)
	def(&c.Height, 720)
	def(&c.FrameRate, 30)
	def(&c.GOP, 2*c.FrameRate)
	def(&c.AudioBits, 128_000)
	def(&c.VideoBits, 2_500_000-c.AudioBits)
	if c.Loop == 0 {
		c.Loop = 20 * time.Second
	}
}

// validate names the first field that is out of range.
func (c *Config) validate() error {
	check := func(name string, v, lo, hi int) error {
		if v < lo || v > hi {
			return fmt.Errorf("show: %s is %d, must be from %d to %d", name, v, lo, hi)
		}
		return nil
	}
	for _, err := range []error{
		check("width", c.Width, 64, 3840),
		check("height", c.Height, 64, 3840),
		check("frame rate", c.FrameRate, 1, 120),
		check("GOP", c.GOP, 1, 10_000),
		check("video bit rate", c.VideoBits, 1, 200_000_000),
		check("audio bit rate", c.AudioBits, 1, 512_000),
		check("loop in seconds", int(c.Loop/time.Second), 0, 600),
	} {
		if err != nil {
			return err
		}
	}
	if c.Width%2 != 0 || c.Height%2 != 0 {
		return fmt.Errorf("show: width and height must be even, not %dx%d", c.Width, c.Height)
	}
	return nil
}

// New makes a show.
func New(c Config) (*Show, error) {
	c.setDefaults()
	if err := c.validate(); err != nil {
		return nil, err
	}
	s := &Show{Config: c, AVCConfig: avcConfig(&c), AACConfig: aacConfig(), Sound: silence(c.AudioBits)}
	gops := max(1, int(c.Loop.Seconds()*float64(c.FrameRate))/c.GOP)
	gops += gops % 2 // neighbouring IDR pictures need different idr_pic_ids, at the seam too
	gopBytes := float64(c.VideoBits) / 8 * float64(c.GOP) / float64(c.FrameRate)
	small := gopBytes / float64(c.GOP-1+keyWeight)
	spent, budget := 0.0, 0.0
	for i := range gops * c.GOP {
		key := i%c.GOP == 0
		if budget += small; key {
			budget += small * (keyWeight - 1)
		}
		data := drawPicture(&c, i, int(budget-spent))
		spent += float64(len(data))
		s.Pictures = append(s.Pictures, Picture{Key: key, Data: data})
	}
	return s, nil
}

// PictureTime returns when picture i (counted on through all repetitions) is due.
func (s *Show) PictureTime(i int) time.Duration {
	return time.Duration(int64(i) * int64(time.Second) / int64(s.FrameRate))
}

// SoundTime returns when AAC frame i is due.
func (s *Show) SoundTime(i int) time.Duration {
	return time.Duration(int64(i) * FrameSamples * int64(time.Second) / SampleRate)
}
