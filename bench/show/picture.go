package show

import (
	"bytes"
	"encoding/binary"
)

// NAL unit headers with their nal_ref_idc (H.264 7.4.1).
const (
	nalSlice = 0x41
	nalIDR   = 0x65
	nalSPS   = 0x67
	nalPPS   = 0x68
)

// Macroblock types (H.264 tables 7-11 and 7-13; in a P slice those of I slices come 5 later).
const (
	mbDC    = 3  // I_16x16_2_0_0: predicted from the neighbours' mean, no residual but an empty DC block
	mbPCM   = 25 // I_PCM: raw samples
	mbIntoP = 5
)

const (
	pcmBytes       = 256 + 64 + 64 // samples of one macroblock, 4:2:0
	frameNumBits   = 8
	markLen        = 12
	markMagic      = "\xf1PUSHMK\xf2"
	sliceBytes     = 16 // at most, of a slice header with its NAL header and length
	skipBytesPerMB = 2  // about, for the skip run and type in front of a raw macroblock
)

func mbs(pixels int) int { return (pixels + 15) / 16 }

// avcConfig returns the AVCDecoderConfigurationRecord (ISO/IEC 14496-15 5.3.3.1) with SPS and PPS.
func avcConfig(c *Config) []byte {
	s, p := sps(c), pps()
	rec := []byte{1, s[1], s[2], s[3], 0xff, 0xe1}
	rec = binary.BigEndian.AppendUint16(rec, uint16(len(s)))
	rec = append(append(rec, s...), 1)
	rec = binary.BigEndian.AppendUint16(rec, uint16(len(p)))
	return append(rec, p...)
}

// level returns level_idc for the picture size and rate (H.264 table A-1).
func level(c *Config) uint64 {
	size := mbs(c.Width) * mbs(c.Height)
	rate := size * c.FrameRate
	switch {
	case size <= 3600 && rate <= 108_000:
		return 31
	case size <= 5120 && rate <= 216_000:
		return 32
	case size <= 8192 && rate <= 245_760:
		return 40
	case size <= 8704 && rate <= 522_240:
		return 42
	}
	return 52
}

// sps returns a constrained baseline sequence parameter set (H.264 7.3.2.1.1): output order is decoding
// order, one reference frame, timing in the VUI.
func sps(c *Config) []byte {
	var w bitWriter
	w.u(8, 66)
	w.u(8, 0xc0) // constraint_set0 and 1
	w.u(8, level(c))
	w.ue(0) // seq_parameter_set_id
	w.ue(frameNumBits - 4)
	w.ue(2)   // pic_order_cnt_type
	w.ue(1)   // max_num_ref_frames
	w.u(1, 0) // gaps_in_frame_num
	w.ue(uint64(mbs(c.Width) - 1))
	w.ue(uint64(mbs(c.Height) - 1))
	w.u(2, 3) // frame_mbs_only, direct_8x8_inference
	right, bottom := (mbs(c.Width)*16-c.Width)/2, (mbs(c.Height)*16-c.Height)/2
	if right+bottom == 0 {
		w.u(1, 0)
	} else {
		w.u(1, 1)
		for _, v := range []int{0, right, 0, bottom} {
			w.ue(uint64(v))
		}
	}
	w.u(1, 1)                      // VUI:
	w.u(4, 0)                      // no aspect ratio, overscan, video signal, chroma location
	w.u(1, 1)                      // timing:
	w.u(32, 1)                     // num_units_in_tick
	w.u(32, 2*uint64(c.FrameRate)) // time_scale, in fields
	w.u(1, 1)                      // fixed_frame_rate
	w.u(3, 0)                      // no HRDs, no pic_struct
	w.u(1, 1)                      // bitstream restriction:
	w.u(1, 1)
	for _, v := range []uint64{0, 0, 10, 10, 0, 1} { // no reordering, one frame buffered
		w.ue(v)
	}
	return nal(nalSPS, &w)
}

// pps returns the picture parameter set (H.264 7.3.2.2): CAVLC, and a deblocking filter that can be off.
func pps() []byte {
	var w bitWriter
	w.ue(0)
	w.ue(0)
	w.u(2, 0) // CAVLC, no field order
	w.ue(0)   // one slice group
	w.ue(0)
	w.ue(0)
	w.u(3, 0) // no weighted prediction
	w.ue(0)
	w.ue(0)
	w.ue(0)
	w.u(3, 4) // deblocking_filter_control_present
	return nal(nalPPS, &w)
}

// nal closes the RBSP in w and returns the NAL unit, emulation prevention included (H.264 7.3.1).
func nal(header byte, w *bitWriter) []byte {
	w.u(1, 1)
	w.align()
	out := append(make([]byte, 0, len(w.buf)+8), header)
	zeros := 0
	for _, b := range w.buf {
		if zeros == 2 && b <= 3 {
			out, zeros = append(out, 3), 0
		}
		if zeros++; b != 0 {
			zeros = 0
		}
		out = append(out, b)
	}
	return out
}

