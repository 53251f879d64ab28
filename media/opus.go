package media

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// opusRate is the rate that an Opus decoder puts out, whatever went into the encoder.
const opusRate = 48000

// opusStreams is how the channels of an OpusHead are spread over elementary Opus streams.
type opusStreams struct {
	channels, streams, coupled int
}

// parseOpusHead reads an OpusHead behind its magic (RFC 7845 5.1).
func parseOpusHead(b []byte) (Format, error) {
	s, err := readOpusHead(b)
	if err != nil {
		return Format{}, err
	}
	return Format{Codecs: "Opus", SampleRate: opusRate, Channels: s.channels}, nil
}

func readOpusHead(b []byte) (opusStreams, error) {
	const fixedBytes, offsetFamily, maxSurround = 11, 10, 8
	if len(b) < fixedBytes {
		return opusStreams{}, errShort
	}
	if b[0]&0xF0 != 0 {
		return opusStreams{}, fmt.Errorf("%w: version %d", ErrUnsupported, b[0])
	}
	channels := int(b[1])
	switch family := b[offsetFamily]; family {
	case 0:
		if channels < 1 || channels > 2 {
			return opusStreams{}, fmt.Errorf("%d channels in mapping family 0", channels)
		}
		return opusStreams{channels: channels, streams: 1, coupled: channels - 1}, nil
	case 1:
		if channels < 1 || channels > maxSurround {
			return opusStreams{}, fmt.Errorf("%d channels in mapping family 1", channels)
		}
		return readOpusMapping(b[fixedBytes:], channels)
	default:
		return opusStreams{}, fmt.Errorf("%w: channel mapping family %d; set the encoder to stereo", ErrUnsupported, family)
	}
}

// readOpusMapping reads the channel mapping table (RFC 7845 5.1.1).
func readOpusMapping(b []byte, channels int) (opusStreams, error) {
	if len(b) < 2+channels {
		return opusStreams{}, errShort
	}
	s := opusStreams{channels: channels, streams: int(b[0]), coupled: int(b[1])}
	if s.streams < 1 || s.coupled > s.streams || s.streams+s.coupled > 255 {
		return opusStreams{}, fmt.Errorf("%d streams, %d of them coupled", s.streams, s.coupled)
	}
	const silent = 255
	for _, m := range b[2 : 2+channels] {
		if int(m) >= s.streams+s.coupled && m != silent {
			return opusStreams{}, errors.New("the channel mapping names a stream that is not there")
		}
	}
	return s, nil
}

// OpusPreSkip returns how many samples at 48 kHz a decoder set up with config (an OpusHead body) drops at
// the beginning.
func OpusPreSkip(config []byte) int {
	if len(config) < 4 {
		return 0
	}
	return int(binary.LittleEndian.Uint16(config[2:]))
}

// OpusDuration returns how long an Opus packet lasts (RFC 6716 section 3.1), zero if it is malformed.
// Of a packet with several streams it looks at the first; they all last as long.
func OpusDuration(packet []byte) time.Duration {
	const maxDuration = 120 * time.Millisecond
	if len(packet) == 0 {
		return 0
	}
	frames := 1
	switch packet[0] & 3 {
	case 1, 2:
		frames = 2
	case 3:
		if len(packet) < 2 {
			return 0
		}
		frames = int(packet[1] & 63)
	}
	d := time.Duration(frames) * opusFrameDuration(packet[0]>>3)
	if d > maxDuration {
		return 0
	}
	return d
}

// opusFrameDuration is table 2 of RFC 6716, by configuration number: SILK, hybrid, CELT.
func opusFrameDuration(config byte) time.Duration {
	const ms = time.Millisecond
	switch {
	case config < 12:
		return [...]time.Duration{10 * ms, 20 * ms, 40 * ms, 60 * ms}[config&3]
	case config < 16:
		return [...]time.Duration{10 * ms, 20 * ms}[config&1]
	default:
		return 5 * ms / 2 << (config & 3)
	}
}
