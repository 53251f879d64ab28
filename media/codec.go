package media

import (
	"errors"
	"fmt"
)

// ErrUnsupported is wrapped by ParseConfig for configurations that are valid but not ours yet.
var ErrUnsupported = errors.New("unsupported")

// Limits of what ParseConfig reads. Real configurations have some tens of bytes.
const (
	maxConfigBytes       = 1 << 16
	maxParameterSetBytes = 1 << 13
	maxParameterSets     = 64      // in one configuration, all kinds together
	maxDimension         = 1 << 14 // pixels; level 6.2 of HEVC ends at 8192x4320, AV1's at 16384x8704
	maxSampleRate        = 192000  // Hz
	maxFrameRate         = 300     // above it, timing information is nonsense: a clock's rate, not the pictures'
)

// Format is what a decoder configuration says about its track.
type Format struct {
	// Codecs is the RFC 6381 string for CODECS, such as "avc1.64001f", "hvc1.1.6.L93.B0",
	// "av01.0.08M.08", "mp4a.40.2" or "Opus". It is derived from the configuration bytes, and empty for codecs
	// that are ForTranscoding.
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
	// FrameSamples is the number of samples (at SampleRate) in one access unit of AAC or MP3; zero for codecs whose
	// units say it themselves (UnitSamples).
	FrameSamples int
}

// Color is the colour description of ISO/IEC 23091-2, as carried in a VUI and in a colr box of type nclx.
type Color struct {
	Primaries, Transfer, Matrix uint8
	FullRange                   bool
}

// ParseConfig reads the decoder configuration of t. Errors say what is wrong with the bytes, and
// wrap ErrUnsupported where the bytes are right but the house can't carry them.
//
// It keeps nothing of t.Config, and what it allocates is in proportion to the bytes that are there.
// Timing and colour are advice: where only they are broken, Format goes without them.
func ParseConfig(t Track) (Format, error) {
	f, err := parseConfig(t)
	if err != nil {
		return Format{}, fmt.Errorf("%s configuration: %w", t.Codec, err)
	}
	return f, nil
}

func parseConfig(t Track) (Format, error) {
	if len(t.Config) > maxConfigBytes {
		return Format{}, fmt.Errorf("%d bytes are more than %d", len(t.Config), maxConfigBytes)
	}
	switch t.Codec {
	case CodecH264:
		return parseAVCC(t.Config)
	case CodecHEVC:
		return parseHVCC(t.Config)
	case CodecAV1:
		return parseAV1C(t.Config)
	case CodecAAC:
		return parseASC(t.Config)
	case CodecOpus:
		return parseOpusHead(t.Config)
	case CodecPCMA, CodecPCMU, CodecL16, CodecG722, CodecMP3:
		return parseSound(t)
	}
	return Format{}, fmt.Errorf("%w: the codec has none", ErrUnsupported)
}

// picture is what the parameter sets of every video codec say.
type picture struct {
	width, height int // cropped, in samples
	sarH, sarV    int // zero: not said
	rate          float64
	color         Color
}

// format fills in what follows from p.
func (p picture) format(codecs string) (Format, error) {
	if p.width < 1 || p.height < 1 {
		return Format{}, errors.New("the picture has no size")
	}
	if p.width > maxDimension || p.height > maxDimension {
		return Format{}, fmt.Errorf("%w: pictures of %dx%d, at most %d either way",
			ErrUnsupported, p.width, p.height, maxDimension)
	}
	f := Format{
		Codecs: codecs,
		Width:  p.width, Height: p.height,
		CodedWidth: p.width, CodedHeight: p.height,
		AspectH: 1, AspectV: 1,
		Color: p.color,
	}
	if p.sarH > 0 && p.sarV > 0 {
		if w := (p.width*p.sarH + p.sarV/2) / p.sarV; w >= 1 && w <= maxDimension {
			f.Width, f.AspectH, f.AspectV = w, p.sarH, p.sarV
		}
	}
	if p.rate >= 1 && p.rate <= maxFrameRate {
		f.FrameRate = p.rate
	}
	return f, nil
}

// parameterSet checks the size of one parameter set.
func parameterSet(what string, nal []byte) error {
	if len(nal) == 0 {
		return fmt.Errorf("%s is empty", what)
	}
	if len(nal) > maxParameterSetBytes {
		return fmt.Errorf("%s of %d bytes, at most %d", what, len(nal), maxParameterSetBytes)
	}
	return nil
}
