package transcode

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"pushcart/media"
	"pushcart/transcode/ffmpeg"
)

// Config is the ladder's part of the configuration. The zero value is usable, and transcodes nothing.
type Config struct {
	// FFmpeg is the program, by name or path; "ffmpeg" by default.
	FFmpeg string `yaml:"ffmpeg"`
	// MaxShows is how many shows are transcoded at a time; 2 by default. The others go out as they come.
	MaxShows int `yaml:"max_shows"`
	// Nice is how far ffmpeg stands back behind the server itself when there is not enough CPU for
	// both: 1 (hardly) to 19; 5 by default.
	Nice int `yaml:"nice"`
	// Device is the GPU that VAAPI and QSV encoders use, such as /dev/dri/renderD128; empty for ffmpeg's choice.
	Device string `yaml:"device"`
	// Shows says which shows get which rungs: the first entry that matches counts. None by default.
	Shows []Ladder `yaml:"shows"`
}

// Ladder is the rungs of all shows whose names match.
type Ladder struct {
	// Match is a show's name, or a pattern with * and ?.
	Match string `yaml:"match"`
	// Rungs may be in any order.
	Rungs []Rung `yaml:"rungs"`
}

// Rung is one rendition that is made of the host's own.
type Rung struct {
	// ShortSide is the picture's height, or the width of a portrait: 720 makes 1280x720 or 720x1280.
	ShortSide int `yaml:"short_side"`
	// BitRate is the rate of the pictures.
	BitRate BitRate `yaml:"bitrate"`
	// FrameRate is the most pictures a second; those of the host that are too many are left out. Zero, the
	// default, keeps all of them.
	FrameRate float64 `yaml:"frame_rate"`
	// Codec is h264 (the default), hevc or av1.
	Codec string `yaml:"codec"`
	// Encoder is ffmpeg's name of it; by default libx264, libx265 or libaom-av1.
	Encoder string `yaml:"encoder"`
	// AudioBitRate is the rate of the sound that goes with the rung; zero, the default, for the host's own sound as
	// it is. At most 512k.
	AudioBitRate BitRate `yaml:"audio_bitrate"`
	// Preset is the encoder's; empty for a fast one.
	Preset string `yaml:"preset"`
	// Options go to ffmpeg behind all others of the rung, as they are.
	Options []string `yaml:"options"`
}

// BitRate is in bits a second. It is written with a unit: 800k, 2.5M.
type BitRate int

// UnmarshalText implements encoding.TextUnmarshaler.
func (r *BitRate) UnmarshalText(text []byte) error {
	s := string(text)
	number, unit := s, 0.0
	switch {
	case strings.HasSuffix(s, "k"):
		number, unit = strings.TrimSuffix(s, "k"), 1e3
	case strings.HasSuffix(s, "M"):
		number, unit = strings.TrimSuffix(s, "M"), 1e6
	}
	f, err := strconv.ParseFloat(number, 64)
	const most = 1e6 // of any unit, so that the product is a number
	switch {
	case err != nil || !(f >= 0) || f > most && unit > 0:
		return fmt.Errorf("%q is no bit rate: write a number and its unit, such as 800k or 2.5M", s)
	case unit == 0:
		return fmt.Errorf("%s has no unit: write it as %sk for thousands of bits a second, or use M", s, s)
	}
	*r = BitRate(f * unit)
	return nil
}

// String returns the rate as UnmarshalText reads it.
func (r BitRate) String() string {
	if r >= 1e6 && r%1e5 == 0 {
		return strconv.FormatFloat(float64(r)/1e6, 'f', -1, 64) + "M"
	}
	return strconv.FormatFloat(float64(r)/1e3, 'f', -1, 64) + "k"
}

// Bounds of a Config.
const (
	defaultFFmpeg   = "ffmpeg"
	defaultMaxShows = 2
	defaultNice     = ffmpeg.DefaultNice

	maxShows   = 256
	maxNice    = 19
	maxLadders = 1000
	// maxRungs bounds a ladder: more are of no use to a player, and each is a track of the show.
	maxRungs     = 8
	maxOptions   = 64
	minShortSide = 64
	maxShortSide = 4320
	minBitRate   = BitRate(30_000)
	maxBitRate   = BitRate(100_000_000)
	maxFrameRate = 240

	minAudioBitRate = BitRate(16_000)
	maxAudioBitRate = BitRate(512_000)
)

// WithDefaults returns c with its zero values filled in, those of the rungs too.
func (c Config) WithDefaults() Config {
	if c.FFmpeg == "" {
		c.FFmpeg = defaultFFmpeg
	}
	if c.MaxShows == 0 {
		c.MaxShows = defaultMaxShows
	}
	if c.Nice == 0 {
		c.Nice = defaultNice
	}
	c.Shows = slices.Clone(c.Shows)
	for i := range c.Shows {
		l := &c.Shows[i]
		l.Rungs = slices.Clone(l.Rungs)
		for j := range l.Rungs {
			l.Rungs[j] = l.Rungs[j].withDefaults()
		}
	}
	return c
}

