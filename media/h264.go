package media

import (
	"errors"
	"fmt"
	"slices"
)

// parseAVCC reads an AVCDecoderConfigurationRecord (ISO/IEC 14496-15 5.3.3.1). What follows the picture
// parameter sets is not looked at: many encoders leave it out for profiles that should have it.
func parseAVCC(b []byte) (Format, error) {
	const fixedBytes = 5
	r := &byteReader{b: b}
	head := r.take(fixedBytes)
	switch {
	case r.err != nil:
		return Format{}, r.err
	case head[0] != 1:
		return Format{}, fmt.Errorf("version %d, not 1", head[0])
	case head[4]&3 == 2:
		return Format{}, errors.New("NAL unit lengths of 3 bytes are not allowed")
	}
	sps, err := avcSets(r, "SPS", int(r.u8()&31))
	if err != nil {
		return Format{}, err
	}
	if _, err := avcSets(r, "PPS", int(r.u8())); err != nil {
		return Format{}, err
	}
	p, err := parseSPS264(sps[0])
	if err != nil {
		return Format{}, fmt.Errorf("SPS %w", err)
	}
	return p.format(fmt.Sprintf("avc1.%x", head[1:4]))
}

// avcSets reads n parameter sets, of which there has to be one. They point into the record.
func avcSets(r *byteReader, what string, n int) ([][]byte, error) {
	if r.err == nil && n == 0 {
		return nil, fmt.Errorf("there is no %s", what)
	}
	if n > maxParameterSets {
		return nil, fmt.Errorf("%d %s, at most %d", n, what, maxParameterSets)
	}
	var sets [][]byte
	for range n {
		nal := r.take(r.u16())
		if r.err != nil {
			return nil, r.err
		}
		if err := parameterSet(what, nal); err != nil {
			return nil, err
		}
		sets = append(sets, nal)
	}
	return sets, r.err
}

// highProfiles are those whose SPS says how chroma is sampled (ISO/IEC 14496-10 7.3.2.1.1).
var highProfiles = []uint32{100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135}

// parseSPS264 reads a sequence parameter set (ISO/IEC 14496-10 7.3.2.1.1).
func parseSPS264(nal []byte) (picture, error) {
	const nalSPS = 7
	if nal[0]&31 != nalSPS {
		return picture{}, fmt.Errorf("is a NAL unit of type %d", nal[0]&31)
	}
	r := &bitReader{b: unescape(nal[1:])}
	profile := r.u(8)
	r.skip(16) // constraints, level
	r.ue()     // seq_parameter_set_id
	chroma := uint32(1)
	if slices.Contains(highProfiles, profile) {
		chroma = readChroma264(r)
	}
	r.ue() // log2_max_frame_num_minus4
	readPOC264(r)
	r.ue()    // max_num_ref_frames
	r.skip(1) // gaps_in_frame_num_value_allowed_flag
	p, err := readSize264(r, chroma)
	if err != nil {
		return picture{}, err
	}
	if r.flag() { // vui_parameters_present_flag
		withVUI := p
		readVUI264(r, &withVUI)
		if r.err == nil {
			p = withVUI
		}
	}
	return p, nil
}

// readChroma264 reads what the high profiles have in addition, and returns the chroma format: 0 where
// the three planes are coded apart, which counts like monochrome (ChromaArrayType).
func readChroma264(r *bitReader) uint32 {
	chroma := r.ue()
	planes := 8
	if chroma == 3 {
		planes = 12
		if r.flag() { // separate_colour_plane_flag
			chroma = 0
		}
	}
	r.ue() // bit_depth_luma_minus8
	r.ue()
	r.skip(1)      // qpprime_y_zero_transform_bypass_flag
	if !r.flag() { // seq_scaling_matrix_present_flag
		return chroma
	}
	for i := range planes {
		if r.flag() {
			size := 16
			if i >= 6 {
				size = 64
			}
			skipScalingList264(r, size)
		}
	}
	return chroma
}

// skipScalingList264 is 7.3.2.1.1.1.
func skipScalingList264(r *bitReader, size int) {
	last, next := int32(8), int32(8)
	for range size {
		if r.err != nil {
			return
		}
		if next != 0 {
			next = (last + r.se() + 256) % 256
		}
		if next != 0 {
			last = next
		}
	}
}

// readPOC264 passes over how pictures are numbered.
func readPOC264(r *bitReader) {
	switch r.ue() { // pic_order_cnt_type
	case 0:
		r.ue()
	case 1:
		r.skip(1)
		r.se()
		r.se()
		const maxCycle = 255 // num_ref_frames_in_pic_order_cnt_cycle
		n := r.ue()
		for i := uint32(0); i < min(n, maxCycle) && r.err == nil; i++ {
			r.se()
		}
	}
}

// readSize264 reads the size in macroblocks and takes the cropping off (7.4.2.1.1).
func readSize264(r *bitReader, chroma uint32) (picture, error) {
	width, height := int64(r.ue())+1, int64(r.ue())+1
	fields := int64(1)
	if !r.flag() { // frame_mbs_only_flag
		fields = 2
		r.skip(1)
	}
	r.skip(1) // direct_8x8_inference_flag
	var left, right, top, bottom int64
	if r.flag() {
		left, right, top, bottom = int64(r.ue()), int64(r.ue()), int64(r.ue()), int64(r.ue())
	}
	if r.err != nil {
		return picture{}, r.err
	}
	if chroma > 3 {
		return picture{}, fmt.Errorf("has chroma format %d", chroma)
	}
	unitX, unitY := cropUnits(chroma)
	width = width*16 - (left+right)*unitX
	height = height*16*fields - (top+bottom)*unitY*fields
	return sizedPicture(width, height)
}

// cropUnits returns how many luma samples a unit of cropping is, by chroma format.
func cropUnits(chroma uint32) (x, y int64) {
	x, y = 1, 1
	if chroma == 1 || chroma == 2 {
		x = 2
	}
	if chroma == 1 {
		y = 2
	}
	return x, y
}

// sizedPicture guards the way from the specs' 33-bit sizes to int.
func sizedPicture(width, height int64) (picture, error) {
	if width < 1 || height < 1 {
		return picture{}, errors.New("crops the picture away")
	}
	const beyond = maxDimension + 1
	return picture{width: int(min(width, beyond)), height: int(min(height, beyond))}, nil
}

// readVUI264 reads as much of the VUI (annex E) as Format has room for.
func readVUI264(r *bitReader, p *picture) {
	readVUIHead(r, p)
	if r.flag() { // timing_info_present_flag
		tick, scale := r.u(32), r.u(32)
		if tick > 0 {
			p.rate = float64(scale) / (2 * float64(tick)) // a tick is a field
		}
	}
}
