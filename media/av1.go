package media

import (
	"errors"
	"fmt"
	"iter"
)

// OBU types (AV1 specification 6.2.2).
const (
	obuSequenceHeader    = 1
	obuTemporalDelimiter = 2
	obuFrameHeader       = 3
	obuFrame             = 6
	obuPadding           = 15
)

// parseAV1C reads an AV1CodecConfigurationRecord ("AV1 Codec ISO Media File Format Binding" 2.3). The
// sequence header in it is optional there, but we need it: nothing else says how large the picture is.
func parseAV1C(b []byte) (Format, error) {
	const fixedBytes = 4
	if len(b) < fixedBytes {
		return Format{}, errShort
	}
	if b[0] != 0x81 {
		return Format{}, fmt.Errorf("marker and version are 0x%02x, not 0x81", b[0])
	}
	for typ, payload := range obus(b[fixedBytes:]) {
		if typ != obuSequenceHeader {
			continue
		}
		h, err := parseSequenceHeader(payload)
		if err != nil {
			return Format{}, fmt.Errorf("sequence header %w", err)
		}
		return h.format(av1Codecs(b, h.color))
	}
	return Format{}, fmt.Errorf("%w: it has no sequence header, which says how large the picture is", ErrUnsupported)
}

// obus iterates over the OBUs of a temporal unit or a configuration. It stops where one is cut off.
func obus(b []byte) iter.Seq2[uint8, []byte] {
	return func(yield func(uint8, []byte) bool) {
		for len(b) > 0 {
			typ, payload, rest, ok := cutOBU(b)
			if !ok || !yield(typ, payload) {
				return
			}
			b = rest
		}
	}
}

// cutOBU splits the first OBU off b (5.3.1). One that does not say its size is all that is left.
func cutOBU(b []byte) (typ uint8, payload, rest []byte, ok bool) {
	const hasExtension, hasSize = 0x04, 0x02
	head, at := b[0], 1
	if head&hasExtension != 0 {
		at++
	}
	if at > len(b) {
		return 0, nil, nil, false
	}
	typ, b = head>>3&15, b[at:]
	if head&hasSize == 0 {
		return typ, b, nil, true
	}
	size, n := leb128(b)
	if n == 0 || size > uint64(len(b)-n) {
		return 0, nil, nil, false
	}
	b = b[n:]
	return typ, b[:size], b[size:], true
}

// leb128 reads a number and returns how many bytes it took, zero if there is none (4.10.5).
func leb128(b []byte) (v uint64, n int) {
	for i := 0; i < 8 && i < len(b); i++ {
		v |= uint64(b[i]&0x7F) << (7 * i)
		if b[i]&0x80 == 0 {
			return v, i + 1
		}
	}
	return 0, 0
}

// av1Codecs writes the codec string (binding, section 5) from the fixed bytes of the record. The colour
// goes in where the stream says one that is not BT.709 in limited range, which the short form stands for.
func av1Codecs(b []byte, c Color) string {
	profile, level := b[1]>>5, b[1]&31
	tier := byte('M')
	if b[2]&0x80 != 0 {
		tier = 'H'
	}
	depth := 8
	if b[2]&0x40 != 0 {
		depth = 10
		if b[2]&0x20 != 0 {
			depth = 12
		}
	}
	s := fmt.Sprintf("av01.%d.%02d%c.%02d", profile, level, tier, depth)
	mono, chroma := b[2]>>4&1, [3]byte{b[2] >> 3 & 1, b[2] >> 2 & 1, b[2] & 3}
	const unspecified = 2
	if c.Primaries == 0 {
		c.Primaries, c.Transfer, c.Matrix = unspecified, unspecified, unspecified
	}
	usual := c == Color{Primaries: 1, Transfer: 1, Matrix: 1} ||
		c == Color{Primaries: unspecified, Transfer: unspecified, Matrix: unspecified}
	if mono == 0 && chroma == [3]byte{1, 1, 0} && usual {
		return s
	}
	full := 0
	if c.FullRange {
		full = 1
	}
	return s + fmt.Sprintf(".%d.%d%d%d.%02d.%02d.%02d.%d", mono, chroma[0], chroma[1], chroma[2],
		c.Primaries, c.Transfer, c.Matrix, full)
}

