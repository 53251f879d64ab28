package rtp

// LATM is AAC in a low-overhead transport multiplex (ISO/IEC 14496-3 1.7, RFC 6416): one program, one
// layer. The zero value waits for its configuration in band; ParseMux reads one from an SDP.
type LATM struct {
	// InBand says that each element begins with its configuration, or with a bit that it has none
	// (cpresent=1, the default of RFC 6416).
	InBand bool

	config     []byte // AudioSpecificConfig
	subFrames  int
	frameBytes int // of units with a fixed length; zero: lengths are in the elements
	otherBits  int
}

// Config returns the AudioSpecificConfig, nil while none has come.
func (l *LATM) Config() []byte { return l.config }

// maxLATMConfig bounds a StreamMuxConfig in bytes.
const maxLATMConfig = 512

// ParseMux reads a StreamMuxConfig. What is cut off at its end counts as zeros: GStreamer's payloader leaves
// out the last bits.
func (l *LATM) ParseMux(b []byte) error {
	if len(b) > maxLATMConfig {
		return FormatError("a LATM configuration is too long")
	}
	return l.readMux(&bitReader{b: b})
}

// readMux is StreamMuxConfig (table 1.42).
func (l *LATM) readMux(r *bitReader) error {
	version := r.u(1)
	if version == 1 && r.flag() {
		return FormatError("LATM in a version that does not exist (audioMuxVersionA)")
	}
	if version == 1 {
		latmValue(r) // taraBufferFullness
	}
	if !r.flag() {
		return FormatError("LATM with streams of different framing is not supported")
	}
	n := LATM{InBand: l.InBand, subFrames: int(r.u(6)) + 1}
	if r.u(4) != 0 || r.u(3) != 0 {
		return FormatError("LATM with several programs or layers is not supported")
	}
	end := 0
	if version == 1 {
		size := latmValue(r)
		if size > maxLATMConfig*8 || int(size) > r.left() {
			return FormatError("a LATM configuration is cut off")
		}
		end = r.pos + int(size)
	}
	from := r.pos
	if err := readAudioConfig(r); err != nil {
		return err
	}
	if version == 1 {
		r.pos = end
	}
	n.config = r.field(from, r.pos)
	switch typ := r.u(3); typ {
	case 0:
		r.u(8) // latmBufferFullness
	case 1:
		n.frameBytes = int(r.u(9)) + 20
	default:
		return formatError("LATM with frameLengthType %d is not AAC", typ)
	}
	if r.flag() { // otherDataPresent
		if version == 1 {
			n.otherBits = int(min(latmValue(r), 1<<16))
		} else {
			for more := true; more && !r.over; {
				more = r.flag()
				n.otherBits = min(n.otherBits<<8|int(r.u(8)), 1<<16)
			}
		}
	}
	if r.flag() { // crcCheckPresent
		r.u(8)
	}
	*l = n
	return nil
}

// latmValue is LatmGetValue (table 1.43).
func latmValue(r *bitReader) uint32 {
	n := int(r.u(2)) + 1
	return r.u(8 * n)
}

// readAudioConfig passes over an AudioSpecificConfig (1.6.2.1), whose length nothing but itself tells.
func readAudioConfig(r *bitReader) error {
	const main, ltp, sbr, ps = 1, 4, 5, 29
	object := audioObject(r)
	skipRate(r)
	channels := r.u(4)
	if object == sbr || object == ps {
		skipRate(r)
		object = audioObject(r)
	}
	if object < main || object > ltp {
		return formatError("LATM with audio object type %d: set the encoder to AAC-LC", object)
	}
	r.u(1)        // frameLengthFlag
	if r.flag() { // dependsOnCoreCoder
		r.u(14)
	}
	r.u(1) // extensionFlag, zero for these types
	if channels == 0 {
		return FormatError("LATM with a channel layout of its own: set the encoder to mono or stereo")
	}
	readSyncExtension(r)
	if r.over {
		return FormatError("a LATM configuration is cut off")
	}
	return nil
}

// readSyncExtension passes over the backward-compatible signalling of SBR and PS, which has no place in a
// LATM configuration of version 0, but is there when GStreamer's payloader puts an encoder's whole
// AudioSpecificConfig into it. Read as what ought to follow, it says frameLengthType 2.
func readSyncExtension(r *bitReader) {
	const sbrSync, psSync, sbr = 0x2B7, 0x548, 5
	ahead := *r
	if ahead.u(11) != sbrSync || ahead.over || audioObject(&ahead) != sbr {
		return
	}
	if ahead.flag() { // sbrPresentFlag
		skipRate(&ahead)
		more := ahead
		if more.u(11) == psSync && !more.over {
			more.u(1) // psPresentFlag
			ahead = more
		}
	}
	if !ahead.over {
		*r = ahead
	}
}

func audioObject(r *bitReader) uint32 {
	const escape = 31
	n := r.u(5)
	if n == escape {
		n = 32 + r.u(6)
	}
	return n
}

func skipRate(r *bitReader) {
	const explicit = 15
	if r.u(4) == explicit {
		r.u(24)
	}
}

// Units takes the payloads of a whole frame apart: one or more audioMuxElements (table 1.41). changed
// reports that the configuration is another one than before.
func (l *LATM) Units(payloads [][]byte) (units [][]byte, changed bool, err error) {
	b := payloads[0]
	if len(payloads) > 1 {
		b = nil
		for _, p := range payloads {
			b = append(b, p...)
		}
	}
	r := &bitReader{b: b}
	for r.left() >= 8 && len(units) < maxAACUnits {
		if l.InBand && !r.flag() { // useSameStreamMux
			before := string(l.config)
			if err := l.readMux(r); err != nil {
				return nil, false, err
			}
			changed = changed || before != string(l.config)
		}
		if l.config == nil {
			return nil, false, nil
		}
		for range l.subFrames {
			unit := r.bytes(l.unitBytes(r))
			if r.over {
				return nil, false, FormatError("the lengths of LATM units do not add up")
			}
			if len(unit) > 0 {
				units = append(units, unit)
			}
		}
		r.pos = (r.pos + l.otherBits + 7) &^ 7
	}
	return units, changed, nil
}

// unitBytes is PayloadLengthInfo (table 1.44).
func (l *LATM) unitBytes(r *bitReader) int {
	if l.frameBytes > 0 {
		return l.frameBytes
	}
	const goesOn = 255
	n := 0
	for !r.over {
		v := r.u(8)
		n += int(v)
		if v != goesOn {
			break
		}
	}
	return n
}
