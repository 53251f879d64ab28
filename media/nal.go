package media

import (
	"errors"
	"fmt"
	"iter"
)

// NAL unit types of H.264 (ISO/IEC 14496-10 table 7-1).
const (
	avcSlice     = 1
	avcIDR       = 5
	avcSPS       = 7
	avcPPS       = 8
	avcDelimiter = 9
)

// NAL unit types of HEVC (ISO/IEC 23008-2 table 7-1): the random access pictures, and the delimiter.
const (
	hevcFirstIRAP = 16 // BLA_W_LP
	hevcLastIRAP  = 21 // CRA_NUT
	hevcDelimiter = 35
)

// errLengths is what ValidUnit says of a unit whose lengths don't add up.
var errLengths = errors.New("the NAL unit lengths do not add up to the access unit")

// NALLengthSize returns how many bytes the length in front of each NAL unit of t has: 1, 2 or 4. It is
// zero for tracks without NAL units, and for configurations that ParseConfig refuses.
func NALLengthSize(t Track) int {
	at := 0
	switch t.Codec {
	case CodecH264:
		at = 4
	case CodecHEVC:
		at = 21
	}
	if at == 0 || at >= len(t.Config) {
		return 0
	}
	n := int(t.Config[at]&3) + 1
	if n == 3 {
		return 0
	}
	return n
}

// NALUnits iterates over the NAL units of a length-prefixed access unit. What it yields points into data.
// It stops where a length is wrong; ValidUnit tells. It does not allocate.
func NALUnits(lengthSize int, data []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for {
			nal, rest, ok := cutNAL(lengthSize, data)
			if !ok || !yield(nal) {
				return
			}
			data = rest
		}
	}
}

// cutNAL splits the first NAL unit off data.
func cutNAL(lengthSize int, data []byte) (nal, rest []byte, ok bool) {
	if lengthSize < 1 || lengthSize > 4 || len(data) < lengthSize {
		return nil, data, false
	}
	n := uint64(0)
	for _, c := range data[:lengthSize] {
		n = n<<8 | uint64(c)
	}
	data = data[lengthSize:]
	if n > uint64(len(data)) {
		return nil, data, false
	}
	return data[:n], data[n:], true
}

// ValidUnit checks that data is an access unit in the form that t's codec prescribes, as far as its
// framing goes: NAL units whose lengths add up, a row of whole OBUs, an Opus packet with a duration. Empty
// NAL units are let through: decoders skip them.
func ValidUnit(t Track, data []byte) error {
	if len(data) == 0 {
		return fmt.Errorf("%s: the access unit is empty", t.Codec)
	}
	switch t.Codec {
	case CodecH264, CodecHEVC:
		size := NALLengthSize(t)
		for len(data) > 0 {
			_, rest, ok := cutNAL(size, data)
			if !ok {
				return fmt.Errorf("%s: %w", t.Codec, errLengths)
			}
			data = rest
		}
	case CodecAV1:
		return validOBUs(data)
	case CodecOpus:
		if OpusDuration(data) == 0 {
			return errors.New("opus: the packet has no valid table of contents")
		}
	}
	return nil
}

// RandomAccess reports whether decoding can start at data, an access unit of t: an IDR picture in H.264,
// an IRAP picture in HEVC, a shown key frame in AV1. Audio and data units always say true.
func RandomAccess(t Track, data []byte) bool {
	switch t.Codec {
	case CodecH264:
		for nal := range NALUnits(NALLengthSize(t), data) {
			if len(nal) > 0 && nal[0]&31 == avcIDR {
				return true
			}
		}
		return false
	case CodecHEVC:
		for nal := range NALUnits(NALLengthSize(t), data) {
			if len(nal) > 0 {
				if typ := nal[0] >> 1 & 63; typ >= hevcFirstIRAP && typ <= hevcLastIRAP {
					return true
				}
			}
		}
		return false
	case CodecAV1:
		return av1RandomAccess(data)
	}
	return true
}

// inBand reports whether nal is something that a sample of type avc1 or hvc1 does not hold: a parameter
// set or an access unit delimiter. Those of the sample entry are all there are (ISO/IEC 14496-15 5.3.2).
func inBand(c Codec, nal []byte) bool {
	if len(nal) == 0 {
		return true
	}
	if c == CodecH264 {
		typ := nal[0] & 31
		return typ == avcSPS || typ == avcPPS || typ == avcDelimiter
	}
	typ := nal[0] >> 1 & 63
	return typ >= hevcVPS && typ <= hevcPPS || typ == hevcDelimiter
}

// StripInBand returns data, an access unit of t, without what samples of an MP4 file don't hold: parameter
// sets, delimiters and empty NAL units (types avc1 and hvc1), temporal delimiters and padding (av01). Where
// there are none it returns data itself, and otherwise a copy. It leaves other codecs, and units that
// ValidUnit refuses, as they are.
//
// Parameter sets that differ from the configuration's are lost: the caller has seen to it that a change
// came as a new configuration.
func StripInBand(t Track, data []byte) []byte {
	var cut func([]byte) (drop bool, rest []byte, ok bool)
	switch size := NALLengthSize(t); {
	case size > 0:
		cut = func(b []byte) (bool, []byte, bool) {
			nal, rest, ok := cutNAL(size, b)
			return inBand(t.Codec, nal), rest, ok
		}
	case t.Codec == CodecAV1:
		cut = func(b []byte) (bool, []byte, bool) {
			typ, _, rest, ok := cutOBU(b)
			return typ == obuTemporalDelimiter || typ == obuPadding, rest, ok
		}
	default:
		return data
	}
	return strip(data, cut)
}

// strip drops the pieces of data that cut says, if all of data can be cut into pieces.
func strip(data []byte, cut func([]byte) (drop bool, rest []byte, ok bool)) []byte {
	dropped := 0
	for left := data; len(left) > 0; {
		drop, rest, ok := cut(left)
		if !ok {
			return data
		}
		if drop {
			dropped += len(left) - len(rest)
		}
		left = rest
	}
	if dropped == 0 {
		return data
	}
	kept := make([]byte, 0, len(data)-dropped)
	for left := data; len(left) > 0; {
		drop, rest, _ := cut(left)
		if !drop {
			kept = append(kept, left[:len(left)-len(rest)]...)
		}
		left = rest
	}
	return kept
}
