package flv

import "pushcart/media"

// NAL unit types.
const (
	h264Slice = 1
	h264IDR   = 5
	h264SEI   = 6

	hevcFirstIRAP = 16 // BLA, IDR and CRA pictures
	hevcLastIRAP  = 21

	seiRecoveryPoint = 6
)

// LengthSize returns the number of bytes in the NAL unit lengths of frames that go with config, an
// avcC or hvcC body; 4 for a config too short to say, and for other codecs.
func LengthSize(c media.Codec, config []byte) int {
	switch {
	case c == media.CodecH264 && len(config) > 4:
		return int(config[4]&3) + 1
	case c == media.CodecHEVC && len(config) > 21:
		return int(config[21]&3) + 1
	}
	return 4
}

// CheckNALs walks the length-prefixed NAL units of an H.264 or HEVC frame. It reports whether
// decoding can start at it, whatever its header said: an IDR picture; for HEVC any IRAP picture; for
// H.264 also a picture that the header called a keyframe and that has a recovery point of zero frames
// (the open GOPs of x264). The error says how the lengths do not add up to the frame.
func CheckNALs(c media.Codec, lengthSize int, keyframe bool, data []byte) (randomAccess bool, err error) {
	recovery := false
	for rest := data; len(rest) > 0; {
		if len(rest) < lengthSize {
			return false, errorf("a frame has %d bytes after its last NAL unit", len(rest))
		}
		n := 0
		for _, b := range rest[:lengthSize] {
			n = n<<8 | int(b)
		}
		rest = rest[lengthSize:]
		if n > len(rest) {
			return false, errorf("a NAL unit of %d bytes in a frame that has %d left", n, len(rest))
		}
		nal := rest[:n]
		rest = rest[n:]
		if n == 0 {
			continue
		}
		if c == media.CodecHEVC {
			t := nal[0] >> 1 & 0x3F
			randomAccess = randomAccess || t >= hevcFirstIRAP && t <= hevcLastIRAP
			continue
		}
		switch nal[0] & 0x1F {
		case h264IDR:
			randomAccess = true
		case h264SEI:
			recovery = recovery || keyframe && recoversAtOnce(nal[1:])
		}
	}
	return randomAccess || recovery, nil
}

// recoversAtOnce reports whether an SEI NAL unit has a recovery point message (H.264 D.1.8) with
// recovery_frame_cnt 0. Emulation prevention does not matter in messages as short as those that come
// before one in practice; where it does, the answer is false.
func recoversAtOnce(sei []byte) bool {
	for len(sei) > 2 {
		var kind, size int
		kind, sei = seiNumber(sei)
		size, sei = seiNumber(sei)
		if size > len(sei) {
			return false
		}
		if kind == seiRecoveryPoint {
			return size > 0 && sei[0]&0x80 != 0 // ue(v) 0 is a single one bit
		}
		sei = sei[size:]
	}
	return false
}

// seiNumber reads a payload type or size: a run of 255s and the rest.
func seiNumber(b []byte) (n int, rest []byte) {
	for i, v := range b {
		n += int(v)
		if v != 0xFF {
			return n, b[i+1:]
		}
	}
	return n, nil
}

// StartsLikeAnnexB reports whether a frame that is broken begins with a start code in place of a
// length, to tell a host what is wrong. (A sound frame may begin with the same bytes.)
func StartsLikeAnnexB(data []byte) bool {
	return len(data) > 4 && data[0] == 0 && data[1] == 0 && (data[2] == 1 || data[2] == 0 && data[3] == 1)
}

// CheckOBUs walks the OBUs of an AV1 temporal unit (AV1 5.3) and returns it without the temporal
// delimiter that some encoders leave in front. The error says how the sizes do not add up.
func CheckOBUs(data []byte) ([]byte, error) {
	const temporalDelimiter = 2
	unit := data
	for rest := data; len(rest) > 0; {
		header := 1
		if rest[0]&0x04 != 0 { // obu_extension_flag
			header++
		}
		if rest[0]&0x02 == 0 { // no obu_size: the OBU goes to the end
			break
		}
		if len(rest) < header {
			return nil, FormatError("an OBU ends inside its header")
		}
		size, n := leb128(rest[header:])
		if n == 0 || size > uint64(len(rest)-header-n) {
			return nil, errorf("an OBU of %d bytes in a frame that has %d left", size, len(rest)-header)
		}
		first := len(rest) == len(data)
		kind := rest[0] >> 3 & 0x0F
		rest = rest[header+n+int(size):]
		if first && kind == temporalDelimiter {
			unit = rest
		}
	}
	return unit, nil
}

// leb128 reads a number of at most 8 bytes; n is their number, 0 if it does not end.
func leb128(b []byte) (v uint64, n int) {
	for i := 0; i < len(b) && i < 8; i++ {
		v |= uint64(b[i]&0x7F) << (7 * i)
		if b[i]&0x80 == 0 {
			return v, i + 1
		}
	}
	return 0, 0
}
