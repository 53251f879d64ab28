package media

// sampleAspects is table E-1 of ISO/IEC 14496-10, and of 23008-2: the ratios that have a number.
var sampleAspects = [...][2]int{
	{0, 0},
	{1, 1},
	{12, 11},
	{10, 11},
	{16, 11},
	{40, 33},
	{24, 11},
	{20, 11},
	{32, 11},
	{80, 33},
	{18, 11},
	{15, 11},
	{64, 33},
	{160, 99},
	{4, 3},
	{3, 2},
	{2, 1},
}

const extendedSAR = 255

// readVUIHead reads the beginning of a VUI, which H.264 and HEVC have in common: aspect, overscan, colour
// and the places of chroma samples.
func readVUIHead(r *bitReader, p *picture) {
	if r.flag() { // aspect_ratio_info_present_flag
		idc := r.u(8)
		if idc == extendedSAR {
			p.sarH, p.sarV = int(r.u(16)), int(r.u(16))
		} else if int(idc) < len(sampleAspects) {
			p.sarH, p.sarV = sampleAspects[idc][0], sampleAspects[idc][1]
		}
	}
	if r.flag() { // overscan_info_present_flag
		r.skip(1)
	}
	if r.flag() { // video_signal_type_present_flag
		r.skip(3) // video_format
		p.color.FullRange = r.flag()
		if r.flag() { // colour_description_present_flag
			p.color.Primaries = uint8(r.u(8))
			p.color.Transfer = uint8(r.u(8))
			p.color.Matrix = uint8(r.u(8))
		}
	}
	if r.flag() { // chroma_loc_info_present_flag
		r.ue()
		r.ue()
	}
}
