package media

import "slices"

// avcHead is the beginning of an H.264 SPS (ISO/IEC 14496-10 7.3.2.1.1), and what it says about the order
// of pictures.
type avcHead struct {
	id                             uint32
	chroma, depthLuma, depthChroma uint32
	planes                         bool // separate_colour_plane_flag
	frameNumBits                   int
	pocType                        uint32
	pocBits                        int    // of pic_order_cnt_lsb; pocType 0
	references                     uint32 // max_num_ref_frames
	macroblocks                    uint64 // in a frame
	framesOnly                     bool
	reorder                        int // max_num_reorder_frames
	reorderKnown                   bool
}

func readAVCHead(nal []byte) (avcHead, error) {
	if len(nal) < 4 || nal[0]&31 != avcSPS {
		return avcHead{}, errShort
	}
	r := &bitReader{b: unescape(nal[1:])}
	profile, constraints := r.u(8), r.u(8)
	r.skip(8) // level_idc
	h := avcHead{id: r.ue(), chroma: 1}
	if slices.Contains(highProfiles, profile) {
		ahead := *r
		if h.chroma = ahead.ue(); h.chroma == 3 {
			h.planes = ahead.flag()
		}
		h.depthLuma, h.depthChroma = ahead.ue(), ahead.ue()
		readChroma264(r)
	}
	h.frameNumBits = int(min(r.ue(), 12)) + 4
	ahead := *r
	if h.pocType = ahead.ue(); h.pocType == 0 {
		h.pocBits = int(min(ahead.ue(), 12)) + 4
	}
	readPOC264(r)
	h.references = r.ue()
	r.skip(1) // gaps_in_frame_num_value_allowed_flag
	ahead = *r
	width, lines := uint64(ahead.ue())+1, uint64(ahead.ue())+1
	if h.framesOnly = ahead.flag(); !h.framesOnly {
		lines *= 2
	}
	h.macroblocks = width * lines
	if r.err != nil || ahead.err != nil {
		return avcHead{}, errShort
	}
	if h.chroma > 3 || h.depthLuma > 6 || h.depthChroma > 6 {
		return avcHead{}, errGolomb
	}
	const baseline, constraintSet3 = 66, 0x10
	intra := constraints&constraintSet3 != 0 && (profile == 44 || profile == 86 || profile == 100 || profile == 110 || profile == 122 || profile == 244)
	if h.pocType == 2 || profile == baseline || intra {
		h.reorderKnown = true // pictures are shown as they are decoded
		return h, nil
	}
	if _, err := readSize264(r, min(h.chroma, 3)); err == nil && r.flag() { // vui_parameters_present_flag
		h.reorder, h.reorderKnown = readRestriction264(r)
	}
	return h, nil
}

// readRestriction264 goes through a VUI (annex E) up to max_num_reorder_frames, which is at its end.
func readRestriction264(r *bitReader) (reorder int, known bool) {
	readVUIHead(r, new(picture))
	if r.flag() { // timing_info_present_flag
		r.skip(32 + 32 + 1)
	}
	nal := r.flag()
	if nal {
		skipHRD264(r)
	}
	vcl := r.flag()
	if vcl {
		skipHRD264(r)
	}
	if nal || vcl {
		r.skip(1) // low_delay_hrd_flag
	}
	r.skip(1)      // pic_struct_present_flag
	if !r.flag() { // bitstream_restriction_flag
		return 0, false
	}
	r.skip(1) // motion_vectors_over_pic_boundaries_flag
	skipUE(r, 4)
	n := r.ue()
	return int(min(n, maxReferencePictures)), r.err == nil && n <= maxReferencePictures
}

func skipHRD264(r *bitReader) {
	const maxCounts = 32
	n := min(r.ue(), maxCounts-1) + 1
	r.skip(4 + 4)
	for range n {
		skipUE(r, 2)
		r.skip(1)
	}
	r.skip(4 * 5)
}

