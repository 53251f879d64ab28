package fmp4

import (
	"encoding/binary"
	"strings"
)

// SchemeID3 is the scheme of an Event whose Data is one ID3v2.4 tag (AppendID3TXXX).
const SchemeID3 = "https://aomedia.org/emsg/ID3"

// UnknownDuration is the Duration of an Event whose end is not known.
const UnknownDuration = 0xFFFFFFFF

// size returns the number of bytes of e's box.
func (e *Event) size() int {
	return fullHeaderSize + 4 + 8 + 4 + 4 + len(cString(e.Scheme)) + 1 + len(cString(e.Value)) + 1 + len(e.Data)
}

// append writes e as an emsg box of version 1 (ISO/IEC 23009-1 5.10.3.3.4).
func (e *Event) append(dst []byte) []byte {
	be := binary.BigEndian
	dst = appendFullHeader(dst, e.size(), "emsg", 1, 0)
	dst = be.AppendUint32(dst, e.Timescale)
	dst = be.AppendUint64(dst, e.PresentationTime)
	dst = be.AppendUint32(dst, e.Duration)
	dst = be.AppendUint32(dst, e.ID)
	dst = append(dst, cString(e.Scheme)...)
	dst = append(dst, 0)
	dst = append(dst, cString(e.Value)...)
	dst = append(dst, 0)
	return append(dst, e.Data...)
}

// cString returns what of s comes before its first NUL.
func cString(s string) string {
	s, _, _ = strings.Cut(s, "\x00")
	return s
}