func (r Rung) withDefaults() Rung {
	if r.Encoder == "" {
		if r.Codec == "" {
			r.Codec = string(media.CodecH264)
		}
		r.Encoder = defaultEncoders[media.Codec(r.Codec)]
	}
	if e, ok := encoderByName(r.Encoder); ok && r.Codec == "" {
		r.Codec = string(e.codec)
	}
	return r
}

// Label is what a person calls the rung: "720p", "480p30" where the frame rate is its own.
func (r Rung) Label() string {
	label := strconv.Itoa(r.ShortSide) + "p"
	if r.FrameRate > 0 {
		label += strconv.FormatFloat(r.FrameRate, 'f', -1, 64)
	}
	return label
}

// Validate checks the bounds, and whether pushcart knows how to drive the encoders. Whether ffmpeg has them is
// seen when the server starts. Its errors name the key.
func (c Config) Validate() error {
	c = c.WithDefaults()
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if c.MaxShows < 1 || c.MaxShows > maxShows {
		fail("max_shows is %d: it must be between 1 and %d", c.MaxShows, maxShows)
	}
	if c.Nice < 1 || c.Nice > maxNice {
		fail("nice is %d: it must be between 1 and %d", c.Nice, maxNice)
	}
	if len(c.Shows) > maxLadders {
		fail("shows has %d entries: it can have at most %d", len(c.Shows), maxLadders)
	}
	for i, l := range c.Shows {
		key := fmt.Sprintf("shows[%d]", i)
		if _, err := path.Match(l.Match, ""); err != nil || l.Match == "" {
			fail(`%s.match is %q: it must be a show's name, or a pattern such as "shop-*"`, key, l.Match)
		}
		if len(l.Rungs) > maxRungs {
			fail("%s.rungs has %d entries: it can have at most %d", key, len(l.Rungs), maxRungs)
		}
		for j, r := range l.Rungs {
			if err := r.validate(); err != nil {
				fail("%s.rungs[%d].%w", key, j, err)
			}
		}
	}
	return errors.Join(errs...)
}

func (r Rung) validate() error {
	e, known := encoderByName(r.Encoder)
	switch {
	case r.ShortSide < minShortSide || r.ShortSide > maxShortSide || r.ShortSide%2 != 0:
		return fmt.Errorf("short_side is %d: it must be an even number between %d and %d, such as 720", r.ShortSide, minShortSide, maxShortSide)
	case r.BitRate < minBitRate || r.BitRate > maxBitRate:
		return fmt.Errorf("bitrate is %v: it must be between %v and %v", r.BitRate, minBitRate, maxBitRate)
	case r.FrameRate != 0 && (r.FrameRate < 1 || r.FrameRate > maxFrameRate):
		return fmt.Errorf("frame_rate is %v: it must be between 1 and %d", r.FrameRate, maxFrameRate)
	case r.AudioBitRate != 0 && (r.AudioBitRate < minAudioBitRate || r.AudioBitRate > maxAudioBitRate):
		return fmt.Errorf("audio_bitrate is %v: it must be between %v and %v", r.AudioBitRate, minAudioBitRate, maxAudioBitRate)
	case defaultEncoders[media.Codec(r.Codec)] == "" && r.Codec != "":
		return fmt.Errorf("codec is %q: it must be h264, hevc or av1", r.Codec)
	case !known:
		return fmt.Errorf("encoder is %q, which pushcart does not know how to drive: use %s", r.Encoder, strings.Join(encoderNames(), ", "))
	case string(e.codec) != r.Codec:
		return fmt.Errorf("encoder is %q, which makes %s and not %s", r.Encoder, e.codec, r.Codec)
	case len(r.Options) > maxOptions:
		return fmt.Errorf("options has %d entries: it can have at most %d", len(r.Options), maxOptions)
	}
	return nil
}

// Rungs returns the rungs of the show called name, for others who can make them; nil if it has none.
func (c Config) Rungs(name string) []Rung { return slices.Clone(c.ladderOf(name)) }

// AudioBitRates returns those that the rungs of the show called name want for their sound, each once. Rungs whose encoders
// are not among those that ffmpeg has want nothing: they are not made.
func (c Config) AudioBitRates(name string, encoders map[string]bool) []BitRate {
	var rates []BitRate
	for _, r := range c.ladderOf(name) {
		if r.AudioBitRate > 0 && encoders[r.Encoder] && !slices.Contains(rates, r.AudioBitRate) {
			rates = append(rates, r.AudioBitRate)
		}
	}
	return rates
}

// Group is the media.Track.Group of sound at that rate; empty for zero.
func (r BitRate) Group() string {
	if r == 0 {
		return ""
	}
	return r.String()
}

// ladderOf returns the rungs of the show called name, nil if it has none.
func (c Config) ladderOf(name string) []Rung {
	for _, l := range c.Shows {
		if ok, _ := path.Match(l.Match, name); ok {
			return l.Rungs
		}
	}
	return nil
}
