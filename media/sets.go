package media

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Sets collects the parameter sets of an H.264 or HEVC track whose host sends them in band, and makes
// decoder configurations of them: RTP carries no avcC or hvcC.
//
// It is bounded: ids have ranges, sets a size. NewSets makes one.
type Sets struct {
	codec         Codec
	vps, sps, pps map[int][]byte // by id
}

// NewSets returns an empty collection for CodecH264 or CodecHEVC.
func NewSets(c Codec) *Sets {
	return &Sets{codec: c, vps: make(map[int][]byte), sps: make(map[int][]byte), pps: make(map[int][]byte)}
}

// Clone returns a copy that can be changed independently.
func (s *Sets) Clone() *Sets {
	return &Sets{codec: s.codec, vps: maps.Clone(s.vps), sps: maps.Clone(s.sps), pps: maps.Clone(s.pps)}
}

// Add takes nal if it is a parameter set, and reports whether it is one, and whether it says anything new.
// It copies. A set that can't be right is passed over.
func (s *Sets) Add(nal []byte) (isSet, changed bool) {
	kind := s.kind(nal)
	if kind == nil {
		return false, false
	}
	if parameterSet("parameter set", nal) != nil {
		return true, false
	}
	id, ok := s.id(nal)
	if !ok || bytes.Equal(kind[id], nal) {
		return true, false
	}
	kind[id] = bytes.Clone(nal)
	return true, true
}

// kind returns the map that nal belongs into, nil if it is no parameter set.
func (s *Sets) kind(nal []byte) map[int][]byte {
	if len(nal) == 0 {
		return nil
	}
	if s.codec == CodecH264 {
		switch nal[0] & 31 {
		case avcSPS:
			return s.sps
		case avcPPS:
			return s.pps
		}
		return nil
	}
	switch nal[0] >> 1 & 63 {
	case hevcVPS:
		return s.vps
	case hevcSPS:
		return s.sps
	case hevcPPS:
		return s.pps
	}
	return nil
}

// Largest ids (ISO/IEC 14496-10 7.4.2, ISO/IEC 23008-2 7.4.3).
const (
	maxAVCSPS, maxAVCPPS   = 31, 255
	maxHEVCSPS, maxHEVCPPS = 15, 63
)

// id reads the number of a parameter set.
func (s *Sets) id(nal []byte) (int, bool) {
	if s.codec == CodecH264 {
		r := &bitReader{b: unescape(nal[1:])}
		most := uint32(maxAVCPPS)
		if nal[0]&31 == avcSPS {
			r.skip(24)
			most = maxAVCSPS
		}
		id := r.ue()
		return int(id), r.err == nil && id <= most
	}
	if len(nal) < 2 {
		return 0, false
	}
	switch r := (&bitReader{b: unescape(nal[2:])}); nal[0] >> 1 & 63 {
	case hevcVPS:
		id := r.u(4)
		return int(id), r.err == nil
	case hevcPPS:
		id := r.ue()
		return int(id), r.err == nil && id <= maxHEVCPPS
	}
	h, err := readHEVCHead(nal)
	return int(h.id), err == nil && h.id <= maxHEVCSPS
}

// errNoSets is Config's error while not all sets have come that a picture refers to.
var errNoSets = errors.New("the parameter sets that the picture refers to have not come")

// Config returns the decoder configuration for pictures that refer to the same parameter sets as slice, a
// NAL unit with the first slice of a picture. With a nil slice it is for the sets with the lowest ids, which
// is what an SDP has. The error says that a set is missing or broken.
func (s *Sets) Config(slice []byte) ([]byte, error) {
	ppsID, ok := s.pictureSet(slice)
	if !ok {
		return nil, errNoSets
	}
	spsID, ok := s.sequenceSet(s.pps[ppsID])
	sps := s.sps[spsID]
	if !ok || sps == nil {
		return nil, errNoSets
	}
	var pps [][]byte
	for _, id := range slices.Sorted(maps.Keys(s.pps)) {
		if of, ok := s.sequenceSet(s.pps[id]); ok && of == spsID {
			pps = append(pps, s.pps[id])
		}
	}
	if len(pps) > maxParameterSets-2 {
		return nil, fmt.Errorf("%d PPS, at most %d", len(pps), maxParameterSets-2)
	}
	if s.codec == CodecH264 {
		return avcC(sps, pps)
	}
	h, err := readHEVCHead(sps)
	if err != nil {
		return nil, err
	}
	vps := s.vps[int(h.vps)]
	if vps == nil {
		return nil, errNoSets
	}
	return hvcC(h, vps, sps, pps)
}

