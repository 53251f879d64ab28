package media

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// parseSPS265 reads a sequence parameter set (ISO/IEC 23008-2 7.3.2.2.1).
func parseSPS265(nal []byte) (picture, error) {
	if len(nal) < 2 {
		return picture{}, errShort
	}
	if typ := nal[0] >> 1 & 63; typ != hevcSPS {
		return picture{}, fmt.Errorf("is a NAL unit of type %d", typ)
	}
	r := &bitReader{b: unescape(nal[2:])}
	r.skip(4) // sps_video_parameter_set_id
	subLayers := int(r.u(3))
	r.skip(1) // sps_temporal_id_nesting_flag
	skipProfileTierLevel(r, subLayers)
	r.ue() // sps_seq_parameter_set_id
	p, err := readSize265(r)
	if err != nil {
		return picture{}, err
	}
	withVUI := p
	readVUI265(r, &withVUI, subLayers)
	if r.err == nil {
		p = withVUI
	}
	return p, nil
}

// skipProfileTierLevel is 7.3.3.
func skipProfileTierLevel(r *bitReader, subLayers int) {
	r.skip(2 + 1 + 5 + 32 + 48 + 8)
	if subLayers == 0 {
		return
	}
	present := r.u(16) // two flags for each of eight, the last of which are reserved
	for i := range subLayers {
		if present>>(15-2*i)&1 == 1 {
			r.skip(2 + 1 + 5 + 32 + 48)
		}
		if present>>(14-2*i)&1 == 1 {
			r.skip(8)
		}
	}
}

func readSize265(r *bitReader) (picture, error) {
	chroma := r.ue()
	unitX, unitY := cropUnits(chroma)
	if chroma == 3 {
		r.skip(1) // separate_colour_plane_flag
	}
	width, height := int64(r.ue()), int64(r.ue())
	if r.flag() { // conformance_window_flag
		left, right, top, bottom := int64(r.ue()), int64(r.ue()), int64(r.ue()), int64(r.ue())
		width -= (left + right) * unitX
		height -= (top + bottom) * unitY
	}
	if r.err != nil {
		return picture{}, r.err
	}
	if chroma > 3 {
		return picture{}, fmt.Errorf("has chroma format %d", chroma)
	}
	return sizedPicture(width, height)
}

// readVUI265 passes over the coding tools between the picture size and the VUI, and reads as much of
// that (annex E) as Format has room for.
func readVUI265(r *bitReader, p *picture, subLayers int) {
	r.ue() // bit_depth_luma_minus8
	r.ue()
	pocBits := int(min(r.ue(), 12)) + 4
	first := subLayers
	if r.flag() { // sps_sub_layer_ordering_info_present_flag
		first = 0
	}
	for range subLayers - first + 1 {
		skipUE(r, 3)
	}
	skipUE(r, 6)              // block sizes and depths
	if r.flag() && r.flag() { // scaling_list_enabled_flag, sps_scaling_list_data_present_flag
		skipScalingLists265(r)
	}
	r.skip(2)     // amp_enabled_flag, sample_adaptive_offset_enabled_flag
	if r.flag() { // pcm_enabled_flag
		r.skip(8)
		skipUE(r, 2)
		r.skip(1)
	}
	skipReferenceSets(r)
	if r.flag() { // long_term_ref_pics_present_flag
		const maxLongTerm = 32
		n := r.ue()
		r.skip(int(min(n, maxLongTerm)) * (pocBits + 1))
	}
	r.skip(2)      // sps_temporal_mvp_enabled_flag, strong_intra_smoothing_enabled_flag
	if !r.flag() { // vui_parameters_present_flag
		return
	}
	readVUIHead(r, p)
	r.skip(3)     // neutral_chroma_indication_flag, field_seq_flag, frame_field_info_present_flag
	if r.flag() { // default_display_window_flag
		skipUE(r, 4)
	}
	if r.flag() { // vui_timing_info_present_flag
		tick, scale := r.u(32), r.u(32)
		if tick > 0 {
			p.rate = float64(scale) / float64(tick)
		}
	}
}

func skipUE(r *bitReader, n int) {
	for range n {
		r.ue()
	}
}

// skipScalingLists265 is 7.3.4.
func skipScalingLists265(r *bitReader) {
	for size := range 4 {
		step := 1
		if size == 3 {
			step = 3
		}
		for matrix := 0; matrix < 6 && r.err == nil; matrix += step {
			if !r.flag() { // scaling_list_pred_mode_flag
				r.ue()
				continue
			}
			if size > 1 {
				r.se()
			}
			for range min(64, 1<<(4+2*size)) {
				r.se()
			}
		}
	}
}

// Limits of reference picture sets: num_short_term_ref_pic_sets and sps_max_dec_pic_buffering_minus1.
const (
	maxReferenceSets     = 64
	maxReferencePictures = 16
)

var errReferences = errors.New("has too many reference pictures")

// skipReferenceSets passes over the short-term reference picture sets of an SPS (7.3.7). How long a set
// is may depend on the pictures of the one before it, so those have to be kept.
func skipReferenceSets(r *bitReader) {
	n := r.ue()
	if n > maxReferenceSets {
		r.err = errReferences
	}
	var set []int64 // distances: the pictures before, nearest first, then those after
	for i := uint32(0); i < n && r.err == nil; i++ {
		if i > 0 && r.flag() { // inter_ref_pic_set_prediction_flag
			set = predictedSet(r, set)
		} else {
			set = explicitSet(r)
		}
		if len(set) > maxReferencePictures {
			r.err = errReferences
		}
	}
}

func explicitSet(r *bitReader) []int64 {
	before, after := r.ue(), r.ue()
	if before > maxReferencePictures || after > maxReferencePictures {
		r.err = errReferences
		return nil
	}
	set := make([]int64, 0, before+after)
	for i, n := range []uint32{before, after} {
		sign, at := int64(2*i-1), int64(0)
		for range n {
			at += sign * (int64(r.ue()) + 1)
			r.skip(1) // used_by_curr_pic flag
			set = append(set, at)
		}
	}
	return set
}

// predictedSet moves the pictures of the set before by one distance, which becomes a picture itself, and
// keeps those that a flag says (equations 7-61 and 7-62).
func predictedSet(r *bitReader, reference []int64) []int64 {
	negative := r.flag()
	delta := int64(r.ue()) + 1
	if negative {
		delta = -delta
	}
	set := make([]int64, 0, len(reference)+1)
	for i := range len(reference) + 1 {
		at := delta
		if i < len(reference) {
			at += reference[i]
		}
		kept := r.flag() || r.flag() // used_by_curr_pic_flag, or else use_delta_flag
		if kept && at != 0 {
			set = append(set, at)
		}
	}
	slices.SortFunc(set, func(a, b int64) int {
		if (a < 0) != (b < 0) {
			return cmp.Compare(a, b)
		}
		return cmp.Compare(max(a, -a), max(b, -b))
	})
	return set
}
