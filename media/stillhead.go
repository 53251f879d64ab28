package media

// maxSliceHead is how many bytes of a slice are looked at: with all that can be said of 32 pictures in each list,
// its header has some 900.
const maxSliceHead = 1 << 10

// Types of slices (ISO/IEC 14496-10 table 7-6), without the promise that all of the picture's have the same.
const (
	sliceP = 0
	sliceB = 1
	sliceI = 2
)

// sliceHead264 is what Still reads of a slice header (7.3.3), and what it has to say in one.
type sliceHead264 struct {
	set            *stillSet
	idr, reference bool
	frameNum       int
	order          int // pic_order_cnt_lsb
	orderBottom    int // delta_pic_order_cnt_bottom
}

// readSliceHead reads up to dec_ref_pic_marking, which is only there for pictures that others refer to. A header
// that Still can't follow has no set.
func (s *Still) readSliceHead(r *bitReader, nalHead byte) sliceHead264 {
	h := sliceHead264{idr: nalHead&31 == avcIDR, reference: nalHead>>5&3 != 0}
	r.ue() // first_mb_in_slice
	kind := r.ue()
	set := s.pps(r.ue())
	if r.err != nil || set == nil || kind > 9 || kind%5 > sliceI || h.idr && !h.reference {
		return sliceHead264{}
	}
	kind %= 5
	h.set = set
	h.frameNum = int(r.u(set.sps.frameNumBits))
	if h.idr {
		r.ue() // idr_pic_id
	}
	if set.sps.pocType == 0 {
		h.order = int(r.u(set.sps.pocBits))
		if set.bottomOrder {
			h.orderBottom = int(r.se())
		}
	}
	if h.reference && !h.skipLists(r, kind) {
		return sliceHead264{}
	}
	return h
}

// skipLists passes over what is between the picture order count and dec_ref_pic_marking: the lists of references. It
// reports whether it could.
func (h sliceHead264) skipLists(r *bitReader, kind uint32) bool {
	if h.set.redundant {
		r.ue() // redundant_pic_cnt
	}
	if kind == sliceI {
		return true
	}
	if kind == sliceB {
		r.skip(1) // direct_spatial_mv_pred_flag
	}
	listed := h.set.listed
	lists := listed[:1]
	if kind == sliceB {
		lists = listed[:]
	}
	override := r.flag() // num_ref_idx_active_override_flag
	for i := range lists {
		if override {
			lists[i] = r.ue() + 1
		}
		if lists[i] > maxListed {
			return false
		}
	}
	for range lists {
		skipListModification(r)
	}
	if kind == sliceP && h.set.weighted || kind == sliceB && h.set.weightedB == 1 {
		skipWeights(r, h.set.sps.chroma != 0, lists)
	}
	return true
}

// skipListModification is 7.3.3.1, of one list.
func skipListModification(r *bitReader) {
	if !r.flag() {
		return
	}
	for range maxListed + 1 {
		const end = 3
		if r.ue() == end || r.err != nil {
			return
		}
		r.ue()
	}
}

// skipWeights is 7.3.3.2.
func skipWeights(r *bitReader, chroma bool, lists []uint32) {
	r.ue() // luma_log2_weight_denom
	if chroma {
		r.ue()
	}
	for _, n := range lists {
		for range n {
			if r.err != nil {
				return
			}
			if r.flag() {
				skipUE(r, 2)
			}
			if chroma && r.flag() {
				skipUE(r, 4)
			}
		}
	}
}
