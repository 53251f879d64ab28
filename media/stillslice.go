package media

import "slices"

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
		if set.skips == nil { // it takes milliseconds for the largest pictures, and a host says at no cost that its own are
			set.skips = skippedCABAC(set.sps.macroblocks)
		}
		w.ones() // cabac_alignment_one_bit
		w.b = append(w.b, set.skips...)
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

// skipLPS is how much of the range the less probable value gets (rangeTabLPS, ISO/IEC 14496-10 table 9-44), from
// state 42 to state 62, by the range's two upper bits. In state 42 the context of mb_skip_flag starts for P slices with
// cabac_init_idc 0 at maxQP, where 1 is the more probable value: (23*51>>4)+33-64 (9.3.1.1, table 9-13).
var skipLPS = [...][4]uint16{
	{16, 20, 23, 27}, {15, 19, 22, 25}, {14, 18, 21, 24}, {14, 17, 20, 23}, {13, 16, 19, 22}, {12, 15, 18, 21}, {12, 14, 17, 20},
	{11, 14, 16, 19}, {11, 13, 15, 18}, {10, 12, 15, 17}, {10, 12, 14, 16}, {9, 11, 13, 15}, {9, 11, 12, 14}, {8, 10, 12, 14},
	{8, 9, 11, 13}, {7, 9, 11, 12}, {7, 9, 10, 12}, {7, 8, 10, 11}, {6, 8, 9, 11}, {6, 7, 9, 10}, {6, 7, 8, 9},
}

// skippedCABAC returns slice data of that many skipped macroblocks, with their arithmetic code and rbsp_trailing_bits
// (9.3.4.2), from where it is aligned on: for each a mb_skip_flag of 1, always in the context that has no neighbours that
// aren't skipped, and an end_of_slice_flag, which is 1 for the last.
//
// All but the last have the more probable value, whose part of the range is the lower one. So the lower end stays
// where it is, at zero: each time that the range is doubled adds a bit 0 to the code. Only the last value moves it up,
// by what the range is then.
func skippedCABAC(macroblocks uint64) []byte {
	w := &bitWriter{}
	const whole, half = 510, 256
	width, state := uint16(whole), 0
	for {
		width -= skipLPS[state][width>>6&3]
		state = min(state+1, len(skipLPS)-1)
		if width < half {
			w.u(1, 0)
			width *= 2
		}
		width -= 2 // what end_of_slice_flag gets for 1
		if macroblocks--; macroblocks == 0 {
			break
		}
		if width < half {
			w.u(1, 0)
			width *= 2
		}
	}
	w.u(9, uint32(width|1)) // the code's last bit is rbsp_stop_one_bit
	return w.b
}
