package media

// Silence returns one access unit that decodes to silence for an audio track with configuration f,
// nil if none is known. The bytes are shared: nobody modifies them.
//
// It is known for AAC-LC in the channel configurations 1 to 7 and for MP3, where it lasts f.FrameSamples, and for Opus,
// G.711, G.722 and PCM, where it lasts 20 ms. With SBR it is not: what a decoder makes of a frame without SBR data depends on
// the frames before.
func Silence(t Track, f Format) []byte {
	switch t.Codec {
	case CodecAAC:
		c, err := readASC(t.Config)
		if err != nil || c.sbr || c.channels >= len(silentAAC) {
			return nil
		}
		return silentAAC[c.channels]
	case CodecOpus:
		s, err := readOpusHead(t.Config)
		if err != nil {
			return nil
		}
		return silentOpus(s)
	}
	return silentSound(t.Codec, f)
}

// Syntactic elements of an AAC raw data block (ISO/IEC 14496-3 table 4.85).
const (
	aacSCE = 0
	aacCPE = 1
	aacLFE = 3
	aacEND = 7
)

// silentAAC has a silent AAC-LC access unit for each channel configuration (table 1.19): its elements,
// each without a single scale factor band.
var silentAAC = [8][]byte{
	1: silentBlock(aacSCE),
	2: silentBlock(aacCPE),
	3: silentBlock(aacSCE, aacCPE),
	4: silentBlock(aacSCE, aacCPE, aacSCE),
	5: silentBlock(aacSCE, aacCPE, aacCPE),
	6: silentBlock(aacSCE, aacCPE, aacCPE, aacLFE),
	7: silentBlock(aacSCE, aacCPE, aacCPE, aacCPE, aacLFE),
}

// silentBlock writes a raw_data_block (table 4.3) of elements without spectrum.
func silentBlock(elements ...byte) []byte {
	var w bitWriter
	var tags [4]uint32 // element_instance_tag, counted by kind
	for _, e := range elements {
		w.u(3, uint32(e))
		w.u(4, tags[e])
		tags[e]++
		if e == aacCPE {
			w.u(1, 0) // common_window
			silentChannel(&w)
		}
		silentChannel(&w)
	}
	w.u(3, aacEND)
	return w.b
}

// silentChannel writes an individual_channel_stream (table 4.44) with max_sfb 0.
func silentChannel(w *bitWriter) {
	w.u(8, 0)  // global_gain
	w.u(11, 0) // ics_info: long window, sine shape, max_sfb 0, no prediction
	w.u(3, 0)  // no pulses, no noise shaping, no gain control
}

var (
	silentOpusMono   = []byte{0xF8, 0xFF, 0xFE}
	silentOpusStereo = []byte{0xFC, 0xFF, 0xFE}
)

// silentOpus returns a packet of CELT frames of 20 ms, full band, in which the first symbol says silence
// (RFC 6716 4.3). All streams but the last delimit themselves (appendix B).
func silentOpus(s opusStreams) []byte {
	if s.streams == 1 {
		if s.coupled == 1 {
			return silentOpusStereo
		}
		return silentOpusMono
	}
	var packet []byte
	for i := range s.streams {
		one := silentOpusMono
		if i < s.coupled {
			one = silentOpusStereo
		}
		packet = append(packet, one[0])
		if i < s.streams-1 {
			packet = append(packet, byte(len(one)-1))
		}
		packet = append(packet, one[1:]...)
	}
	return packet
}
