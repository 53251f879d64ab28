package media

import "bytes"

// What carries closed captions: SEI messages (H.264 table 7-1, HEVC table 7-1) and metadata OBUs (AV1 6.2.2).
const (
	avcSEI        = 6
	hevcPrefixSEI = 39
	obuMetadata   = 5

	seiT35      = 4 // user_data_registered_itu_t_t35
	metadataT35 = 4 // METADATA_TYPE_ITUT_T35
)

// captionMark is what captions begin with in a T.35 message (ATSC A/53 part 4, 6.2.3): the United States, the ATSC, and
// user_data_type_code cc_data.
var captionMark = []byte("\xB5\x00\x31GA94\x03")

// HasCaptions reports whether data, an access unit of t, carries closed captions (CEA-608 or CEA-708), be they empty at the moment.
// It takes next to nothing for units without SEI messages, and does not allocate for those without captions.
func HasCaptions(t Track, data []byte) bool {
	switch t.Codec {
	case CodecH264:
		for nal := range NALUnits(NALLengthSize(t), data) {
			if len(nal) > 1 && nal[0]&31 == avcSEI && captionsInSEI(nal[1:]) {
				return true
			}
		}
	case CodecHEVC:
		for nal := range NALUnits(NALLengthSize(t), data) {
			if len(nal) > 2 && nal[0]>>1&63 == hevcPrefixSEI && captionsInSEI(nal[2:]) {
				return true
			}
		}
	case CodecAV1:
		for typ, payload := range obus(data) {
			if typ == obuMetadata && len(payload) > 1 && payload[0] == metadataT35 && bytes.HasPrefix(payload[1:], captionMark) {
				return true
			}
		}
	}
	return false
}

// captionsInSEI goes through the messages of an SEI NAL unit without its header (ISO/IEC 14496-10 7.3.2.3.1).
func captionsInSEI(sei []byte) bool {
	if !bytes.Contains(sei, captionMark) {
		return false
	}
	for b := unescape(sei); len(b) > 2; {
		typ, rest, ok := seiNumber(b)
		if !ok {
			return false
		}
		size, rest, ok := seiNumber(rest)
		if !ok || size > len(rest) {
			return false
		}
		if typ == seiT35 && bytes.HasPrefix(rest[:size], captionMark) {
			return true
		}
		b = rest[size:]
	}
	return false
}

// seiNumber reads a payload's type or size: bytes of 255, and one that is less.
func seiNumber(b []byte) (n int, rest []byte, ok bool) {
	for i, c := range b {
		n += int(c)
		if c < 255 {
			return n, b[i+1:], true
		}
	}
	return 0, nil, false
}
