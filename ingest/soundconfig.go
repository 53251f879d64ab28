package ingest

import (
	"fmt"
	"strconv"
	"strings"
)

// Sound is about what viewers hear. The zero value is usable.
type Sound struct {
	// Silence gives shows whose host sends pictures only a track of silence, for players and channels that
	// insist on sound; false by default.
	Silence bool `yaml:"silence"`
	// Convert says whether sound in a codec that players can't play (G.711, G.722, PCM, MP3) is made into AAC:
	// "auto", the default, where there is an ffmpeg; "off" leaves it out.
	Convert string `yaml:"convert"`
	// Ducking is by how much the show's own sound is lowered while an interpreter speaks, so that both are heard;
	// zero, the default, for an interpreter's voice alone.
	Ducking Decibels `yaml:"ducking"`
}

// The values of Sound.Convert.
const (
	ConvertAuto = "auto"
	ConvertOff  = "off"
)

// maxDucking is as good as silence.
const maxDucking = Decibels(60)

// WithDefaults returns s with its zero values filled in.
func (s Sound) WithDefaults() Sound {
	if s.Convert == "" {
		s.Convert = ConvertAuto
	}
	return s
}

// Validate checks the values. Its errors name the key.
func (s Sound) Validate() error {
	switch s.WithDefaults().Convert {
	case ConvertAuto, ConvertOff:
	default:
		return fmt.Errorf("convert is %q: it must be %s or %s", s.Convert, ConvertAuto, ConvertOff)
	}
	if s.Ducking < 0 || s.Ducking > maxDucking {
		return fmt.Errorf("ducking is %v: it must be from 0dB, which is off, to %v", s.Ducking, maxDucking)
	}
	return nil
}

// Converts reports whether sound that players can't play is to be converted.
func (s Sound) Converts() bool { return s.WithDefaults().Convert == ConvertAuto }

// Decibels is by how much sound is lowered. It is written with its unit, 12dB, or as off for zero.
type Decibels float64

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Decibels) UnmarshalText(text []byte) error {
	s := string(text)
	if s == "off" {
		*d = 0
		return nil
	}
	number, unit := strings.CutSuffix(strings.TrimSpace(s), "dB")
	f, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	switch {
	case err != nil || f != f:
		return fmt.Errorf("%q is no level: write a number and its unit, such as 12dB, or off", s)
	case !unit && f != 0:
		return fmt.Errorf("%s has no unit: write it as %sdB", s, s)
	}
	*d = Decibels(f)
	return nil
}

// String returns the level as UnmarshalText reads it.
func (d Decibels) String() string {
	if d == 0 {
		return "off"
	}
	return strconv.FormatFloat(float64(d), 'f', -1, 64) + "dB"
}
