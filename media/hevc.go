package media

import (
	"errors"
	"fmt"
	"math/bits"
	"strconv"
)

// NAL unit types of HEVC (ISO/IEC 23008-2 table 7-1).
const (
	hevcVPS = 32
	hevcSPS = 33
	hevcPPS = 34
)

// parseHVCC reads an HEVCDecoderConfigurationRecord (ISO/IEC 14496-15 8.3.3.1).
func parseHVCC(b []byte) (Format, error) {
	const fixedBytes = 22
	r := &byteReader{b: b}
	head := r.take(fixedBytes)
	arrays := int(r.u8())
	if r.err != nil {
		return Format{}, r.err
	}
	if head[0] != 1 {
		return Format{}, fmt.Errorf("version %d, not 1", head[0])
	}
	if head[21]&3 == 2 {
		return Format{}, errors.New("NAL unit lengths of 3 bytes are not allowed")
	}
	sps, err := hevcSets(r, arrays)
	if err != nil {
		return Format{}, err
	}
	p, err := parseSPS265(sps)
	if err != nil {
		return Format{}, fmt.Errorf("SPS %w", err)
	}
	return p.format(hevcCodecs(head))
}

// hevcSets reads the arrays of parameter sets and returns the first SPS. All three kinds have to be
// there: in a sample entry of type hvc1 they are nowhere else.
func hevcSets(r *byteReader, arrays int) ([]byte, error) {
	var vps, sps, pps []byte
	count := 0
	for range arrays {
		typ := r.u8() & 63
		n := r.u16()
		if count += n; count > maxParameterSets {
			return nil, fmt.Errorf("%d parameter sets, at most %d", count, maxParameterSets)
		}
		for range n {
			nal := r.take(r.u16())
			if r.err != nil {
				return nil, r.err
			}
			if err := parameterSet("parameter set", nal); err != nil {
				return nil, err
			}
			switch {
			case typ == hevcVPS && vps == nil:
				vps = nal
			case typ == hevcSPS && sps == nil:
				sps = nal
			case typ == hevcPPS && pps == nil:
				pps = nal
			}
		}
	}
	if r.err != nil {
		return nil, r.err
	}
	if vps == nil || sps == nil || pps == nil {
		return nil, errors.New("VPS, SPS or PPS is missing")
	}
	return sps, nil
}

// hevcCodecs writes the codec string from the fixed bytes of the record (ISO/IEC 14496-15 annex E.3):
// profile, compatibility flags backwards in hexadecimal, tier and level, and the constraint bytes up to
// the last that is not zero.
func hevcCodecs(head []byte) string {
	s := []byte("hvc1.")
	if space := head[1] >> 6; space > 0 {
		s = append(s, 'A'+space-1)
	}
	s = strconv.AppendUint(s, uint64(head[1]&31), 10)
	compatibility := uint32(head[2])<<24 | uint32(head[3])<<16 | uint32(head[4])<<8 | uint32(head[5])
	s = append(s, '.')
	s = strconv.AppendUint(s, uint64(bits.Reverse32(compatibility)), 16)
	if head[1]&0x20 != 0 {
		s = append(s, ".H"...)
	} else {
		s = append(s, ".L"...)
	}
	s = strconv.AppendUint(s, uint64(head[12]), 10)
	constraints := head[6:12]
	for len(constraints) > 0 && constraints[len(constraints)-1] == 0 {
		constraints = constraints[:len(constraints)-1]
	}
	for _, c := range constraints {
		s = fmt.Appendf(s, ".%X", c)
	}
	return string(s)
}
