// Package nut writes and reads NUT, the container that feeds an ffmpeg process and brings back what it has
// made ("NUT Open Container Format", versions 3 and 4).
//
// It is here because of what it does not do to time: every stream has the time base that it wants, and
// timestamps are whole 64-bit numbers in it. MPEG-TS wraps after 26.5 hours and can carry neither AV1 nor Opus as
// ffmpeg writes it; FLV rounds to milliseconds. And a packet is a packet: ffmpeg runs no parser behind
// its NUT reader, so that a picture does not wait for the one that follows it.
//
// Both ends are pure: bytes in, packets out, or the other way round. What Reader reads comes from a child
// process that has been fed with a stranger's pictures, so that every length is held against a maximum.
package nut

import "errors"

// fileID begins every file.
const fileID = "nut/multimedia container\x00"

// The startcodes of NUT's packets. All begin with 'N', which is no frame code.
const (
	startMain      = 0x4E4D_7A56_1F5F_04AD
	startStream    = 0x4E53_1140_5BF2_F9DB
	startSyncpoint = 0x4E4B_E4AD_EECA_4569
	startIndex     = 0x4E58_DD67_2F23_E64E
	startInfo      = 0x4E49_AB68_B596_BA78
)

// Flags of a frame code, and of a frame.
const (
	flagKey       = 1 << 0
	flagCodedPTS  = 1 << 3
	flagStreamID  = 1 << 4
	flagSizeMSB   = 1 << 5
	flagChecksum  = 1 << 6
	flagReserved  = 1 << 7
	flagSideData  = 1 << 8
	flagHeaderIdx = 1 << 10
	flagMatchTime = 1 << 11
	flagCoded     = 1 << 12
	flagInvalid   = 1 << 13
)

// Limits of what is read and written.
const (
	// MaxFrame bounds a frame. A keyframe of 4K video at 100 Mb/s has a few megabytes.
	MaxFrame = 16 << 20
	// maxPacket bounds headers, syncpoints and the like.
	maxPacket = 1 << 20
	// MaxExtradata bounds a decoder's configuration.
	MaxExtradata = 64 << 10
	// maxStreams and maxTimeBases bound a file's streams.
	maxStreams   = 32
	maxTimeBases = 64
	// longPacket is the length from which on a packet's header has a checksum of its own.
	longPacket = 4096
)

// Errors of both ends.
var (
	// ErrFormat is wrapped by the Reader's errors about bytes that are no NUT.
	ErrFormat = errors.New("no valid NUT")
	// ErrLimit is wrapped by errors about something that is longer than it may be.
	ErrLimit = errors.New("over the limit")
)

// Stream describes one stream of a file.
type Stream struct {
	// Audio says that it is sound, and not pictures.
	Audio bool
	// Tag is the codec's name: four characters, such as "H264".
	Tag string
	// Timescale is the number of ticks in a second of the stream's timestamps.
	Timescale int64
	// Extradata is the decoder's configuration in the form that ffmpeg has for the codec.
	Extradata []byte
	// Width and Height are the picture's, in samples.
	Width, Height int
	// FrameRate is the nominal rate in frames a second, zero if unknown. Readers leave it zero.
	FrameRate float64
	// SampleRate is in Hz.
	SampleRate, Channels int
}

// Frame is one packet of a stream.
type Frame struct {
	Stream int // index
	PTS    int64
	Key    bool
	Data   []byte
}

// crcTable is for the CRC with the polynomial 0x04C11DB7, most significant bit first, that begins at zero.
var crcTable = func() (t [256]uint32) {
	for i := range t {
		c := uint32(i) << 24
		for range 8 {
			top := c & (1 << 31)
			c <<= 1
			if top != 0 {
				c ^= 0x04C11DB7
			}
		}
		t[i] = c
	}
	return t
}()

func crc(b []byte) uint32 {
	c := uint32(0)
	for _, x := range b {
		c = c<<8 ^ crcTable[byte(c>>24)^x]
	}
	return c
}

// appendV appends a number in NUT's variable length: seven bits a byte, the most significant first.
func appendV(b []byte, v uint64) []byte {
	n := 1
	for x := v >> 7; x > 0; x >>= 7 {
		n++
	}
	for n--; n > 0; n-- {
		b = append(b, 0x80|byte(v>>(7*n)))
	}
	return append(b, byte(v&0x7F))
}

// appendS appends a number that has a sign.
func appendS(b []byte, v int64) []byte {
	if v > 0 {
		return appendV(b, uint64(2*v-1))
	}
	return appendV(b, uint64(-2*v))
}
