package media

import (
	"errors"
	"time"
)

// ErrUnsupported is wrapped by ParseConfig for configurations that are valid but not ours yet.
var ErrUnsupported = errors.New("unsupported")

// Format is what a decoder configuration says about its track.
type Format struct {
	// Codecs is the RFC 6381 string for CODECS, such as "avc1.64001f", "hvc1.1.6.L93.B0",
	// "av01.0.08M.08", "mp4a.40.2" or "Opus". It is derived from the configuration bytes.
	Codecs string

	// Width and Height are the display size in pixels: cropped, and with the sample aspect ratio
	// applied to the width.
	Width, Height int
	// CodedWidth and CodedHeight are the cropped size in samples, as a sample entry wants them.
	CodedWidth, CodedHeight int
	// AspectH:AspectV is the sample aspect ratio, 1:1 when the stream does not say.
	AspectH, AspectV int
	// FrameRate is the rate in the stream's own timing information, zero if there is none.
	FrameRate float64
	// Color is the VUI colour description; the zero value means that the stream does not say.
	Color Color

	// SampleRate is in Hz: the rate that comes out of the decoder. Channels counts loudspeakers.
	SampleRate, Channels int
	// FrameSamples is the number of samples (at SampleRate) in one AAC access unit; zero for Opus,
	// whose packets say it themselves (OpusDuration).
	FrameSamples int
}

// Color is the colour description of ISO/IEC 23091-2, as carried in a VUI and in a colr box of type nclx.
type Color struct {
	Primaries, Transfer, Matrix uint8
	FullRange                   bool
}

// ParseConfig reads the decoder configuration of t. Errors say what is wrong with the bytes, and
// wrap ErrUnsupported where the bytes are right but the house can't carry them.
func ParseConfig(t Track) (Format, error) { panic("filled by media helper") }

// Silence returns one access unit that decodes to silence for an audio track with configuration f,
// nil if none is known. The bytes are shared: nobody modifies them.
func Silence(t Track, f Format) []byte { panic("filled by media helper") }

// OpusDuration returns how long an Opus packet lasts (RFC 6716 section 3.1), zero if it is malformed.
func OpusDuration(packet []byte) time.Duration { panic("filled by media helper") }