// drawPicture codes picture i in about size bytes: one slice with as many raw macroblocks as fit. They
// wander over the picture from frame to frame, so that all of it moves.
func drawPicture(c *Config, i, size int) []byte {
	total := mbs(c.Width) * mbs(c.Height)
	inGOP := i % c.GOP
	key := inGOP == 0
	if key {
		size -= total // a predicted macroblock takes 8 bits, 13 beside a raw one
	}
	raw := min(max(1, (size-sliceBytes)/(pcmBytes+skipBytesPerMB)), total)
	var w bitWriter
	w.ue(0) // first_mb_in_slice
	w.ue(map[bool]uint64{true: 7, false: 5}[key])
	w.ue(0) // pic_parameter_set_id
	w.u(frameNumBits, uint64(inGOP%(1<<frameNumBits)))
	if key {
		w.ue(uint64(i / c.GOP % 2)) // idr_pic_id
		w.u(2, 0)                   // no_output_of_prior_pics, long_term_reference
	} else {
		w.u(3, 0) // default references, no list modification, sliding window
	}
	w.ue(0) // slice_qp_delta
	w.ue(1) // disable_deblocking_filter_idc
	p := painter{Config: c, frame: i, first: i * 97 % total, raw: raw, total: total}
	header := byte(nalSlice)
	if key {
		header = nalIDR
		p.intra(&w)
	} else {
		p.inter(&w)
	}
	unit := nal(header, &w)
	return append(binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(unit)), uint32(len(unit))), unit...)
}

// painter codes the macroblocks of one picture.
type painter struct {
	*Config
	frame, first, raw, total int
	marked                   bool
}

// isRaw reports whether macroblock mb of this picture is raw: the raw ones are a run that may wrap.
func (p *painter) isRaw(mb int) bool { return (mb-p.first+p.total)%p.total < p.raw }

// inter codes a P slice: raw macroblocks, and the previous picture for all others.
func (p *painter) inter(w *bitWriter) {
	skipped := uint64(0)
	for mb := range p.total {
		if !p.isRaw(mb) {
			skipped++
			continue
		}
		w.ue(skipped)
		skipped = 0
		w.ue(mbIntoP + mbPCM)
		p.pcm(w, mb)
	}
	if skipped > 0 {
		w.ue(skipped)
	}
}

// intra codes an I slice. An empty DC block's coeff_token depends on the neighbours' coefficient counts
// (H.264 9.2.1): a raw macroblock counts as full, so next to one the code is the long one.
func (p *painter) intra(w *bitWriter) {
	width := mbs(p.Width)
	for mb := range p.total {
		if p.isRaw(mb) {
			w.ue(mbPCM)
			p.pcm(w, mb)
			continue
		}
		w.ue(mbDC)
		w.ue(0) // intra_chroma_pred_mode: DC
		w.ue(0) // mb_qp_delta
		if mb%width > 0 && p.isRaw(mb-1) || mb >= width && p.isRaw(mb-width) {
			w.u(6, 3)
		} else {
			w.u(1, 1)
		}
	}
}

// pcm writes the samples of macroblock mb: a moving gradient. No sample is zero, so that emulation
// prevention leaves them alone. The first one of a picture begins with the mark.
func (p *painter) pcm(w *bitWriter, mb int) {
	w.align()
	x, y := mb%mbs(p.Width), mb/mbs(p.Width)
	s := make([]byte, pcmBytes)
	for i := range 256 {
		s[i] = byte(32 + (x*9+i%16/2+y*5+i/16/3+p.frame)%192)
	}
	for i := range 64 {
		s[256+i] = byte(64 + (x*3+p.frame)%128)
		s[320+i] = byte(64 + (y*4+128-p.frame%128)%128)
	}
	if !p.marked {
		p.marked = true
		copy(s, mark(p.frame))
	}
	w.bytes(s)
}

// mark returns the mark of picture i: magic, then i in four bytes of seven bits.
func mark(i int) []byte {
	return append([]byte(markMagic), byte(i>>21)|0x80, byte(i>>14)|0x80, byte(i>>7)|0x80, byte(i)|0x80)
}

// FindLast returns the number of the last picture whose mark is in b, whatever else b contains.
func FindLast(b []byte) (picture int, ok bool) {
	at := bytes.LastIndex(b, []byte(markMagic))
	if at < 0 || at+markLen > len(b) {
		return 0, false
	}
	for _, d := range b[at+len(markMagic) : at+markLen] {
		picture = picture<<7 | int(d&0x7f)
	}
	return picture, true
}
