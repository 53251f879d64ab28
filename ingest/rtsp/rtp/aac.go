package rtp

// AACHeaders says how long the fields of AU headers are, in bits (RFC 3640 section 3.3.6): "AAC-hbr" has
// 13, 3, 3, "AAC-lbr" 6, 2, 2.
type AACHeaders struct{ Size, Index, Delta int }

// maxAACUnits bounds the units of a packet.
const maxAACUnits = 64

// Units takes a packet, or the packets of one fragmented unit, apart. What it returns points into the
// payloads where a unit came in one piece. Interleaving is not supported, and no encoder does it.
func (h AACHeaders) Units(payloads [][]byte) ([][]byte, error) {
	var whole []byte
	size, pieces := 0, 0 // of the unit: as its first fragment says, and as all fragments say of themselves
	for i, p := range payloads {
		sizes, data, err := h.read(p)
		if err != nil {
			return nil, err
		}
		switch {
		case len(payloads) == 1 && !(len(sizes) == 1 && sizes[0] > len(data)):
			return cutUnits(sizes, data)
		case len(sizes) != 1:
			return nil, FormatError("a fragment of an AAC unit shares its packet")
		case i == 0:
			size = sizes[0]
		}
		pieces += sizes[0]
		whole = append(whole, data...)
	}
	// RFC 3640 has the size of the whole unit in each fragment; gortsplib, and MediaMTX with it, has the
	// fragment's own.
	if size == 0 || len(whole) != size && len(whole) != pieces {
		return nil, FormatError("a fragmented AAC unit has no end")
	}
	return [][]byte{whole}, nil
}

// read reads the AU header section: its length in bits, and the sizes of the units.
func (h AACHeaders) read(p []byte) (sizes []int, data []byte, err error) {
	if len(p) < 2 {
		return nil, nil, FormatError("an AAC packet has no header")
	}
	length := int(p[0])<<8 | int(p[1])
	p = p[2:]
	if length == 0 || (length+7)/8 > len(p) {
		return nil, nil, FormatError("an AAC packet's header is longer than the packet")
	}
	r := bitReader{b: p[:(length+7)/8]}
	index := h.Index
	for r.pos < length && len(sizes) < maxAACUnits {
		if r.pos+h.Size+index > length {
			break // padding
		}
		sizes = append(sizes, int(r.u(h.Size)))
		if r.u(index) != 0 {
			return nil, nil, FormatError("AAC units are interleaved, which is not supported")
		}
		index = h.Delta
	}
	if len(sizes) == 0 {
		return nil, nil, FormatError("an AAC packet has no unit")
	}
	return sizes, p[(length+7)/8:], nil
}

func cutUnits(sizes []int, data []byte) ([][]byte, error) {
	units := make([][]byte, 0, len(sizes))
	for _, n := range sizes {
		if n > len(data) || n == 0 {
			return nil, FormatError("the sizes of AAC units do not add up")
		}
		units = append(units, data[:n])
		data = data[n:]
	}
	return units, nil
}

// StripADTS returns unit without an ADTS header (ISO/IEC 14496-3 1.A.2), which some cameras leave on.
func StripADTS(unit []byte) []byte {
	const noCRC, withCRC = 7, 9
	if len(unit) < withCRC || unit[0] != 0xFF || unit[1]&0xF6 != 0xF0 {
		return unit
	}
	length := int(unit[3]&3)<<11 | int(unit[4])<<3 | int(unit[5])>>5
	if length != len(unit) {
		return unit
	}
	if unit[1]&1 == 1 {
		return unit[noCRC:]
	}
	return unit[withCRC:]
}
