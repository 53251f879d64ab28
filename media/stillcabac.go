package media

// skipLPS is how much of the range the less probable value gets (rangeTabLPS, ISO/IEC 14496-10 table 9-44), from
// state 42 to state 62, by the range's two upper bits. In state 42 the context of mb_skip_flag starts for P slices with
// cabac_init_idc 0 at maxQP, where 1 is the more probable value: (23*51>>4)+33-64 (9.3.1.1, table 9-13).
var skipLPS = [...][4]uint16{
	{16, 20, 23, 27}, {15, 19, 22, 25}, {14, 18, 21, 24}, {14, 17, 20, 23}, {13, 16, 19, 22}, {12, 15, 18, 21}, {12, 14, 17, 20},
	{11, 14, 16, 19}, {11, 13, 15, 18}, {10, 12, 15, 17}, {10, 12, 14, 16}, {9, 11, 13, 15}, {9, 11, 12, 14}, {8, 10, 12, 14},
	{8, 9, 11, 13}, {7, 9, 11, 12}, {7, 9, 10, 12}, {7, 8, 10, 11}, {6, 8, 9, 11}, {6, 7, 9, 10}, {6, 7, 8, 9},
}

// skippedCABAC writes slice data of that many skipped macroblocks, with their arithmetic code and rbsp_trailing_bits
// (9.3.4.2): for each a mb_skip_flag of 1, always in the context that has no neighbours that aren't skipped, and an
// end_of_slice_flag, which is 1 for the last.
//
// All but the last have the more probable value, whose part of the range is the lower one. So the lower end stays
// where it is, at zero: each time that the range is doubled adds a bit 0 to the code. Only the last value moves it up,
// by what the range is then.
func skippedCABAC(w *bitWriter, macroblocks uint64) {
	for w.free > 0 {
		w.u(1, 1) // cabac_alignment_one_bit
	}
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
}