// parseSequenceHeader reads a sequence header OBU (AV1 specification 5.5.1).
func parseSequenceHeader(b []byte) (picture, error) {
	r := &bitReader{b: b}
	var p picture
	profile := r.u(3)
	r.skip(1) // still_picture
	reduced := r.flag()
	if reduced {
		r.skip(5) // seq_level_idx
	} else {
		readOperatingPoints(r, &p)
	}
	widthBits, heightBits := int(r.u(4))+1, int(r.u(4))+1
	width, height := int64(r.u(widthBits))+1, int64(r.u(heightBits))+1
	if r.err != nil {
		return picture{}, r.err
	}
	p.width, p.height = int(width), int(height)
	skipTools(r, reduced)
	c := readColorConfig(r, profile)
	if r.err == nil {
		p.color = c
	}
	return p, nil
}

// readOperatingPoints reads the timing information, and passes over the decoder models with it.
func readOperatingPoints(r *bitReader, p *picture) {
	var modelInfo bool
	delayBits := 0
	if r.flag() { // timing_info_present_flag
		tick, scale := r.u(32), r.u(32)
		if r.flag() { // equal_picture_interval
			ticks := (float64(r.ue()) + 1) * float64(tick)
			if ticks > 0 {
				p.rate = float64(scale) / ticks
			}
		}
		if modelInfo = r.flag(); modelInfo {
			delayBits = int(r.u(5)) + 1
			r.skip(32 + 5 + 5)
		}
	}
	delays := r.flag() // initial_display_delay_present_flag
	for range r.u(5) + 1 {
		r.skip(12)      // operating_point_idc
		if r.u(5) > 7 { // seq_level_idx
			r.skip(1)
		}
		if modelInfo && r.flag() { // decoder_model_present_for_this_op
			r.skip(2*delayBits + 1)
		}
		if delays && r.flag() { // initial_display_delay_present_for_this_op
			r.skip(4)
		}
	}
}

// skipTools passes over the coding tools between the picture size and the colours.
func skipTools(r *bitReader, reduced bool) {
	if !reduced && r.flag() { // frame_id_numbers_present_flag
		r.skip(4 + 3)
	}
	r.skip(3) // superblocks, filter_intra, intra_edge_filter
	if !reduced {
		r.skip(4) // interintra, masked, warped, dual_filter
		orderHint := r.flag()
		if orderHint {
			r.skip(2)
		}
		screenContent := true
		if !r.flag() { // seq_choose_screen_content_tools
			screenContent = r.flag()
		}
		if screenContent && !r.flag() { // seq_choose_integer_mv
			r.skip(1)
		}
		if orderHint {
			r.skip(3)
		}
	}
	r.skip(3) // superres, cdef, restoration
}

// readColorConfig is 5.5.2, as far as colours go.
func readColorConfig(r *bitReader, profile uint32) Color {
	const professional = 2
	if r.flag() && profile == professional { // high_bitdepth
		r.skip(1) // twelve_bit
	}
	mono := false
	if profile != 1 {
		mono = r.flag()
	}
	var c Color
	if r.flag() { // color_description_present_flag
		c.Primaries, c.Transfer, c.Matrix = uint8(r.u(8)), uint8(r.u(8)), uint8(r.u(8))
	}
	const bt709, srgb, identity = 1, 13, 0
	if !mono && c.Primaries == bt709 && c.Transfer == srgb && c.Matrix == identity {
		c.FullRange = true
		return c
	}
	c.FullRange = r.flag()
	return c
}

// av1RandomAccess reports whether a temporal unit begins with a shown key frame.
func av1RandomAccess(b []byte) bool {
	for typ, payload := range obus(b) {
		if typ != obuFrame && typ != obuFrameHeader {
			continue
		}
		const keyFrameShown = 0b0001 // show_existing_frame 0, frame_type KEY_FRAME 00, show_frame 1
		return len(payload) > 0 && payload[0]>>4 == keyFrameShown
	}
	return false
}

