package fmp4

import (
	"bytes"
	"errors"
)

// maxID3 is the size up to which an ID3 tag can say its size: 28 bits.
const maxID3 = 1<<28 - 1

const (
	id3HeaderSize   = 10 // of the tag, and of a frame
	id3EncodingUTF8 = 3
)

// AppendID3TXXX writes an ID3v2.4 tag with one TXXX frame in UTF-8 to the end of dst and returns the
// extended slice. It is what every player that shows timed metadata decodes: in version 2.4, as hls.js
// misreads frames of more than 127 bytes in 2.3; in UTF-8, as it garbles the others. The description ends at
// its first NUL; the value is written as it is.
func AppendID3TXXX(dst []byte, description, value string) []byte {
	description = cString(description)
	frame := min(1+len(description)+1+len(value), maxID3-id3HeaderSize)
	dst = append(dst, "ID3\x04\x00\x00"...)
	dst = appendSyncsafe(dst, id3HeaderSize+frame)
	dst = append(dst, "TXXX"...)
	dst = appendSyncsafe(dst, frame)
	dst = append(dst, 0, 0, id3EncodingUTF8)
	dst = append(dst, description...)
	dst = append(dst, 0)
	return append(dst, value...)
}

// appendSyncsafe writes n with seven bits to the byte, so that no decoder of MPEG audio takes it for a
// frame.
func appendSyncsafe(dst []byte, n int) []byte {
	return append(dst, byte(n>>21)&0x7F, byte(n>>14)&0x7F, byte(n>>7)&0x7F, byte(n)&0x7F)
}

var errID3 = errors.New("fmp4: not an ID3v2.4 tag with a TXXX frame in UTF-8")

// ReadID3TXXX reads what AppendID3TXXX writes: one tag, all of b, whose first frame is a TXXX.
func ReadID3TXXX(b []byte) (description, value string, err error) {
	if len(b) < 2*id3HeaderSize+2 || string(b[:5]) != "ID3\x04\x00" || b[5] != 0 {
		return "", "", errID3
	}
	size, ok := readSyncsafe(b[6:10])
	if b = b[id3HeaderSize:]; !ok || size != len(b) || string(b[:4]) != "TXXX" {
		return "", "", errID3
	}
	size, ok = readSyncsafe(b[4:8])
	if b = b[id3HeaderSize:]; !ok || size > len(b) || size < 2 || b[0] != id3EncodingUTF8 {
		return "", "", errID3
	}
	before, after, ok := bytes.Cut(b[1:size], []byte{0})
	if !ok {
		return "", "", errID3
	}
	return string(before), string(after), nil
}

func readSyncsafe(b []byte) (n int, ok bool) {
	for _, c := range b {
		if c&0x80 != 0 {
			return 0, false
		}
		n = n<<7 | int(c)
	}
	return n, true
}
