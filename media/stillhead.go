package media

import "slices"

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
	if !h.reference {
		return h
	}
	if set.redundant {
		r.ue() // redundant_pic_cnt
	}
	listed := set.listed
	if kind == sliceB {
		r.skip(1) // direct_spatial_mv_pred_flag
	}
	if kind != sliceI && r.flag() { // num_ref_idx_active_override_flag
		if listed[0] = r.ue() + 1; kind == sliceB {
			listed[1] = r.ue() + 1
		}
	}
	if listed[0] > maxListed || listed[1] > maxListed {
		return sliceHead264{}
	}
	if kind == sliceI {
		return h
	}
	lists := listed[:1]
	if kind == sliceB {
		lists = listed[:]
	}
	for range lists {
		skipListModification(r)
	}
	if kind == sliceP && set.weighted || kind == sliceB && set.weightedB == 1 {
		skipWeights(r, set.sps.chroma != 0, lists)
	}
	return h
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

// slicesAlike keeps the promise of table 7-6 that all slices of the picture have the same type.
const slicesAlike = 5

// maxQP is the coarsest quantiser. Nothing is quantised in a skipped picture, so its slice may have any: at this one
// the arithmetic decoder starts out expecting skipped macroblocks.
const maxQP = 51

const minQP = -36 // at 14 bits a sample

// skipped returns an access unit with one slice that says h, and that all macroblocks are skipped: all are copies of
// what is in the same place in the first picture of the list. It is nil if its length does not fit in lengthSize.
func (h sliceHead264) skipped(lengthSize int, first listing) []byte {
	set := h.set
	w := &bitWriter{}
	w.ue(0) // first_mb_in_slice
	w.ue(sliceP + slicesAlike)
	w.ue(set.id)
	w.u(set.sps.frameNumBits, uint32(h.frameNum))
	if set.sps.pocType == 0 {
		w.u(set.sps.pocBits, uint32(h.order))
		if set.bottomOrder {
			w.se(int32(h.orderBottom))
		}
	}
	if set.redundant {
		w.ue(0) // redundant_pic_cnt: the picture itself
	}
	if w.flag(set.listed[0] != 1) { // num_ref_idx_active_override_flag
		w.ue(0)
	}
	first.write(w)
	if set.weighted {
		w.ue(0) // luma_log2_weight_denom
		if set.sps.chroma != 0 {
			w.ue(0)
			w.flag(false) // chroma_weight_l0_flag
		}
		w.flag(false) // luma_weight_l0_flag: the default, which changes nothing
	}
	if h.reference {
		w.flag(false) // adaptive_ref_pic_marking_mode_flag: the window slides
	}
	if set.cabac {
		w.ue(0) // cabac_init_idc: skippedCABAC counts on it
	}
	w.se(maxQP - set.qp) // slice_qp_delta
	if set.deblockingGiven {
		w.ue(1) // disable_deblocking_filter_idc; there are no edges to filter, either
	}
	if set.cabac {
		skippedCABAC(w, set.sps.macroblocks)
	} else {
		w.ue(uint32(set.sps.macroblocks)) // mb_skip_run
		w.flag(true)                      // rbsp_stop_one_bit
	}
	return h.unit(lengthSize, w.b)
}

// unit makes an access unit of a slice's RBSP.
func (h sliceHead264) unit(lengthSize int, rbsp []byte) []byte {
	head := byte(avcSlice)
	if h.reference {
		const important = 2 // nal_ref_idc: like other P pictures, below IDR
		head |= important << 5
	}
	unit := slices.Grow(make([]byte, lengthSize), 1+len(rbsp)*3/2)
	unit = appendEscaped(append(unit, head), rbsp)
	n := len(unit) - lengthSize
	for i := range lengthSize {
		unit[lengthSize-1-i] = byte(n >> (8 * i))
	}
	if n>>(8*lengthSize) != 0 {
		return nil
	}
	return unit
}
