package media

import (
	"bytes"
	"errors"
	"fmt"
	"time"
)

// ForTranscoding reports whether c is sound that HLS can't carry: tracks in it are Internal, and only good for making
// others of them.
func (c Codec) ForTranscoding() bool {
	switch c {
	case CodecPCMA, CodecPCMU, CodecL16, CodecG722, CodecMP3:
		return true
	}
	return false
}

// Bounds of sound for transcoding.
const (
	minSoundRate     = 5512 // Hz; the lowest that FLV knows
	maxSoundChannels = 8
	g722Rate         = 16000
)

// parseSound reads the configuration of a codec for transcoding: one byte, the number of channels. The sampling
// rate is the track's timescale.
func parseSound(t Track) (Format, error) {
	if len(t.Config) != 1 {
		return Format{}, fmt.Errorf("%d bytes, and not the one with the number of channels", len(t.Config))
	}
	f := Format{SampleRate: int(t.Timescale), Channels: int(t.Config[0])}
	most := maxSoundChannels
	switch t.Codec {
	case CodecG722:
		most = 1
		if t.Timescale != g722Rate {
			return Format{}, fmt.Errorf("a sampling rate of %d Hz where there is only %d", t.Timescale, g722Rate)
		}
	case CodecMP3:
		most = 2
		if f.FrameSamples = mp3Samples(t.Timescale); f.FrameSamples == 0 {
			return Format{}, fmt.Errorf("a sampling rate of %d Hz", t.Timescale)
		}
	}
	switch {
	case t.Timescale < minSoundRate || t.Timescale > maxSampleRate:
		return Format{}, fmt.Errorf("a sampling rate of %d Hz", t.Timescale)
	case f.Channels < 1 || f.Channels > most:
		return Format{}, fmt.Errorf("%w: %d channels, at most %d", ErrUnsupported, f.Channels, most)
	}
	return f, nil
}

// UnitSamples returns how many samples of each channel, at f.SampleRate, an access unit of audio lasts; zero if its
// bytes make no sense. f is the format of its track, which is in codec c.
func UnitSamples(c Codec, f Format, unit []byte) int64 {
	switch c {
	case CodecOpus:
		return Ticks(OpusDuration(unit), int64(f.SampleRate))
	case CodecPCMA, CodecPCMU, CodecL16:
		return int64(len(unit) / sampleBytes(c, f))
	case CodecG722:
		return 2 * int64(len(unit))
	}
	return int64(f.FrameSamples)
}

// sampleBytes is how many bytes a sample of all channels takes.
func sampleBytes(c Codec, f Format) int {
	if c == CodecL16 {
		return 2 * f.Channels
	}
	return f.Channels
}

// longestUnit is how long a unit of sound without frames is made at most: what holds more is cut, so that it is as
// fine as other codecs' units.
const longestUnit = 40 * time.Millisecond

// What SplitSound says no with.
var errNoSample = errors.New("less than a sample")

// SplitSound cuts the sound of one message, or packet, into access units, all of them parts of data: MP3 into its
// frames; G.711, G.722 and PCM into equal parts, to a sample, of at most 40 ms. Codecs with frames of their own, such as
// AAC, are one unit. A last sample that is not whole is left out. An error says that nothing, or not all, made sense;
// the units before the fault are good.
func SplitSound(c Codec, f Format, data []byte) ([][]byte, error) {
	switch c {
	case CodecMP3:
		return splitMP3(f, data)
	case CodecPCMA, CodecPCMU, CodecL16, CodecG722:
	default:
		return [][]byte{data}, nil
	}
	size := 1
	if c != CodecG722 {
		size = sampleBytes(c, f)
	}
	whole := len(data) / size
	if whole == 0 {
		return nil, errNoSample
	}
	longest := int(Ticks(longestUnit, int64(f.SampleRate)))
	if c == CodecG722 {
		longest /= 2 // a byte is two samples
	}
	n := (whole + longest - 1) / longest
	units := make([][]byte, n)
	for i := range units {
		from, to := whole*i/n*size, whole*(i+1)/n*size
		units[i] = data[from:to:to]
	}
	return units, nil
}

// silentUnit is how long the silence of sound without frames is.
const silentUnit = 20 * time.Millisecond

// silentSound is silence for a codec for transcoding.
func silentSound(c Codec, f Format) []byte {
	n := int(Ticks(silentUnit, int64(f.SampleRate)))
	switch c {
	case CodecPCMA:
		return bytes.Repeat([]byte{0xD5}, n*f.Channels) // the smallest positive value, every other bit inverted
	case CodecPCMU:
		return bytes.Repeat([]byte{0xFF}, n*f.Channels)
	case CodecL16:
		return make([]byte, 2*n*f.Channels)
	case CodecG722:
		// No step up or down in either band (ITU-T G.722 tables 16 and 17), so that a decoder comes to rest.
		return bytes.Repeat([]byte{0xFD}, n/2)
	case CodecMP3:
		return silentMP3(f)
	}
	return nil
}
