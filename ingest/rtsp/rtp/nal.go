package rtp

import "bytes"

// Payload types of H.264 beside single NAL units (RFC 6184 table 1).
const (
	stapA = 24
	fuA   = 28
)

// AppendH264 takes the payloads of a whole frame apart and appends its NAL units to nals. They point into
// the payloads, except those that came in fragments, which are copied together.
func AppendH264(nals [][]byte, payloads [][]byte) ([][]byte, error) {
	var fragments fragments
	for _, p := range payloads {
		if len(p) == 0 {
			continue // some cameras pad a frame with an empty packet
		}
		typ := p[0] & 31
		if fragments.open() && typ != fuA {
			return nals, errUnfinished
		}
		var err error
		switch {
		case typ == stapA:
			nals, err = appendAggregate(nals, p[1:])
		case typ == fuA:
			if len(p) < 2 {
				return nals, errShortFragment
			}
			nals, err = fragments.add(nals, p[1], p[2:], p[0]&0xE0|p[1]&31)
		case bytes.HasPrefix(p, []byte{0, 0, 0, 1}), bytes.HasPrefix(p, startCode):
			nals = appendNAL(nals, p)
		case typ == 0 || typ > stapA:
			return nals, formatError("H.264 packets of type %d are not supported: set packetization mode 0 or 1", typ)
		default:
			nals = appendNAL(nals, p)
		}
		if err != nil {
			return nals, err
		}
	}
	return nals, fragments.whole(nals)
}

// Payload types of HEVC beside single NAL units (RFC 7798 section 4.4).
const (
	hevcAggregate = 48
	hevcFragment  = 49
	hevcPACI      = 50
)

// AppendHEVC does the same for HEVC, without decoding order numbers (sprop-max-don-diff 0).
func AppendHEVC(nals [][]byte, payloads [][]byte) ([][]byte, error) {
	var fragments fragments
	for _, p := range payloads {
		if len(p) == 0 {
			continue
		}
		if len(p) < 3 {
			return nals, formatError("a packet of %d bytes holds no NAL unit", len(p))
		}
		typ := p[0] >> 1 & 63
		if fragments.open() && typ != hevcFragment {
			return nals, errUnfinished
		}
		var err error
		switch {
		case typ == hevcAggregate:
			nals, err = appendAggregate(nals, p[2:])
		case typ == hevcFragment:
			nals, err = fragments.add(nals, p[2], p[3:], p[0]&0x81|p[2]&63<<1, p[1])
		case typ >= hevcPACI:
			return nals, formatError("HEVC packets of type %d are not supported", typ)
		default:
			nals = appendNAL(nals, p)
		}
		if err != nil {
			return nals, err
		}
	}
	return nals, fragments.whole(nals)
}

const (
	errUnfinished    = FormatError("a fragmented NAL unit has no end")
	errNoBeginning   = FormatError("a fragmented NAL unit has no beginning")
	errShortFragment = FormatError("a fragment has no header")
	errAggregate     = FormatError("the lengths in an aggregation packet do not add up")
	errNothing       = FormatError("a frame has no NAL unit")
	errManyNALs      = FormatError("a frame has too many NAL units")
)

// appendAggregate cuts up NAL units behind lengths of two bytes. Zeros at the end are padding.
func appendAggregate(nals [][]byte, p []byte) ([][]byte, error) {
	for len(p) >= 2 {
		size := int(p[0])<<8 | int(p[1])
		if p = p[2:]; size > len(p) {
			return nals, errAggregate
		}
		if size == 0 {
			if len(bytes.Trim(p, "\x00")) > 0 {
				return nals, errAggregate
			}
			return nals, nil
		}
		nals = appendNAL(nals, p[:size])
		p = p[size:]
	}
	if len(p) > 0 {
		return nals, errAggregate
	}
	return nals, nil
}

// startCode separates NAL units in a byte stream; no NAL unit contains it.
var startCode = []byte{0, 0, 1}

// appendNAL appends a NAL unit, or those in a piece of byte stream, which some cameras put into a packet
// where one NAL unit belongs.
func appendNAL(nals [][]byte, nal []byte) [][]byte {
	for {
		i := bytes.Index(nal, startCode)
		if i < 0 {
			break
		}
		if before := bytes.TrimRight(nal[:i], "\x00"); len(before) > 0 {
			nals = append(nals, before)
		}
		nal = nal[i+len(startCode):]
	}
	if len(nal) > 0 {
		nals = append(nals, nal)
	}
	return nals
}

// fragments puts one NAL unit together. Payloads of a frame are in order and without holes, so that only
// the host can have left something out.
type fragments struct {
	pieces [][]byte
	bytes  int
}

func (f *fragments) open() bool { return f.pieces != nil }

// add takes a fragment with the given FU header; head is the header that the whole NAL unit has.
func (f *fragments) add(nals [][]byte, fu byte, piece []byte, head ...byte) ([][]byte, error) {
	const start, end = 0x80, 0x40
	switch {
	case fu&start != 0 && f.open():
		return nals, errUnfinished
	case fu&start != 0:
		f.pieces, f.bytes = [][]byte{head}, len(head)
	case !f.open():
		return nals, errNoBeginning
	}
	f.pieces = append(f.pieces, piece)
	f.bytes += len(piece)
	if fu&end == 0 {
		return nals, nil
	}
	nal := make([]byte, 0, f.bytes)
	for _, p := range f.pieces {
		nal = append(nal, p...)
	}
	f.pieces = nil
	return appendNAL(nals, nal), nil
}

// whole says what is wrong with a frame at its end.
func (f *fragments) whole(nals [][]byte) error {
	switch {
	case f.open():
		return errUnfinished
	case len(nals) == 0:
		return errNothing
	case len(nals) > maxNALs:
		return errManyNALs
	}
	return nil
}