// validOBUs checks that b is a row of whole OBUs.
func validOBUs(b []byte) error {
	for len(b) > 0 {
		_, _, rest, ok := cutOBU(b)
		if !ok {
			return errors.New("av1: an OBU is cut off")
		}
		b = rest
	}
	return nil
}

// AV1Config returns an AV1CodecConfigurationRecord for a track whose sequence header OBU has this payload
// (binding 2.3): the form in which RTP's stream and MP4's sample entry meet.
func AV1Config(sequenceHeader []byte) ([]byte, error) {
	if len(sequenceHeader) > maxParameterSetBytes {
		return nil, fmt.Errorf("sequence header of %d bytes, at most %d", len(sequenceHeader), maxParameterSetBytes)
	}
	r := &bitReader{b: sequenceHeader}
	profile := r.u(3)
	r.skip(1) // still_picture
	reduced := r.flag()
	level, tier := uint32(0), uint32(0)
	if reduced {
		level = r.u(5)
	} else {
		ahead := *r
		level, tier = firstOperatingPoint(&ahead)
		readOperatingPoints(r, new(picture))
	}
	widthBits, heightBits := int(r.u(4))+1, int(r.u(4))+1
	r.skip(widthBits + heightBits)
	skipTools(r, reduced)
	colors := av1Chroma(r, profile)
	if r.err != nil {
		return nil, fmt.Errorf("sequence header %w", r.err)
	}
	b := []byte{0x81, byte(profile<<5 | level), byte(tier)<<7 | colors, 0, obuSequenceHeader<<3 | 2}
	b = AppendLEB128(b, uint64(len(sequenceHeader)))
	return append(b, sequenceHeader...), nil
}

// firstOperatingPoint reads the level and tier of operating point 0 (5.5.1).
func firstOperatingPoint(r *bitReader) (level, tier uint32) {
	if r.flag() { // timing_info_present_flag
		r.skip(64)
		if r.flag() { // equal_picture_interval
			r.ue()
		}
		if r.flag() { // decoder_model_info_present_flag
			r.skip(5 + 32 + 5 + 5)
		}
	}
	r.skip(1 + 5 + 12) // initial_display_delay_present_flag, count, operating_point_idc
	if level = r.u(5); level > 7 {
		tier = r.u(1)
	}
	return level, tier
}

// av1Chroma reads a colour configuration (5.5.2) into the low bits of the record's third byte.
func av1Chroma(r *bitReader, profile uint32) byte {
	high, twelve, mono := r.flag(), false, false
	if high && profile == 2 {
		twelve = r.flag()
	}
	if profile != 1 {
		mono = r.flag()
	}
	var primaries, transfer, matrix uint32 = 2, 2, 2
	if r.flag() { // color_description_present_flag
		primaries, transfer, matrix = r.u(8), r.u(8), r.u(8)
	}
	x, y, position := uint32(1), uint32(1), uint32(0)
	switch {
	case mono:
		r.skip(1) // color_range
	case primaries == 1 && transfer == 13 && matrix == 0: // sRGB
		x, y = 0, 0
	default:
		r.skip(1)
		switch {
		case profile == 1:
			x, y = 0, 0
		case profile == 2 && twelve:
			if x = r.u(1); x == 1 {
				y = r.u(1)
			} else {
				y = 0
			}
		case profile == 2:
			y = 0
		}
		if x == 1 && y == 1 {
			position = r.u(2)
		}
	}
	bit := func(b bool, at int) byte {
		if b {
			return 1 << at
		}
		return 0
	}
	return bit(high, 6) | bit(twelve, 5) | bit(mono, 4) | byte(x<<3|y<<2|position)
}

// AppendLEB128 appends v as AV1 writes sizes (4.10.5).
func AppendLEB128(b []byte, v uint64) []byte {
	for v >= 0x80 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v))
}