// hevcHead is the beginning of an HEVC SPS (ISO/IEC 23008-2 7.3.2.2.1).
type hevcHead struct {
	vps, id                        uint32
	subLayers                      int
	nesting                        byte
	chroma, depthLuma, depthChroma uint32
	reorder                        int // sps_max_num_reorder_pics of all sub-layers together
}

func readHEVCHead(nal []byte) (hevcHead, error) {
	if len(nal) < 3 || nal[0]>>1&63 != hevcSPS {
		return hevcHead{}, errShort
	}
	r := &bitReader{b: unescape(nal[2:])}
	h := hevcHead{vps: r.u(4), subLayers: int(r.u(3)), nesting: byte(r.u(1))}
	skipProfileTierLevel(r, h.subLayers)
	h.id = r.ue()
	ahead := *r
	h.chroma = ahead.ue()
	if _, err := readSize265(r); err != nil {
		return hevcHead{}, err
	}
	h.depthLuma, h.depthChroma = r.ue(), r.ue()
	r.ue() // log2_max_pic_order_cnt_lsb_minus4
	first := h.subLayers
	if r.flag() { // sps_sub_layer_ordering_info_present_flag
		first = 0
	}
	for range h.subLayers - first + 1 {
		r.ue() // sps_max_dec_pic_buffering_minus1
		h.reorder = int(min(r.ue(), maxReferencePictures))
		r.ue() // sps_max_latency_increase_plus1
	}
	if r.err != nil {
		return hevcHead{}, r.err
	}
	if h.chroma > 3 || h.depthLuma > 8 || h.depthChroma > 8 {
		return hevcHead{}, errGolomb
	}
	return h, nil
}

// ReorderDepth returns how many pictures of a track with this configuration may be decoded before a
// picture that is shown before them: by so many pictures DTS is behind PTS. known is false where the
// configuration does not say (H.264 without bitstream restrictions); depth is zero then.
func ReorderDepth(t Track) (depth int, known bool) {
	switch t.Codec {
	case CodecH264:
		r := &byteReader{b: t.Config}
		r.take(5)
		sps, err := avcSets(r, "SPS", int(r.u8()&31))
		if err != nil {
			return 0, false
		}
		h, err := readAVCHead(sps[0])
		return h.reorder, err == nil && h.reorderKnown
	case CodecHEVC:
		r := &byteReader{b: t.Config}
		r.take(22)
		sps, err := hevcSets(r, int(r.u8()))
		if err != nil {
			return 0, false
		}
		h, err := readHEVCHead(sps)
		return h.reorder, err == nil
	}
	return 0, true
}

// PictureOrder returns the lowest bits of the picture order count of the H.264 picture that slice belongs to,
// which counts fields or pictures in the order in which they are shown, from zero at an IDR picture; span is
// where it wraps. ok is false where the host does not send it (pic_order_cnt_type is not 0), and for HEVC.
func (s *Sets) PictureOrder(slice []byte) (order, span int, ok bool) {
	if s.codec != CodecH264 || len(slice) == 0 {
		return 0, 0, false
	}
	ppsID, found := s.pictureSet(slice)
	spsID, ok := s.sequenceSet(s.pps[ppsID])
	if !found || !ok || s.sps[spsID] == nil {
		return 0, 0, false
	}
	h, err := readAVCHead(s.sps[spsID])
	if err != nil || h.pocType != 0 {
		return 0, 0, false
	}
	r := s.sliceHead(slice)
	r.ue() // pic_parameter_set_id
	if h.planes {
		r.skip(2)
	}
	r.skip(h.frameNumBits)
	if !h.framesOnly && r.flag() { // field_pic_flag
		r.skip(1)
	}
	if slice[0]&31 == avcIDR {
		r.ue() // idr_pic_id
	}
	order = int(r.u(h.pocBits))
	return order, 1 << h.pocBits, r.err == nil
}
