package media

import (
	"errors"
	"fmt"
)

// MP3Header is what the four bytes in front of an MPEG audio frame say (ISO/IEC 11172-3 2.4.1.3; MPEG-2 in ISO/IEC
// 13818-3; the three lowest rates are an extension that everybody knows as MPEG-2.5).
type MP3Header struct {
	SampleRate, Channels int
	// FrameSamples is how many samples of each channel the frame holds, and FrameBytes its length, header included.
	FrameSamples, FrameBytes int
}

const mp3HeaderBytes = 4

// Errors of ReadMP3.
var (
	errNoMP3    = errors.New("no MPEG audio frame begins here")
	errFreeForm = fmt.Errorf("%w: MPEG audio with a bit rate that its header does not tell", ErrUnsupported)
)

// The fields of an MPEG audio header.
const (
	mpeg25, mpeg2, mpeg1 = 0, 2, 3 // ID with the bit of MPEG-2.5 in front of it
	layerIII             = 1
	modeMono             = 3
)

// mp3Rates are the sampling rates by version and index.
var mp3Rates = [4][4]int{mpeg25: {11025, 12000, 8000}, mpeg2: {22050, 24000, 16000}, mpeg1: {44100, 48000, 32000}}

// mp3KBits are the bit rates of layer III in kb/s, for MPEG-1 and for the others.
var mp3KBits = map[bool][15]int{
	true:  {0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320},
	false: {0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160},
}

// ReadMP3 reads the header of the MPEG audio layer III frame that b begins with. The frame itself need not be there.
// Errors wrap ErrUnsupported for frames of layers I and II, and of no declared bit rate.
func ReadMP3(b []byte) (MP3Header, error) {
	if len(b) < mp3HeaderBytes || b[0] != 0xFF || b[1]&0xE0 != 0xE0 {
		return MP3Header{}, errNoMP3
	}
	version, layer := b[1]>>3&3, b[1]>>1&3
	kbits, rate, padding := b[2]>>4, mp3Rates[version][b[2]>>2&3], int(b[2]>>1&1)
	switch {
	case rate == 0 || kbits == 15 || layer == 0:
		return MP3Header{}, errNoMP3
	case layer != layerIII:
		return MP3Header{}, fmt.Errorf("%w: MPEG audio layer %s", ErrUnsupported, map[byte]string{2: "II (MP2)", 3: "I"}[layer])
	case kbits == 0:
		return MP3Header{}, errFreeForm
	}
	h := MP3Header{SampleRate: rate, Channels: 2, FrameSamples: mp3Samples(int64(rate))}
	if b[3]>>6 == modeMono {
		h.Channels = 1
	}
	h.FrameBytes = h.FrameSamples/8*mp3KBits[version == mpeg1][kbits]*1000/rate + padding
	return h, nil
}

// mp3Samples is the number of samples in a frame, which follows from the sampling rate; zero for a rate that there
// is not.
func mp3Samples(rate int64) int {
	for version, rates := range mp3Rates {
		for _, r := range rates {
			switch {
			case r == 0 || int64(r) != rate:
			case version == mpeg1:
				return 1152
			default:
				return 576
			}
		}
	}
	return 0
}

// splitMP3 cuts data into the frames of a track with format f.
func splitMP3(f Format, data []byte) (frames [][]byte, err error) {
	for len(data) > 0 {
		h, err := ReadMP3(data)
		switch {
		case err != nil:
			return frames, err
		case h.FrameBytes > len(data):
			return frames, fmt.Errorf("an MPEG audio frame of %d bytes with %d left", h.FrameBytes, len(data))
		case h.SampleRate != f.SampleRate:
			return frames, fmt.Errorf("an MPEG audio frame at %d Hz among those at %d", h.SampleRate, f.SampleRate)
		}
		frames = append(frames, data[:h.FrameBytes:h.FrameBytes])
		data = data[h.FrameBytes:]
	}
	if frames == nil {
		return nil, errNoMP3
	}
	return frames, nil
}

// silentMP3 is a frame of the lowest bit rate whose side information is zero throughout: no spectrum at all, and
// nothing taken from the frames before.
func silentMP3(f Format) []byte {
	for version, rates := range mp3Rates {
		for i, rate := range rates {
			if rate == 0 || rate != f.SampleRate {
				continue
			}
			const noCRC, lowest = 1, 1 << 4
			header := []byte{0xFF, 0xE0 | byte(version)<<3 | layerIII<<1 | noCRC, lowest | byte(i)<<2, 0}
			if f.Channels == 1 {
				header[3] = modeMono << 6
			}
			h, err := ReadMP3(header)
			if err != nil {
				return nil
			}
			return append(header, make([]byte, h.FrameBytes-mp3HeaderBytes)...)
		}
	}
	return nil
}