// pictureSet returns the id of the PPS that slice refers to, or the lowest there is.
func (s *Sets) pictureSet(slice []byte) (int, bool) {
	if slice == nil {
		ids := slices.Sorted(maps.Keys(s.pps))
		if len(ids) == 0 {
			return 0, false
		}
		return ids[0], true
	}
	r := s.sliceHead(slice)
	id := int(r.ue())
	return id, r.err == nil && s.pps[id] != nil
}

// sliceHead returns a reader that stands before the id of the slice's PPS.
func (s *Sets) sliceHead(slice []byte) *bitReader {
	const enough = 32 // bytes, for all that is read of slice headers
	r := &bitReader{}
	if s.codec == CodecH264 {
		if len(slice) < 1 {
			r.err = errShort
			return r
		}
		r.b = unescape(slice[1:min(len(slice), enough)])
		r.ue() // first_mb_in_slice
		r.ue() // slice_type
		return r
	}
	if len(slice) < 2 {
		r.err = errShort
		return r
	}
	r.b = unescape(slice[2:min(len(slice), enough)])
	r.skip(1) // first_slice_segment_in_pic_flag
	if typ := slice[0] >> 1 & 63; typ >= hevcFirstIRAP && typ <= 23 {
		r.skip(1) // no_output_of_prior_pics_flag
	}
	return r
}

// sequenceSet returns the id of the SPS that pps refers to.
func (s *Sets) sequenceSet(pps []byte) (int, bool) {
	head := 1
	if s.codec == CodecHEVC {
		head = 2
	}
	if len(pps) <= head {
		return 0, false
	}
	r := &bitReader{b: unescape(pps[head:])}
	r.ue() // pps_pic_parameter_set_id
	id := int(r.ue())
	return id, r.err == nil
}

// avcC writes an AVCDecoderConfigurationRecord (ISO/IEC 14496-15 5.3.3.1) with lengths of four bytes.
func avcC(sps []byte, pps [][]byte) ([]byte, error) {
	h, err := readAVCHead(sps)
	if err != nil {
		return nil, err
	}
	b := []byte{1, sps[1], sps[2], sps[3], 0xFC | 3, 0xE0 | 1}
	b = appendSet(b, sps)
	b = append(b, byte(len(pps)))
	for _, p := range pps {
		b = appendSet(b, p)
	}
	switch sps[1] {
	case 66, 77, 88:
	default:
		b = append(b, 0xFC|byte(h.chroma), 0xF8|byte(h.depthLuma), 0xF8|byte(h.depthChroma), 0)
	}
	return b, nil
}

// hvcC writes an HEVCDecoderConfigurationRecord (ISO/IEC 14496-15 8.3.3.1) with lengths of four bytes.
func hvcC(h hevcHead, vps, sps []byte, pps [][]byte) ([]byte, error) {
	const generalBytes = 12 // profile, compatibility, constraints, level
	rbsp := unescape(sps[2:])
	if len(rbsp) < 1+generalBytes {
		return nil, errShort
	}
	b := append([]byte{1}, rbsp[1:1+generalBytes]...)
	b = append(b,
		0xF0, 0, // min_spatial_segmentation_idc: nothing said
		0xFC, // parallelismType: nothing said
		0xFC|byte(h.chroma), 0xF8|byte(h.depthLuma), 0xF8|byte(h.depthChroma),
		0, 0, // avgFrameRate: nothing said
		byte(h.subLayers+1)<<3|h.nesting<<2|3, // temporal layers, nesting, lengths of four bytes
		3)
	for _, array := range []struct {
		typ  byte
		nals [][]byte
	}{{hevcVPS, [][]byte{vps}}, {hevcSPS, [][]byte{sps}}, {hevcPPS, pps}} {
		const complete = 0x80 // all of them are here
		b = append(b, complete|array.typ, 0, byte(len(array.nals)))
		for _, nal := range array.nals {
			b = appendSet(b, nal)
		}
	}
	return b, nil
}

func appendSet(b, nal []byte) []byte {
	return append(append(b, byte(len(nal)>>8), byte(len(nal))), nal...)
}
