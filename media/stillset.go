package media

import "slices"

// Limits of the pictures that Still follows.
const (
	maxStillMacroblocks = 139264 // in a picture: level 6.2 (ISO/IEC 14496-10 table A-1)
	maxListed           = 32     // num_ref_idx_l0_active_minus1 + 1
)

// stillSet is a picture parameter set (ISO/IEC 14496-10 7.3.2.2), as far as slice headers depend on it, with the
// sequence parameter set that it refers to.
type stillSet struct {
	sps             avcHead
	id              uint32
	cabac           bool
	bottomOrder     bool      // bottom_field_pic_order_in_frame_present_flag
	listed          [2]uint32 // num_ref_idx_l0_default_active_minus1 + 1, and of l1
	weighted        bool      // weighted_pred_flag
	weightedB       uint32    // weighted_bipred_idc
	qp              int32     // that slices begin with
	deblockingGiven bool      // deblocking_filter_control_present_flag
	redundant       bool      // redundant_pic_cnt_present_flag

	skips []byte // skippedCABAC of its pictures; nil as long as nobody needs it
}

// readStillSets returns the parameter sets of an avcC that Still can make pictures for.
func readStillSets(avcC []byte) []stillSet {
	r := &byteReader{b: avcC}
	r.take(5)
	spsNALs, _ := avcSets(r, "SPS", int(r.u8()&31))
	ppsNALs, _ := avcSets(r, "PPS", int(r.u8()))
	var heads []avcHead
	for _, nal := range spsNALs {
		if h, err := readAVCHead(nal); err == nil {
			heads = append(heads, h)
		}
	}
	var sets []stillSet
	for _, nal := range ppsNALs {
		if set, ok := readStillSet(nal, heads); ok {
			sets = append(sets, set)
		}
	}
	return sets
}

func readStillSet(nal []byte, heads []avcHead) (set stillSet, ok bool) {
	if nal[0]&31 != avcPPS {
		return set, false
	}
	r := &bitReader{b: unescape(nal[1:])}
	set.id = r.ue()
	spsID := r.ue()
	set.cabac = r.flag()
	set.bottomOrder = r.flag()
	groups := r.ue() // num_slice_groups_minus1
	set.listed = [2]uint32{r.ue() + 1, r.ue() + 1}
	set.weighted = r.flag()
	set.weightedB = r.u(2)
	set.qp = 26 + r.se()
	r.se() // pic_init_qs_minus26
	r.se() // chroma_qp_index_offset
	set.deblockingGiven = r.flag()
	r.skip(1) // constrained_intra_pred_flag
	set.redundant = r.flag()
	if r.err != nil || groups > 0 || set.listed[0] > maxListed || set.listed[1] > maxListed || set.qp < minQP || set.qp > maxQP {
		return set, false
	}
	for _, h := range slices.Backward(heads) { // the last of a number holds
		if h.id == spsID {
			set.sps = h
			return set, h.stillPossible()
		}
	}
	return set, false
}

// stillPossible reports whether Still follows pictures of this kind.
func (h *avcHead) stillPossible() bool {
	return h.framesOnly && !h.planes && (h.pocType == 0 || h.pocType == 2) &&
		h.references >= 1 && h.references <= maxReferencePictures && h.macroblocks <= maxStillMacroblocks
}

// pps returns the parameter sets that the PPS of that number names, nil if there are none.
func (s *Still) pps(id uint32) *stillSet {
	for i := range slices.Backward(s.sets) {
		if s.sets[i].id == id {
			return &s.sets[i]
		}
	}
	return nil
}
