package rtp

import "pushcart/media"

// OBU types (AV1 specification 6.2.2).
const (
	obuSequenceHeader    = 1
	obuTemporalDelimiter = 2
	obuTileList          = 8
	obuPadding           = 15
)

// AV1 takes the payloads of a whole temporal unit apart. It returns the unit in the low-overhead format, each
// OBU with its size and without delimiters, and the payload of its sequence header, nil if it has none.
func AV1(payloads [][]byte) (unit, sequenceHeader []byte, err error) {
	const (
		continued = 0x80 // Z: the first element goes on with the packet before
		goesOn    = 0x40 // Y: the last element goes on in the packet behind
	)
	var obu []byte // that goes on
	open := false
	for _, p := range payloads {
		if len(p) == 0 {
			continue
		}
		if (p[0]&continued != 0) != open {
			return nil, nil, FormatError("a fragmented OBU has no beginning or no end")
		}
		elements, err := obuElements(p[0]>>4&3, p[1:])
		if err != nil {
			return nil, nil, err
		}
		for i, e := range elements {
			if open {
				obu, open = append(obu, e...), false
			} else {
				obu = append([]byte(nil), e...)
			}
			if i == len(elements)-1 && p[0]&goesOn != 0 {
				open = true
				break
			}
			if unit, sequenceHeader, err = appendOBU(unit, sequenceHeader, obu); err != nil {
				return nil, nil, err
			}
		}
	}
	switch {
	case open:
		return nil, nil, FormatError("a fragmented OBU has no beginning or no end")
	case len(unit) == 0:
		return nil, nil, FormatError("a temporal unit is empty")
	}
	return unit, sequenceHeader, nil
}

// obuElements cuts up a payload behind its aggregation header. count is the header's W: how many elements
// there are, the last of which has no length then; with zero, all have.
func obuElements(count byte, p []byte) ([][]byte, error) {
	var elements [][]byte
	for len(p) > 0 {
		if count > 0 && len(elements) == int(count)-1 {
			elements = append(elements, p)
			p = nil
			break
		}
		size, n := leb128(p)
		if n == 0 || size > uint64(len(p)-n) {
			return nil, FormatError("the lengths of OBUs do not add up")
		}
		elements = append(elements, p[n:n+int(size)])
		p = p[n+int(size):]
		if len(elements) > maxNALs {
			return nil, FormatError("a packet has too many OBUs")
		}
	}
	if len(elements) == 0 || count > 0 && len(elements) != int(count) {
		return nil, FormatError("a packet has fewer OBUs than it says")
	}
	return elements, nil
}

// appendOBU appends an OBU with its size.
func appendOBU(unit, header, obu []byte) ([]byte, []byte, error) {
	const hasExtension, hasSize = 0x04, 0x02
	if len(obu) == 0 {
		return unit, header, nil
	}
	head := 1
	if obu[0]&hasExtension != 0 {
		head = 2
	}
	if len(obu) < head {
		return nil, nil, FormatError("an OBU is shorter than its header")
	}
	body := obu[head:]
	if obu[0]&hasSize != 0 {
		size, n := leb128(body)
		if n == 0 || size > uint64(len(body)-n) {
			return nil, nil, FormatError("the size of an OBU is wrong")
		}
		body = body[n : n+int(size)]
	}
	switch obu[0] >> 3 & 15 {
	case obuTemporalDelimiter, obuTileList, obuPadding:
		return unit, header, nil
	case obuSequenceHeader:
		header = append([]byte(nil), body...)
	}
	unit = append(unit, obu[0]|hasSize)
	unit = append(unit, obu[1:head]...)
	unit = media.AppendLEB128(unit, uint64(len(body)))
	return append(unit, body...), header, nil
}

// leb128 reads a number and how many bytes it took, zero if there is none.
func leb128(b []byte) (v uint64, n int) {
	for i := 0; i < 8 && i < len(b); i++ {
		v |= uint64(b[i]&0x7F) << (7 * i)
		if b[i]&0x80 == 0 {
			return v, i + 1
		}
	}
	return 0, 0
}
